/**
 * The header fields that submission treats in a way of their own; all others pass unchanged (qmail-inject's table).
 * @module
 */

export interface FieldKind {
  /** Holds addresses, which are completed. */
  readonly addresses?: true;
  /** Its addresses are recipients, or those of a message sent on. */
  readonly recipients?: "message" | "resent";
  /** Does not leave this host. */
  readonly removed?: true;
  /** Tells that the message is sent on. */
  readonly resent?: true;
}

const [addresses, removed, resent] = [true, true, true] as const;

const kinds = new Map<string, FieldKind>([
  ["to", { addresses, recipients: "message" }],
  ["cc", { addresses, recipients: "message" }],
  ["bcc", { addresses, recipients: "message", removed }],
  ["apparently-to", { addresses, recipients: "message" }],
  ["resent-to", { addresses, recipients: "resent", resent }],
  ["resent-cc", { addresses, recipients: "resent", resent }],
  ["resent-bcc", { addresses, recipients: "resent", resent, removed }],
  ["return-path", { addresses, removed }],
  ["content-length", { removed }],
  ["sender", { addresses }],
  ["from", { addresses }],
  ["reply-to", { addresses }],
  ["return-receipt-to", { addresses }],
  ["errors-to", { addresses }],
  ["resent-sender", { addresses, resent }],
  ["resent-from", { addresses, resent }],
  ["resent-reply-to", { addresses, resent }],
  ["resent-date", { resent }],
  ["resent-message-id", { resent }],
]);

const other: FieldKind = {};

/** A field taken apart. */
export interface Field {
  /** As written. */
  readonly name: string;
  /** In lower case. */
  readonly key: string;
  /** All behind the colon, with the line end. */
  readonly value: string;
  readonly kind: FieldKind;
}

/** Takes a valid field (see HeaderReader) apart. */
export function splitField(field: string): Field {
  const colon = field.indexOf(":");
  const name = field.slice(0, colon).replace(/[ \t]+$/, "");
  const key = name.toLowerCase();
  return { name, key, value: field.slice(colon + 1), kind: kinds.get(key) ?? other };
}
