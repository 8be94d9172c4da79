/**
 * Starts a qmail-local through its launcher, as the user it is for.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { DeliveryLink } from "../lib/delivery/link.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { tell } from "../lib/process/component.ts";
import type { Controlling } from "../lib/wire/getpw_protocol.ts";
import { Pipe, type Streams } from "../lib/wire/pipe.ts";
import type { Kind } from "./request.ts";

/** A child's standard streams. */
function streamsOf(child: Deno.ChildProcess): Streams {
  const reader = child.stdout.getReader({ mode: "byob" });
  const writer = child.stdin.getWriter();
  // Such a reader takes the memory it is given and hands it back with what it read: the same piece goes round.
  let spare = new Uint8Array(0);
  return {
    read: async (buffer) => {
      const into = spare.length === buffer.length ? spare : new Uint8Array(buffer.length);
      const { value, done } = await reader.read(into);
      if (done || value === undefined) return null;
      buffer.set(value);
      spare = new Uint8Array(value.buffer);
      return value.length;
    },
    write: async (octets) => {
      await writer.write(octets);
      return octets.length;
    },
    // The end of its input is what tells a qmail-local to finish and go.
    close: () => void writer.close().catch(() => {}),
  };
}

/** `changeUser`: root started this, so that it can become the account. The home is looked at once more by the launcher. */
export function startLocal(home: Home, changeUser: boolean, kind: Kind, account: Controlling): DeliveryLink {
  const { uid, gid } = account;
  const child = new Deno.Command(home.libexec("launch", "qmail-local"), {
    args: kind === "virtual" ? [] : [`--${kind}`, account.home],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    clearEnv: true,
    cwd: "/",
    ...(changeUser ? { uid, gid } : {}),
  }).spawn();
  const pid = child.pid;
  tell({ event: "child", name: "qmail-local", pid });
  void child.status.then((status) => {
    tell({ event: "child ended", name: "qmail-local", pid });
    if (!status.success) logEvent("qmail-local", { pid, code: status.code, signal: status.signal ?? "none" });
  });
  return new DeliveryLink(
    new Pipe(streamsOf(child)),
    (error) => logEvent("garbage", { from: "qmail-local", reason: describeError(error) }),
  );
}
