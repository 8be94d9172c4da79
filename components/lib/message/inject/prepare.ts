/**
 * qmail-inject's work on a message: from the fields that came in to the header that goes out and its envelope. Addresses
 * are completed, what is not for others' eyes goes, what a message has to have is put in front (RFC 5322 §3.6; qmail's
 * interface for the rest).
 * @module
 */
import { type ListError, mostAddresses, rewriteAddressList } from "../../address/address_list.ts";
import { formatAddressField, formatEnvelopeAddress, formatTokens } from "../../address/format_tokens.ts";
import { completeAddress, parseArgument } from "../../address/host_defaults.ts";
import { at, localPartTokens, type Token, tokenize } from "../../address/token.ts";
import { err, ok, type Result } from "../../result.ts";
import { type Field, splitField } from "../field_kinds.ts";
import { generateFields } from "./generate.ts";
import type { InjectOptions } from "./options.ts";

/** When, and in which process. */
export interface Moment {
  readonly unixSeconds: number;
  readonly pid: number;
}

/** A message's header as it is queued, and its envelope. Octet strings. */
export interface Prepared {
  readonly header: string;
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** What is known about a message after its fields have been looked at. */
export interface Findings {
  /** Keys of the fields that stay. */
  readonly present: ReadonlySet<string>;
  readonly isResent: boolean;
  /** Addresses of To and Cc, the last first. */
  readonly correspondents: readonly (readonly Token[])[];
}

/** Fields whose addresses may be wrong: they pass unchanged then, and name nobody from where they are wrong. */
const tolerated = (field: Field) => field.kind.recipients !== undefined;

/**
 * The finished message. `fields` as HeaderReader gives them; `followups`: lists the user is on (QMAILMFTFILE), in lower
 * case. Error: text for the caller.
 */
export function prepareMessage(
  fields: readonly string[],
  options: InjectOptions,
  moment: Moment,
  followups: ReadonlySet<string> = new Set(),
): Result<Prepared, string> {
  const all = fields.map((text) => ({ text, ...splitField(text) }));
  const isResent = all.some(({ kind }) => kind.resent === true);
  const header: string[] = [];
  const present = new Set<string>();
  const correspondents: (readonly Token[])[] = [];
  const fromHeader: string[] = [];
  let count = 0;
  let returnPath: readonly Token[] | undefined;
  for (const field of all) {
    if (isDropped(field, options, isResent)) continue;
    present.add(field.key);
    let text = field.text;
    if (field.kind.addresses === true) {
      const found: (readonly Token[])[] = [];
      const rewritten = rewriteField(field, options, found);
      count += found.length;
      if (count > mostAddresses || (!rewritten.ok && rewritten.error === "too many")) {
        return err(`more than ${mostAddresses} addresses in the header`);
      }
      if (!rewritten.ok && !tolerated(field)) return err(`unable to parse this line:\n${field.text.slice(0, -1)}`);
      if (rewritten.ok) text = rewritten.value;
      if (field.key === "to" || field.key === "cc") { for (const address of found) correspondents.push(address); }
      if (field.kind.recipients === (isResent ? "resent" : "message")) {
        for (const address of found) fromHeader.push(formatEnvelopeAddress(address));
      }
      // Of several in one field the first; of several fields the last.
      if (field.key === "return-path") returnPath = found.at(-1) ?? returnPath;
    }
    if (field.kind.removed !== true) header.push(text);
  }
  const generated = generateFields({ present, isResent, correspondents }, options, moment, followups);
  const fromArguments = argumentRecipients(options);
  if (!fromArguments.ok) return fromArguments;
  const sender = senderOf(options, returnPath, moment);
  if (!sender.ok) return sender;
  return ok({
    header: generated.join("") + header.join(""),
    sender: sender.value,
    recipients: chooseRecipients(options, fromArguments.value, fromHeader),
  });
}

/** Whether nobody is to see or to heed a field. One that has to be there goes only where another is made. */
function isDropped({ key }: Field, { flags }: InjectOptions, isResent: boolean): boolean {
  switch (key) {
    case "return-path":
      return flags.dropReturnPath;
    case "from":
      return flags.dropFrom && !isResent;
    case "message-id":
      return flags.dropMessageId && !isResent;
    default:
      return false;
  }
}

/** The field with its addresses completed; they are added to `found`, the last first. */
function rewriteField(
  { name, value, key }: Field,
  { hosts }: InjectOptions,
  found: (readonly Token[])[],
): Result<string, ListError> {
  const tokens = tokenize(value);
  if (tokens === undefined) return err("syntax");
  const rewritten = rewriteAddressList(tokens, (address) => {
    const completed = completeAddress(address, hosts);
    // Nobody is meant by "<>", except the sender of a bounce.
    if (completed.length > 0 || key === "return-path") found.push(completed);
    return completed;
  });
  return rewritten.ok ? ok(formatAddressField(name, rewritten.value)) : rewritten;
}

function argumentRecipients(options: InjectOptions): Result<string[], string> {
  const recipients: string[] = [];
  for (const argument of options.arguments.recipients) {
    const address = parseArgument(argument);
    if (!address.ok) return err(`unable to parse address: ${argument}`);
    const completed = completeAddress(address.value, options.hosts);
    if (completed.length > 0) recipients.push(formatEnvelopeAddress(completed));
  }
  return ok(recipients);
}

function chooseRecipients(
  { arguments: { recipientsFrom, recipients } }: InjectOptions,
  fromArguments: readonly string[],
  fromHeader: readonly string[],
): readonly string[] {
  switch (recipientsFrom) {
    case "arguments":
      return fromArguments;
    case "header":
      return fromHeader;
    case "both":
      return fromArguments.concat(fromHeader);
    case "either":
      return recipients.length > 0 ? fromArguments : fromHeader;
  }
}

function senderOf(
  options: InjectOptions,
  returnPath: readonly Token[] | undefined,
  moment: Moment,
): Result<string, string> {
  const { arguments: { sender }, hosts, flags } = options;
  if (sender !== undefined) {
    const address = parseArgument(sender);
    if (!address.ok) return err(`unable to parse address: ${sender}`);
    return ok(formatEnvelopeAddress(completeAddress(address.value, hosts)));
  }
  if (returnPath !== undefined) {
    const address = formatEnvelopeAddress(returnPath);
    // The null reverse-path cannot tell recipients apart.
    return ok(flags.senderPerRecipient && address !== "" ? `${address}-@[]` : address);
  }
  const { senderUser, senderHost } = options.identity;
  const perMessage = flags.senderPerMessage ? `-${moment.unixSeconds}.${moment.pid}` : "";
  const user = `${senderUser}${perMessage}${flags.senderPerRecipient ? "-" : ""}`;
  const address = formatEnvelopeAddress(completeAddress([...localPartTokens(user), at, ...senderHost], hosts));
  return ok(flags.senderPerRecipient ? `${address}-@[]` : address);
}

/** An envelope's address as a header field shows it, in angle brackets. */
export function formatReturnPath(sender: string): string {
  const separator = sender.lastIndexOf("@");
  if (separator < 0) return `<${formatTokens(sender === "" ? [] : localPartTokens(sender))}>`;
  const host = sender.slice(separator + 1).replace(/[\r\n]/g, " ");
  return `<${formatTokens(localPartTokens(sender.slice(0, separator)))}@${host}>`;
}
