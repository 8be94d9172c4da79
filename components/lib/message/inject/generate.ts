/**
 * The fields a message has to have and came without (RFC 5322 §3.6), in qmail-inject's order and form.
 * @module
 */
import { formatAddressField, formatEnvelopeAddress, formatTokens } from "../../address/format_tokens.ts";
import { completeAddress } from "../../address/host_defaults.ts";
import { lowerCaseAscii } from "../../address/parse_domain.ts";
import { at, commentOf, type Token } from "../../address/token.ts";
import { formatQmailDate } from "../date.ts";
import type { InjectOptions } from "./options.ts";
import type { Findings, Moment } from "./prepare.ts";

/** What a list of recipients says where the header names none. */
const nobodyShown = "recipient list not shown: ;";

/** The fields, each with its line end. A message that is sent on gets the Resent ones, and none of its own. */
export function generateFields(
  findings: Findings,
  options: InjectOptions,
  moment: Moment,
  followups: ReadonlySet<string>,
): string[] {
  const { present, isResent } = findings;
  const prefix = isResent ? "Resent-" : "";
  const lacks = (name: string) => !present.has(`${prefix}${name}`.toLowerCase());
  const fields: string[] = [];
  if (lacks("Date")) fields.push(`${prefix}Date: ${formatQmailDate(moment.unixSeconds)}\n`);
  if (lacks("Message-ID")) fields.push(`${prefix}Message-ID: ${formatMessageId(options.idHost, moment)}\n`);
  if (lacks("From")) fields.push(formatAddressField(`${prefix}From`, fromTokens(options)));
  if (lacks("To") && lacks("Cc")) fields.push(`${prefix}Cc: ${nobodyShown}\n`);
  if (isResent || present.has("mail-followup-to")) return fields;
  return fields.concat(followupTo(findings.correspondents, followups));
}

/** `<yyyymmddhhmmss.pid.qmail@host>`, UTC. */
function formatMessageId(host: string, { unixSeconds, pid }: Moment): string {
  const digits = new Date(unixSeconds * 1000).toISOString().replace(/[^0-9]/g, "").slice(0, 14);
  return `<${digits}.${pid}.qmail@${host}>`;
}

function fromTokens({ identity: { user, host, name }, hosts, flags }: InjectOptions): readonly Token[] {
  const address = completeAddress([...user, at, ...host], hosts);
  if (name === undefined || name === "") return address;
  if (flags.nameInComment) return [...address, commentOf(name)];
  return [{ kind: "quote", text: name }, { kind: "<" }, ...address, { kind: ">" }];
}

/** Where answers to all shall go: not also to somebody who reads one of the lists anyway. */
function followupTo(correspondents: readonly (readonly Token[])[], lists: ReadonlySet<string>): string[] {
  if (!correspondents.some((address) => lists.has(lowerCaseAscii(formatEnvelopeAddress(address))))) return [];
  const addresses = correspondents.toReversed().map((address) => formatTokens(address));
  return [`Mail-Followup-To: ${addresses.join(",\n  ")}\n`];
}
