/**
 * qmail-getpw's shell: keeps `users/passwd` in memory, reads it again when it changed, answers on its socket.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { rewriteRecipient } from "../lib/queue/rewrite.ts";
import { parsePasswdFile, type PasswdFile } from "../lib/users/passwd_file.ts";
import { type GetpwReply, type GetpwRequest, parseGetpwRequest } from "../lib/wire/getpw_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { findMailbox } from "./lookup.ts";

/** The users' file as it stands; `undefined` while it cannot be read. */
class Users {
  readonly #path: string;
  #stamp = "";
  #file: PasswdFile | undefined = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  current(): PasswdFile | undefined {
    try {
      const info = Deno.statSync(this.#path);
      const stamp = `${info.ino} ${info.size} ${info.mtime?.getTime()}`;
      if (stamp !== this.#stamp) {
        this.#file = this.#read();
        this.#stamp = stamp;
      }
    } catch (error) {
      // No file, no virtual mailboxes; anything else is trouble that may pass.
      const absent = error instanceof Deno.errors.NotFound;
      if (!absent && this.#file !== undefined) log(`alert: cannot read users/passwd: ${describeError(error)}`);
      this.#file = absent ? new Map() : undefined;
      this.#stamp = "";
    }
    return this.#file;
  }

  #read(): PasswdFile | undefined {
    const parsed = parsePasswdFile(Deno.readTextFileSync(this.#path));
    if (parsed.ok) return parsed.value;
    log(`alert: cannot read users/passwd: ${parsed.error}`);
    return undefined;
  }
}

function answer(request: GetpwRequest, controls: ControlValues, users: Users, home: Home): GetpwReply {
  const { me, locals } = controls.current;
  const routed = request.op === "find"
    ? { channel: "local", address: request.address }
    : rewriteRecipient(request.address, controls.current);
  const file = users.current();
  // A server that takes an address for local which is remote here has read its control files at another time.
  if (file === undefined || routed.channel === "remote" || !routed.address.includes("@")) return { kind: "unsure" };
  const found = findMailbox(routed.address, me, locals, file);
  if (found === undefined) return { kind: "none" };
  if (request.op === "check") return { kind: "exists" };
  const { entry, extension } = found;
  const userHome = entry.home === "" ? home.mail(entry.domain, entry.name) : entry.home;
  const { name: user, uid, gid } = entry;
  return {
    kind: "account",
    isVirtual: true,
    user,
    uid,
    gid,
    home: userHome,
    dash: extension === "" ? "" : "-",
    extension,
  };
}

export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "qmail-getpw");
  const users = new Users(home.users("passwd"));
  const server = serveUnix(home.socket("qmail-getpw"), {
    onFrame: (frame, pipe) => {
      const request = parseGetpwRequest(frame);
      pipe.send({ ...answer(request, controls, users, home), id: request.id });
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-getpw", reason: describeError(error) }),
  });
  users.current();
  return {
    reload: () => controls.reload(),
    stop: () => {
      server.stop();
      server.closeAll();
      return Promise.resolve();
    },
  };
}
