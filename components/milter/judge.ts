/**
 * The milters' word on a message: each sees it as those before it left it.
 * @module
 */
import type { FilterMessage, Judge, Verdict } from "../lib/filters/filter.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { applyChanges, type MilterMail } from "../lib/milter/changes.ts";
import type { SessionFacts } from "../lib/milter/commands.ts";
import type { MilterOutcome } from "../lib/milter/dialogue.ts";
import type { Milter } from "../lib/milter/milters_file.ts";
import { formatScannerAddress } from "../lib/scanners/address.ts";
import { ScannerError } from "../lib/scanners/failure.ts";
import { formatMail, splitMail } from "../lib/scanners/mail.ts";
import { tooManyFields } from "../lib/scanners/refusal.ts";
import { askMilter } from "./ask.ts";

export interface MilterWorld {
  readonly milters: () => readonly Milter[];
  /** Control/me. */
  readonly me: () => string;
  /** A new name for a message, for both logs. */
  readonly newId: () => string;
  /** For all milters together; one has its part of it. */
  readonly limitMs: number;
}

/** A judge that asks the milters in turn. It rejects with ScannerError where one that must be heard does not do its part. */
export function milterJudge({ milters, me, newId, limitMs }: MilterWorld): Judge {
  return async (message, signal) => {
    const asked = milters();
    const mail = splitMail(message.content);
    if (mail === undefined) return tooManyFields;
    const facts: SessionFacts = { client: message.client, me: me(), id: newId() };
    const before: MilterMail = { sender: message.sender, recipients: message.recipients, mail };
    let after = before;
    for (const milter of asked) {
      const outcome = await within(limitMs / asked.length, signal, (own) => ask(milter, after, facts, own));
      if (outcome.kind !== "pass") return logged(milter, facts, outcome);
      if (outcome.changes.length > 0) after = applyChanges(after, outcome.changes);
      // Somebody took the last recipient away: the next milter would be told of nobody.
      if (after.recipients.length === 0) return logged(milter, facts, { kind: "discard" });
    }
    return verdictOf(message, before, after);
  };
}

async function ask(
  milter: Milter,
  message: MilterMail,
  facts: SessionFacts,
  signal: AbortSignal,
): Promise<MilterOutcome> {
  try {
    return await askMilter(milter.address, message, facts, signal);
  } catch (error) {
    if (milter.onTrouble === "fail" || !(error instanceof ScannerError)) throw error;
    const where = formatScannerAddress(milter.address);
    logEvent("milter_passed_over", { milter: where, id: facts.id, reason: describeError(error) });
    return { kind: "pass", changes: [] };
  }
}

/** One milter's time is not the others', too. */
async function within<T>(ms: number, signal: AbortSignal, work: (own: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), ms);
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function logged({ address }: Milter, { id }: SessionFacts, outcome: Exclude<MilterOutcome, { kind: "pass" }>): Verdict {
  const said = outcome.kind === "refuse" ? outcome.text : outcome.kind;
  logEvent("milter", { milter: formatScannerAddress(address), id, said });
  return outcome;
}

function verdictOf({ content }: FilterMessage, before: MilterMail, after: MilterMail): Verdict {
  if (after === before) return { kind: "pass" };
  const changed = formatMail(after.mail);
  return {
    kind: "pass",
    ...(isSame(changed, content) ? {} : { content: changed }),
    ...(after.sender === before.sender ? {} : { sender: after.sender }),
    ...(after.recipients.join("\0") === before.recipients.join("\0") ? {} : { recipients: after.recipients }),
  };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}
