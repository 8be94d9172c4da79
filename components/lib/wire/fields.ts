/**
 * Reading a frame's head at the door: each function takes one field of an untrusted object or throws ProtocolError, so
 * that the code behind a protocol's parser meets only whole values.
 * @module
 */
import type { RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

function wrong(name: string, what: string): never {
  throw new ProtocolError(`expected ${what} in the field "${name}"`);
}

/** A string of at most `most` characters (default 4096). */
export function text(head: RawHead, name: string, most = 4096): string {
  const value = head[name];
  return typeof value === "string" && value.length <= most ? value : wrong(name, `at most ${most} characters`);
}

/** A string as {@link text} reads it, or undefined where the field is absent. */
export function optionalText(head: RawHead, name: string, most = 4096): string | undefined {
  return head[name] === undefined ? undefined : text(head, name, most);
}

/** An octet string (every char code at most 255) without NUL: an address as the queue's files keep it. */
export function address(head: RawHead, name: string): string {
  return checkAddress(head[name], name);
}

/** Longer than any address in the queue (1002 octets) with what virtualdomains or VERP add to it: nobody is cut off for one. */
const longestAddress = 4096;

function checkAddress(value: unknown, name: string): string {
  if (typeof value !== "string" || value.length > longestAddress) {
    wrong(name, `an address of at most ${longestAddress} octets`);
  }
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 0 || code > 255) wrong(name, "octets other than NUL");
  }
  return value;
}

/** A list of addresses. */
export function addresses(head: RawHead, name: string): readonly string[] {
  const value = head[name];
  if (!Array.isArray(value)) wrong(name, "a list of addresses");
  return value.map((item) => checkAddress(item, name));
}

/** A whole number from 0 to 2^53 - 1. */
export function wholeNumber(head: RawHead, name: string): number {
  const value = head[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : wrong(name, "a whole number");
}

/** true or false. */
export function flag(head: RawHead, name: string): boolean {
  const value = head[name];
  return typeof value === "boolean" ? value : wrong(name, "true or false");
}

/** One of `choices`. */
export function oneOf<const C extends string>(head: RawHead, name: string, choices: readonly C[]): C {
  const value = head[name];
  return choices.find((choice) => choice === value) ?? wrong(name, choices.join(" or "));
}

/** A list of whole numbers. */
export function wholeNumbers(head: RawHead, name: string): readonly number[] {
  const value = head[name];
  if (!Array.isArray(value) || !value.every((item) => Number.isSafeInteger(item) && item >= 0)) {
    wrong(name, "a list of whole numbers");
  }
  return value;
}

/** An object, its fields not looked into. */
export function object(head: RawHead, name: string): RawHead {
  return asObject(head[name], name);
}

/** A list of objects. */
export function objects(head: RawHead, name: string): readonly RawHead[] {
  const value = head[name];
  return Array.isArray(value) ? value.map((item) => asObject(item, name)) : wrong(name, "a list of objects");
}

function asObject(value: unknown, name: string): RawHead {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as RawHead
    : wrong(name, "an object");
}
