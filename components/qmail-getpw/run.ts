/**
 * qmail-getpw's shell: answers on its socket, by the files as they stand.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { rewriteRecipient } from "../lib/queue/rewrite.ts";
import { type Controlling, type GetpwReply, type GetpwRequest, parseGetpwRequest } from "../lib/wire/getpw_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { findControlling } from "./controlling.ts";
import { Files } from "./files.ts";
import { findQmailFile, type Presence } from "./qmail_files.ts";

function answer(request: GetpwRequest, controls: Controls, files: Files, home: Home): GetpwReply {
  const { me, locals } = controls;
  const isFind = request.op === "find";
  const routed = isFind ? { channel: "local", address: request.address } : rewriteRecipient(request.address, controls);
  // A server that takes an address for local which is remote here has read its control files at another time.
  if (routed.channel === "remote" || !routed.address.includes("@")) return { kind: "unsure" };
  const found = findControlling(routed.address, { me, locals, home }, files);
  if (found === undefined) return { kind: "none" };
  if (found === "unsure") return { kind: "unsure" };
  // Whether there is a .qmail file is for qmail-local to see; without one alias has no mail at all, so nobody need start.
  if (isFind && (found.user !== "alias" || found.isVirtual)) return found;
  const presence = presenceOf(found);
  return isFind && presence !== "none" ? found : { kind: presence };
}

function presenceOf({ isVirtual, uid, home, dash, extension }: Controlling): Presence {
  if (isVirtual) return "exists";
  // Nothing is ever delivered as root: to accept mail for it would only make it wait.
  if (uid === 0) return "unsure";
  return dash === "" ? "exists" : findQmailFile(home, dash, extension);
}

export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "qmail-getpw");
  const files = new Files(home, () => controls.current.systemusers);
  const server = serveUnix(home.socket("qmail-getpw"), {
    onFrame: (frame, pipe) => {
      const request = parseGetpwRequest(frame);
      pipe.send({ ...answer(request, controls.current, files, home), id: request.id });
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-getpw", reason: describeError(error) }),
  });
  files.virtual();
  return {
    reload: () => controls.reload(),
    stop: () => {
      server.stop();
      server.closeAll();
      return Promise.resolve();
    },
  };
}
