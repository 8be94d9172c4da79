/**
 * Where a page ended: what the next one is to come behind. It names the last message as the index had it, so that it holds
 * when messages come and go, that one included.
 * @module
 */
import { fromOctets } from "../lib/octets.ts";
import type { SortKey } from "../lib/wire/qread_protocol.ts";
import { prefixOf } from "./columns.ts";
import type { QueueIndex, Slot } from "./queue_index.ts";

export interface Cursor {
  readonly id: number;
  /** What the index sorts by. */
  readonly key: number;
  /** In lower case; "" where it is not sorted by senders. */
  readonly sender: string;
}

/** The cursor of one slot. */
export function cursorOf(index: QueueIndex, sort: SortKey, { block, at }: Slot): Cursor {
  const from = index.pool.offsetOf(block.text[at]!);
  const sender = sort === "sender"
    ? fromOctets(index.pool.chunkOf(block.text[at]!).subarray(from, from + block.senderLength[at]!))
    : "";
  return { id: block.id[at]!, key: block[sort][at]!, sender };
}

export function formatCursor(sort: SortKey, { id, key, sender }: Cursor): string {
  return `${id}:${sort === "sender" ? sender : key}`;
}

/** Undefined: it is none of that sort. */
export function parseCursor(sort: SortKey, text: string): Cursor | undefined {
  const parts = /^([0-9]{1,16}):([^]*)$/.exec(text);
  if (parts === null) return undefined;
  const [, id = "", rest = ""] = parts;
  if (sort === "sender") {
    // deno-lint-ignore no-control-regex
    return /^[\x00-\xff]*$/.test(rest) ? { id: Number(id), key: prefixOf(rest), sender: rest } : undefined;
  }
  return /^[0-9]{1,16}$/.test(rest) ? { id: Number(id), key: Number(rest), sender: "" } : undefined;
}
