/**
 * What is asked about a queue as a whole (socket `qread`): a page of its messages, sorted and filtered, and what one of
 * them says. Every request carries an `id`, its reply carries the same; where files cannot be read it has `trouble` and
 * nothing else. Addresses are octet strings, compared without regard to the case of ASCII letters; what a message says is
 * text, made harmless.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

export const sortKeys = ["id", "born", "next", "size", "sender"] as const;
export type SortKey = (typeof sortKeys)[number];

export const sortOrders = ["ascending", "descending"] as const;
export type SortOrder = (typeof sortOrders)[number];

/**
 * Where a message stands, as far as files tell. `new`: its first attempt runs, or waits. `due`: the time of its next
 * attempt has come; one may run. `ending`: nobody is left to deliver to, its files are going.
 */
export const listedStates = ["new", "due", "waiting", "held", "ending"] as const;
export type ListedState = (typeof listedStates)[number];

/** Messages that are all of this; absent: any. */
export interface QueueFilter {
  /** The whole reverse-path; "" for the null one. */
  readonly sender?: string | undefined;
  /** A whole address among its recipients, done ones included. */
  readonly recipient?: string | undefined;
  /** The domain of one of its recipients. */
  readonly domain?: string | undefined;
  readonly state?: ListedState | undefined;
  /** Part of its sender's or of a recipient's address, or its number. */
  readonly text?: string | undefined;
}

/** Rows of one answer at the most. */
export const mostRows = 200;
/** Octets of a filter's word, and of a cursor. */
const longestWord = 1100;
const longestCursor = 2 * longestWord;

export interface ListRequest {
  readonly op: "list";
  readonly id: number;
  readonly sort: SortKey;
  readonly order: SortOrder;
  readonly filter: QueueFilter;
  /** `next` of an earlier answer with the same sort, order and filter: what comes behind it. Absent: from the beginning. */
  readonly after?: string | undefined;
  /** From 1 to {@link mostRows}. */
  readonly count: number;
}

export type QreadRequest = ListRequest | { readonly op: "content"; readonly id: number; readonly message: number };

/** Throws ProtocolError. */
export function parseQreadRequest({ head }: Frame): QreadRequest {
  const id = field.wholeNumber(head, "id");
  const op = field.oneOf(head, "op", ["list", "content"]);
  if (op === "content") return { op, id, message: field.wholeNumber(head, "message") };
  const count = field.wholeNumber(head, "count");
  if (count < 1 || count > mostRows) throw new ProtocolError(`expected 1 to ${mostRows} in the field "count"`);
  return {
    op,
    id,
    sort: field.oneOf(head, "sort", sortKeys),
    order: field.oneOf(head, "order", sortOrders),
    filter: parseFilter(head["filter"] === undefined ? {} : field.object(head, "filter")),
    after: field.optionalText(head, "after", longestCursor),
    count,
  };
}

function parseFilter(head: RawHead): QueueFilter {
  const word = (name: string) => head[name] === undefined ? undefined : checkedWord(head, name);
  return {
    sender: word("sender"),
    recipient: word("recipient"),
    domain: word("domain"),
    state: head["state"] === undefined ? undefined : field.oneOf(head, "state", listedStates),
    text: word("text"),
  };
}

function checkedWord(head: RawHead, name: string): string {
  const word = field.address(head, name);
  if (word.length > longestWord) throw new ProtocolError(`expected at most ${longestWord} octets in "${name}"`);
  return word;
}

/** Recipients of one channel. */
export interface ListedCount {
  readonly left: number;
  readonly done: number;
}

/** One message. */
export interface ListedRow {
  readonly id: number;
  /** The reverse-path; "" for the null one. */
  readonly sender: string;
  readonly birthSeconds: number;
  readonly sizeBytes: number;
  /** Of a message that is new nobody has said yet which of its recipients are local: all count as remote then. */
  readonly local: ListedCount;
  readonly remote: ListedCount;
  /** The first {@link mostRowAddresses} recipients, those that are left before those that are done. */
  readonly recipients: readonly string[];
  /** When the next attempt is due, seconds since 1970; absent where nobody knows, or where it is held. */
  readonly nextSeconds?: number | undefined;
  readonly state: ListedState;
  /** Whether it stands in the journal. */
  readonly journal: boolean;
  /** Whether a recipient failed already: a bounce will be sent. */
  readonly bouncing: boolean;
}

export const mostRowAddresses = 3;

export interface ListReply {
  readonly rows: readonly ListedRow[];
  /** Of the first row among all that match, from 0. */
  readonly place: number;
  /** For `after`; absent: these are the last ones. */
  readonly next?: string | undefined;
  /** Messages that match, of those the answer rests on. */
  readonly matching: number;
  /** Messages in the queue, as far as is known: while it is looked through for the first time this may grow. */
  readonly total: number;
  /** Messages the answer rests on: less than `total` while the queue is looked through for the first time. */
  readonly indexed: number;
  /** Whether the queue has been looked through as a whole. */
  readonly whole: boolean;
  /** Messages with more recipients than the filter could look at. */
  readonly unsearched: number;
}

/** Throws ProtocolError. */
export function parseListReply({ head }: Frame): ListReply {
  return {
    rows: field.objects(head, "rows").map(parseRow),
    place: field.wholeNumber(head, "place"),
    next: field.optionalText(head, "next", longestCursor),
    matching: field.wholeNumber(head, "matching"),
    total: field.wholeNumber(head, "total"),
    indexed: field.wholeNumber(head, "indexed"),
    whole: field.flag(head, "whole"),
    unsearched: field.wholeNumber(head, "unsearched"),
  };
}

function parseRow(head: RawHead): ListedRow {
  return {
    id: field.wholeNumber(head, "id"),
    sender: field.address(head, "sender"),
    birthSeconds: field.wholeNumber(head, "birthSeconds"),
    sizeBytes: field.wholeNumber(head, "sizeBytes"),
    local: parseCount(head, "local"),
    remote: parseCount(head, "remote"),
    recipients: field.addresses(head, "recipients"),
    nextSeconds: head["nextSeconds"] === undefined ? undefined : field.wholeNumber(head, "nextSeconds"),
    state: field.oneOf(head, "state", listedStates),
    journal: field.flag(head, "journal"),
    bouncing: field.flag(head, "bouncing"),
  };
}

function parseCount(head: RawHead, name: string): ListedCount {
  const count = field.object(head, name);
  return { left: field.wholeNumber(count, "left"), done: field.wholeNumber(count, "done") };
}

/** A header field: its name, and its value unfolded and with encoded words (RFC 2047) decoded. */
export interface ShownField {
  readonly name: string;
  readonly value: string;
}

export interface ShownAttachment {
  /** A file's name without folders; "" where it has none. */
  readonly name: string;
  /** In lower case, such as `image/png`. */
  readonly type: string;
  /** Decoded; of what was read. */
  readonly sizeBytes: number;
}

/** So much of a message is read for its preview. */
export const previewBytes = 256 * 1024;
/** So much of what was read is told: characters of the text, of one field's value, and numbers of fields and attachments. */
export const mostPreviewText = 64 * 1024;
export const mostFieldText = 4096;
export const mostFields = 200;
export const mostAttachments = 200;

/**
 * What a message says. Text only, without control characters (but LF and TAB in `text`) and characters that turn the
 * direction of writing: it still has to be escaped where it is put into HTML.
 */
export interface MessageContent {
  readonly message: number;
  readonly sizeBytes: number;
  /** Octets that were looked at: fewer than `sizeBytes` means that the rest was not. */
  readonly readBytes: number;
  readonly fields: readonly ShownField[];
  /** Where the text comes from; `none`: there is none, or its form is beyond understanding. */
  readonly kind: "plain" | "html" | "none";
  /** With LF line ends; of HTML what a reader would see of it. */
  readonly text: string;
  /** Whether there is more of it. */
  readonly textIsCut: boolean;
  readonly attachments: readonly ShownAttachment[];
}

/** Undefined: there is no such message. Throws ProtocolError. */
export function parseContentReply({ head }: Frame): MessageContent | undefined {
  if (head["found"] === undefined) return undefined;
  const found = field.object(head, "found");
  return {
    message: field.wholeNumber(found, "message"),
    sizeBytes: field.wholeNumber(found, "sizeBytes"),
    readBytes: field.wholeNumber(found, "readBytes"),
    fields: field.objects(found, "fields").map((one) => ({
      name: field.text(one, "name", mostFieldText),
      value: field.text(one, "value", mostFieldText),
    })),
    kind: field.oneOf(found, "kind", ["plain", "html", "none"]),
    text: field.text(found, "text", mostPreviewText),
    textIsCut: field.flag(found, "textIsCut"),
    attachments: field.objects(found, "attachments").map((one) => ({
      name: field.text(one, "name", mostFieldText),
      type: field.text(one, "type", mostFieldText),
      sizeBytes: field.wholeNumber(one, "sizeBytes"),
    })),
  };
}

/** What kept it from an answer; undefined: nothing did. Throws ProtocolError. */
export function parseQreadTrouble({ head }: Frame): string | undefined {
  return field.optionalText(head, "trouble");
}
