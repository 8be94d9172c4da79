/**
 * A milter's changes to a message, made in the order in which they came. What no change is about stays as it was, octet by
 * octet.
 * @module
 */
import { Buffer } from "node:buffer";
import { toOctets } from "../octets.ts";
import { assertNever } from "../result.ts";
import { type Mail, type MailField, nameKey, splitRest } from "../scanners/mail.ts";
import { isSameAddress } from "../scanners/paths.ts";
import { fromCrlf } from "./commands.ts";
import type { Change } from "./reply.ts";

/** A message on its way through the milters. */
export interface MilterMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly mail: Mail;
}

/** A field that is gone keeps its place while one milter speaks: fields are counted as the milter was told of them. */
interface Slot {
  readonly key: string;
  readonly field: MailField;
  readonly isGone?: true;
}

function slotOf(field: MailField): Slot {
  return { key: nameKey(field.name), field };
}

export function applyChanges(message: MilterMail, changes: readonly Change[]): MilterMail {
  let { sender } = message;
  const recipients = [...message.recipients];
  const slots = message.mail.fields.map(slotOf);
  const body: string[] = [];
  for (const change of changes) {
    switch (change.kind) {
      case "add field":
        slots.push(slotOf(change.field));
        break;
      case "insert field":
        slots.splice(Math.min(change.index, slots.length), 0, slotOf(change.field));
        break;
      case "change field":
        changeField(slots, change.index, change.field);
        break;
      case "delete field": {
        const at = findField(slots, change.name, change.index);
        if (at >= 0) slots[at] = { ...slots[at]!, isGone: true };
        break;
      }
      case "body":
        body.push(change.octets);
        break;
      case "add recipient":
        if (!recipients.some((one) => isSameAddress(one, change.address))) recipients.push(change.address);
        break;
      case "delete recipient": {
        const at = recipients.findIndex((one) => isSameAddress(one, change.address));
        if (at >= 0) recipients.splice(at, 1);
        break;
      }
      case "sender":
        sender = change.address;
        break;
      default:
        return assertNever(change);
    }
  }
  const rest = changes.some(({ kind }) => kind === "body") ? restOf(body.join("")) : message.mail.rest;
  const fields = slots.flatMap(({ field, isGone }) => isGone ? [] : [field]);
  return { sender, recipients, mail: { ...message.mail, fields, rest } };
}

/** The one of that number, from 1 on; 0 is as 1. -1: there are fewer. */
function findField(slots: readonly Slot[], name: string, index: number): number {
  const key = nameKey(name);
  let left = Math.max(index, 1);
  return slots.findIndex((slot) => slot.key === key && --left === 0);
}

/** Where there are fewer of the name, it is a new field. */
function changeField(slots: Slot[], index: number, field: MailField): void {
  const at = findField(slots, field.name, index);
  if (at < 0) slots.push(slotOf(field));
  // The name as it stood: milters know it by its meaning.
  else slots[at] = slotOf({ name: slots[at]!.field.name, value: field.value });
}

/** A new body; the empty line is ours, for the old header may have ended without one. */
function restOf(octets: string): Uint8Array {
  const body = fromCrlf(octets);
  const end = body === "" || body.endsWith("\n") ? "" : "\n";
  return Buffer.from(toOctets(`\n${body}${end}`));
}

/** The body as a milter is told it. */
export function bodyOf({ rest }: Mail): Uint8Array {
  return splitRest(rest).body;
}
