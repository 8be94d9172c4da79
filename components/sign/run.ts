/**
 * sign's shell: the filters sign and arcseal, each on a socket of its name, with the keys as they stood at the start or at
 * the last reload.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { serveFilter } from "../lib/filters/serve.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { sealJudge, signJudge, type World } from "./judge.ts";
import { type KeyRing, readKeys, signersOf } from "./key_files.ts";

/** Throws CannotStart. */
function keysAtStart(home: Home, controls: ControlValues): KeyRing {
  const keys = readKeys(home, controls.current.dkim);
  if (!keys.ok) throw new CannotStart(keys.error.join("; "));
  return keys.value;
}

/** Starts serving. Throws CannotStart on a malformed control file, and on a key that cannot be read. */
export async function run({ home }: Start): Promise<Running> {
  const controls = new ControlValues(home, "sign");
  let signers = await signersOf(keysAtStart(home, controls));
  let turn = 0;
  const world: World = {
    signers: () => signers,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    sealer: () => controls.current.arcseal,
    authservId: () => controls.current.authservid,
    note: logEvent,
  };
  const filters = [
    serveFilter({ home, name: "sign", judge: signJudge(world) }),
    serveFilter({ home, name: "arcseal", judge: sealJudge(world) }),
  ];
  return {
    reload: () => {
      const defects = controls.reload();
      if (defects.length > 0) return defects;
      const keys = readKeys(home, controls.current.dkim);
      if (!keys.ok) return keys.error;
      const own = ++turn;
      signersOf(keys.value).then(
        (fresh) => own === turn && (signers = fresh),
        (error) => log(`alert: sign: ${describeError(error)}; keeping the old keys`),
      );
      return [];
    },
    stop: async () => {
      await Promise.all(filters.map((filter) => filter.stop()));
    },
  };
}
