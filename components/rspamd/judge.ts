/**
 * rspamd's word on a message, and the header as rspamd wants it.
 * @module
 */
import type { FilterMessage, Judge, Verdict } from "../lib/filters/filter.ts";
import { logEvent } from "../lib/log/log.ts";
import { applyReply } from "../lib/rspamd/apply.ts";
import { parseRspamdReply, type RspamdReply } from "../lib/rspamd/reply.ts";
import { requestFields } from "../lib/rspamd/request.ts";
import type { ScannerAddress } from "../lib/scanners/address.ts";
import { ScannerError } from "../lib/scanners/failure.ts";
import { formatMail, splitMail } from "../lib/scanners/mail.ts";
import { refusal, tooManyFields } from "../lib/scanners/refusal.ts";
import { askRspamd } from "./ask.ts";

export interface RspamdWorld {
  readonly address: () => ScannerAddress;
  /** A new name for a message, for both logs. */
  readonly newId: () => string;
}

/** A judge that asks rspamd. It rejects with ScannerError where rspamd does not do its part. */
export function rspamdJudge({ address, newId }: RspamdWorld): Judge {
  return async (message, signal) => {
    const id = newId();
    const text = await askRspamd(address(), requestFields(message, id), message.content, signal);
    const reply = parseRspamdReply(text);
    if (!reply.ok) throw new ScannerError(`rspamd gave ${reply.error}`);
    const { action, score } = reply.value;
    logEvent("rspamd", { id, action, score, from: message.sender, ip: message.client?.ip ?? "-" });
    return verdictOf(message, reply.value);
  };
}

function verdictOf(message: FilterMessage, reply: RspamdReply): Verdict {
  switch (reply.action) {
    case "reject":
      return refusal("permanent", reply.smtpMessage ?? "message looks like spam", "5.7.1");
    case "soft reject":
      return refusal("temporary", reply.smtpMessage ?? "try again later", "4.7.1");
    case "discard":
      return { kind: "discard" };
    // Not a wish to delay it: rspamd says "soft reject" for that, and goes on saying "greylist" of one that has come back.
    case "greylist":
    case "no action":
    case "add header":
    case "rewrite subject":
      return changed(message, reply);
  }
}

function changed({ content }: FilterMessage, reply: RspamdReply): Verdict {
  const isChanged = reply.added.length > 0 || reply.removed.length > 0 || reply.action === "add header" ||
    reply.action === "rewrite subject";
  if (!isChanged) return { kind: "pass" };
  const split = splitMail(content);
  if (split === undefined) return tooManyFields;
  const mail = applyReply(split, reply);
  if (!mail.ok) {
    throw new ScannerError(`rspamd wants a header field ${JSON.stringify(mail.error.slice(0, 100))} that is none`);
  }
  return { kind: "pass", content: formatMail(mail.value) };
}
