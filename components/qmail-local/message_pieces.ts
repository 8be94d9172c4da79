/**
 * A message as qmail-local reads it: its header, for the loop check, and all of it behind the lines put in front.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { concat } from "../lib/wire/frame.ts";
import { headerEnd, longestHeader } from "./message_head.ts";

/** The header, or as much of it as is looked through; at once where the first piece has it. Throws where the rest cannot be had. */
export function readHeader(body: MessageBody): Uint8Array | Promise<Uint8Array> {
  const { first, sizeBytes } = body;
  const end = headerEnd(first);
  if (end >= 0) return first.subarray(0, end);
  return first.length === sizeBytes ? first : readLongHeader(body);
}

async function readLongHeader(body: MessageBody): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let held = 0;
  for await (const piece of body.pieces()) {
    pieces.push(piece);
    held += piece.length;
    const all = pieces.length === 1 ? piece : concat(pieces, held);
    const end = headerEnd(all);
    if (end >= 0) return all.subarray(0, end);
    if (held > longestHeader) return all;
  }
  return concat(pieces, held);
}

/** The rest of the message cannot be had: the spawner is gone. */
export class MessageUnreadable extends Error {
  override name = "MessageUnreadable";
}

/** Pieces in order: those of a message that is at hand need not be waited for. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** All of it behind `head`. Iterating throws {@link MessageUnreadable}. */
export function withHead(head: Uint8Array, body: MessageBody): Pieces {
  // One write for what most messages are: a head and a single piece.
  const beginning = concat([head, body.first], head.length + body.first.length);
  return body.first.length === body.sizeBytes ? [beginning] : withRest(beginning, body);
}

async function* withRest(beginning: Uint8Array, body: MessageBody): AsyncGenerator<Uint8Array, void, undefined> {
  yield beginning;
  let isFirst = true;
  for await (const piece of readable(body)) {
    if (!isFirst) yield piece;
    isFirst = false;
  }
}

/** The message's pieces. Throws {@link MessageUnreadable}. */
export async function* readable(body: MessageBody): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = body.pieces();
  for (;;) {
    const next = await pieces.next().catch((error) => {
      throw new MessageUnreadable(String(error));
    });
    if (next.done === true) return;
    yield next.value;
  }
}
