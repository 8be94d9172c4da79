/**
 * rspamd's answer to `/checkv2`: JSON with an action, and with what is to become of the header (rspamd's protocol, "milter
 * headers"). Only what is known here is taken out of it, and bounded.
 * @module
 */
import { utf8Octets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";

/** Octets of an answer. */
export const longestReply = 1024 * 1024;
/** Fields added and removed. */
const mostChanges = 500;

export const actions = [
  "no action",
  "greylist",
  "add header",
  "rewrite subject",
  "soft reject",
  "reject",
  "discard",
] as const;
export type RspamdAction = typeof actions[number];

/** `order`: fields that shall stand above it; negative: counted from the bottom, -1 is the last. */
export interface AddedField {
  readonly name: string;
  readonly value: string;
  readonly order: number;
}

/** `index`: 0 all of the name, 1 the first, -1 the last. */
export interface RemovedField {
  readonly name: string;
  readonly index: number;
}

/** Octet strings. */
export interface RspamdReply {
  readonly action: RspamdAction;
  readonly score: number;
  /** For the client, in place of a text of our own. */
  readonly smtpMessage?: string;
  /** The new one, whole. */
  readonly subject?: string;
  readonly added: readonly AddedField[];
  readonly removed: readonly RemovedField[];
}

type Json = Readonly<Record<string, unknown>>;

/** Takes the text of an answer; the error says what is wrong with it. */
export function parseRspamdReply(text: string): Result<RspamdReply, string> {
  if (text.length > longestReply) return err("an answer that is too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err("an answer that is no JSON");
  }
  const reply = asObject(value);
  const action = actions.find((known) => known === reply?.["action"]);
  if (reply === undefined || action === undefined) {
    return err(`the action ${JSON.stringify(reply?.["action"])?.slice(0, 100)}, which is not known here`);
  }
  const milter = asObject(reply["milter"]) ?? {};
  const added = addedFields(milter["add_headers"]);
  const removed = removedFields(milter["remove_headers"]);
  if (added === undefined || removed === undefined) return err("changes of the header that cannot be read");
  const smtpMessage = asObject(reply["messages"])?.["smtp_message"];
  const { subject, score } = reply;
  return ok({
    action,
    score: typeof score === "number" ? score : 0,
    ...(typeof smtpMessage === "string" ? { smtpMessage: utf8Octets(smtpMessage) } : {}),
    ...(typeof subject === "string" ? { subject: utf8Octets(subject) } : {}),
    added,
    removed,
  });
}

function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Json : undefined;
}

/** One or more for each name: a text, or a text with its place. Undefined for anything else. */
function addedFields(value: unknown): readonly AddedField[] | undefined {
  const added: AddedField[] = [];
  for (const [name, given] of Object.entries(asObject(value) ?? {})) {
    for (const one of Array.isArray(given) ? given as unknown[] : [given]) {
      const { value: text, order = -1 } = typeof one === "string" ? { value: one } : asObject(one) ?? {};
      if (typeof text !== "string" || !isWhole(order) || added.length >= mostChanges) return undefined;
      added.push({ name: utf8Octets(name), value: utf8Octets(text), order });
    }
  }
  return added;
}

function removedFields(value: unknown): readonly RemovedField[] | undefined {
  const removed: RemovedField[] = [];
  for (const [name, given] of Object.entries(asObject(value) ?? {})) {
    for (const index of Array.isArray(given) ? given as unknown[] : [given]) {
      if (!isWhole(index) || removed.length >= mostChanges) return undefined;
      removed.push({ name: utf8Octets(name), index });
    }
  }
  return removed;
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
