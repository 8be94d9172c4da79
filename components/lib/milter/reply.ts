/**
 * What a milter answers (SMFIR_), from its packets to a type. Changes are checked here: behind this, an address is one
 * address, and a header field is one field.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { parseAnyPath } from "../scanners/paths.ts";
import { type MailField, safeField } from "../scanners/mail.ts";
import { type Packet, readUint32 } from "./packet.ts";
import { action } from "./protocol.ts";

/** One change; octet strings. `index` of an inserted field: so many stand above it; of a changed one: 1 is the first. */
export type Change =
  | { readonly kind: "add field"; readonly field: MailField }
  | { readonly kind: "insert field"; readonly index: number; readonly field: MailField }
  | { readonly kind: "change field"; readonly index: number; readonly field: MailField }
  | { readonly kind: "delete field"; readonly index: number; readonly name: string }
  | { readonly kind: "body"; readonly octets: string }
  | { readonly kind: "add recipient"; readonly address: string }
  | { readonly kind: "delete recipient"; readonly address: string }
  | { readonly kind: "sender"; readonly address: string };

/** `reply code` has the code and the text of one line behind it. */
export type MilterReply =
  | { readonly kind: "continue" }
  | { readonly kind: "accept" }
  | { readonly kind: "reject" }
  | { readonly kind: "temporary" }
  | { readonly kind: "discard" }
  | { readonly kind: "skip" }
  | { readonly kind: "progress" }
  | { readonly kind: "quarantine" }
  | { readonly kind: "reply code"; readonly code: number; readonly text: string }
  | { readonly kind: "change"; readonly needs: number; readonly change: Change };

const plain: ReadonlyMap<string, Exclude<MilterReply["kind"], "reply code" | "change">> = new Map([
  ["c", "continue"],
  ["a", "accept"],
  ["r", "reject"],
  ["t", "temporary"],
  // The server is to say 421 and hang up; the message is tried again all the same.
  ["4", "temporary"],
  ["d", "discard"],
  ["s", "skip"],
  ["p", "progress"],
  ["q", "quarantine"],
]);

/** `leadingSpace`: values come with the blank behind the colon. The error says what is wrong. */
export function parseReply({ letter, data }: Packet, leadingSpace: boolean): Result<MilterReply, string> {
  const kind = plain.get(letter);
  if (kind !== undefined) return ok({ kind });
  switch (letter) {
    case "y":
      return parseReplyCode(data);
    case "h":
      return fieldChange(data, 0, leadingSpace, action.ADDHDRS, (field) => ({ kind: "add field", field }));
    case "i":
      return indexed(data, leadingSpace, (index, field) => ({ kind: "insert field", index, field }), action.ADDHDRS);
    case "m":
      return indexed(data, leadingSpace, changeOf, action.CHGHDRS);
    case "b":
      return ok({ kind: "change", needs: action.CHGBODY, change: { kind: "body", octets: data } });
    case "+":
      return addressChange(data, "add recipient", action.ADDRCPT);
    case "-":
      return addressChange(data, "delete recipient", action.DELRCPT);
    case "e":
      return addressChange(data, "sender", action.CHGFROM);
    default:
      return err(`an answer ${JSON.stringify(letter)}`);
  }
}

/** `550 5.7.1 text`, perhaps with the lines of a longer one in front. */
function parseReplyCode(data: string): Result<MilterReply, string> {
  const lines = data.replace(/\0.*$/s, "").split(/\r?\n/).filter((line) => line !== "");
  const parts = lines.map((line) => /^([45][0-9]{2})(?:[ -](.*))?$/.exec(line));
  const code = parts[0]?.[1];
  if (code === undefined || parts.some((part) => part?.[1] !== code)) return err("a reply that is none");
  return ok({ kind: "reply code", code: Number(code), text: parts.map((part) => part![2] ?? "").join(" ") });
}

/** An empty value deletes. */
function changeOf(index: number, field: MailField, isEmpty: boolean): Change {
  return isEmpty ? { kind: "delete field", index, name: field.name } : { kind: "change field", index, field };
}

function indexed(
  data: string,
  leadingSpace: boolean,
  changeFrom: (index: number, field: MailField, isEmpty: boolean) => Change,
  needs: number,
): Result<MilterReply, string> {
  const index = readUint32(data, 0);
  if (index === undefined) return err("a change that is cut off");
  return fieldChange(data, 4, leadingSpace, needs, (field, isEmpty) => changeFrom(index, field, isEmpty));
}

function fieldChange(
  data: string,
  at: number,
  leadingSpace: boolean,
  needs: number,
  changeFrom: (field: MailField, isEmpty: boolean) => Change,
): Result<MilterReply, string> {
  const [name, value, end, ...more] = data.slice(at).split("\0");
  if (name === undefined || value === undefined || end !== "" || more.length > 0) {
    return err("a header field that is cut off");
  }
  const field = safeField(name, leadingSpace ? value : ` ${value}`);
  if (field === undefined) {
    return err(`a header field ${JSON.stringify(name.slice(0, 100))} that is none, or more than one`);
  }
  return ok({ kind: "change", needs, change: changeFrom(field, value === "") });
}

/** `<address>` or `address` and a NUL; parameters behind it are not looked at. */
function addressChange(
  data: string,
  kind: "add recipient" | "delete recipient" | "sender",
  needs: number,
): Result<MilterReply, string> {
  const end = data.indexOf("\0");
  const text = data.slice(0, Math.max(end, 0));
  const address = end < 0 ? undefined : parseAnyPath(text, kind === "sender" ? "reverse" : "forward");
  return address === undefined
    ? err("an address that is none")
    : ok({ kind: "change", needs, change: { kind, address } });
}
