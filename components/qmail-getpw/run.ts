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
import { srsRulesOf } from "../lib/srs/secret_file.ts";
import { isReturnPath, originalOf } from "../lib/srs/srs.ts";
import { type Controlling, type GetpwReply, type GetpwRequest, parseGetpwRequest } from "../lib/wire/getpw_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { findControlling } from "./controlling.ts";
import { Files } from "./files.ts";
import { forwardSender } from "./forward_sender.ts";
import { findQmailFile, type Presence } from "./qmail_files.ts";

type Lookup = GetpwRequest & { readonly op: "find" | "check" };

function answer(request: Lookup, controls: Controls, files: Files, home: Home): GetpwReply {
  const { me, locals } = controls;
  const srs = srsRulesOf(controls);
  // No mailbox is called so, and no .qmail-default takes it: it would get what others forged.
  if (srs !== undefined && isReturnPath(request.address, srs.domain)) {
    const isGood = request.op === "check" && originalOf(request.address, srs, nowSeconds()).ok;
    return { kind: isGood ? "exists" : "none" };
  }
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

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "qmail-getpw");
  const files = new Files(home, () => controls.current.systemusers);
  const server = serveUnix(home.socket("qmail-getpw"), {
    onFrame: (frame, pipe) => {
      const request = parseGetpwRequest(frame);
      if (request.op !== "forward") {
        return pipe.send({ ...answer(request, controls.current, files, home), id: request.id });
      }
      pipe.send({ sender: forwardSender(request, controls.current, nowSeconds()), id: request.id });
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
