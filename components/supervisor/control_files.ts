/**
 * Reads the control files for whoever asks on the status socket.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import type { ControlFile } from "../../config/schema.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { describeError } from "../lib/log/log.ts";
import type { ShownControl } from "../lib/wire/controls_protocol.ts";
import { type FoundControl, showControls } from "./controls.ts";

/**
 * `othersMayAsk`: the components run as other users, so a file that not everybody may read is not for everybody who asks;
 * else nobody but the one who started it all gets to the socket anyway.
 */
export function readShownControls(home: Home, othersMayAsk: boolean): { readonly controls: readonly ShownControl[] } {
  const me = readControls(home, ["me"]);
  return { controls: showControls((file) => find(home, file, othersMayAsk), me.ok ? me.value.me : "") };
}

function find(home: Home, file: ControlFile, othersMayAsk: boolean): FoundControl | undefined | string {
  const path = home.control(file);
  try {
    return ifThere(() => {
      const open = !othersMayAsk || ((Deno.statSync(path).mode ?? 0) & 0o004) !== 0;
      return { octets: Deno.readFileSync(path), open };
    });
  } catch (error) {
    return describeError(error);
  }
}
