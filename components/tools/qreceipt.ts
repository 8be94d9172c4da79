/**
 * qreceipt ADDRESS: where the message asks with Notice-Requested-Upon-Delivery-To for a notice about that very address,
 * queues one for its sender, from the null sender. Exit codes: 0, 100 refused or called wrongly, 111.
 * @module
 */
import { rewriteAddressList } from "../lib/address/address_list.ts";
import { formatEnvelopeAddress, formatTokens } from "../lib/address/format_tokens.ts";
import { at, localPartTokens, type Token, tokenize } from "../lib/address/token.ts";
import { splitField } from "../lib/message/field_kinds.ts";
import { HeaderReader } from "../lib/message/header_reader.ts";
import { toOctets } from "../lib/octets.ts";
import { type Caller, requireVariable } from "./support/caller.ts";
import { readInput } from "./support/input.ts";
import { queueMail } from "./support/queue_mail.ts";
import { runProgram, usage } from "./support/run_program.ts";

/** Whether one of the header's fields asks about `address`, as the envelope has it. */
export function asksForNotice(fields: readonly string[], address: string): boolean {
  return fields.map(splitField).some(({ key, value }) =>
    key === "notice-requested-upon-delivery-to" && addressesIn(value).includes(address)
  );
}

/** Unquoted; none where the field is no list of addresses. */
function addressesIn(value: string): string[] {
  const addresses: string[] = [];
  const list = rewriteAddressList(tokenize(value) ?? [], (address) => {
    addresses.push(formatEnvelopeAddress(address));
    return address;
  });
  return list.ok ? addresses : [];
}

/** An address as a field has it, quoted where needed: none of its octets can end the line. */
function headerAddress(address: string): string {
  const split = address.lastIndexOf("@");
  const words = (text: string): Token[] => localPartTokens(text.replace(/[\r\n]/g, "_"));
  if (split < 0) return formatTokens(words(address));
  return formatTokens([...words(address.slice(0, split)), at, ...words(address.slice(split + 1))]);
}

/** The whole notice, LF line ends; octet string. */
export function formatNotice(address: string, sender: string): string {
  return `From: Delivery notice <${headerAddress(address)}>\nTo: ${headerAddress(sender)}\n` +
    "Subject: success notice\nAuto-Submitted: auto-replied\n\n" +
    `Your message has been delivered to ${address.replace(/[\r\n]/g, "_")}, as you asked to be told.\n`;
}

async function readFields(): Promise<readonly string[]> {
  const reader = new HeaderReader();
  for await (const piece of readInput()) {
    const state = reader.push(piece);
    if (state.kind === "whole") return state.header.fields;
    // So long a header asks for nothing.
    if (state.kind === "too long") return [];
  }
  return reader.end().fields;
}

async function qreceipt(caller: Caller): Promise<number> {
  const [address] = caller.args;
  if (address === undefined) throw usage("qreceipt deliveryaddress");
  const sender = requireVariable(caller, "SENDER");
  // Nobody is told of a bounce's delivery.
  if (sender === "" || sender === "#@[]" || !asksForNotice(await readFields(), address)) return 0;
  const notice = [toOctets(formatNotice(address, sender))];
  await queueMail("qreceipt", caller, { sender: "", recipients: [sender] }, notice);
  return 0;
}

if (import.meta.main) await runProgram("qreceipt", qreceipt);
