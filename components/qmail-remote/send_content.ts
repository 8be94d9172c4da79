/**
 * Sends a message on a connection: as lines with a final dot, or as chunks.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { needsDowngrade, toSevenBit } from "../lib/mime/seven_bit.ts";
import { toOctets } from "../lib/octets.ts";
import { DotEncoder } from "../lib/smtp/dot_stuffing.ts";
import { concat } from "../lib/wire/frame.ts";
import type { Connection } from "./connection.ts";
import { CrlfEncoder } from "./crlf_encoder.ts";

/**
 * Whether all was written; not so when the server spoke, or was lost, before the end. `sevenBit`: 8-bit content has to be
 * encoded first. Throws what reading the message throws; the connection is closed then, before the final dot.
 */
export async function sendContent(
  connection: Connection,
  body: MessageBody,
  sevenBit: boolean,
  timeoutMs: number,
): Promise<boolean> {
  const encoder = new DotEncoder();
  try {
    if (sevenBit && (isPartial(body) || isEightBit(body.first)) && await needsDowngrade(body.pieces())) {
      for await (const piece of toSevenBit(body.pieces())) {
        if (!await sendPiece(connection, encoder.push(piece), timeoutMs)) return false;
      }
      return await sendPiece(connection, encoder.end(), timeoutMs);
    }
    let remaining = body.sizeBytes;
    for await (const piece of body.pieces()) {
      remaining -= piece.length;
      const encoded = encoder.push(piece);
      const end = remaining > 0 ? undefined : encoder.end();
      // The last piece takes the dot along: one write, and for most messages the only one.
      const octets = end === undefined ? encoded : concat([encoded, end], encoded.length + end.length);
      if (!await sendPiece(connection, octets, timeoutMs)) return false;
    }
  } catch (error) {
    connection.close("");
    throw error;
  }
  return true;
}

async function sendPiece(connection: Connection, octets: Uint8Array, timeoutMs: number): Promise<boolean> {
  await connection.drained(timeoutMs);
  if (connection.spoken) return false;
  connection.write(octets);
  return true;
}

function isPartial({ first, sizeBytes }: MessageBody): boolean {
  return first.length < sizeBytes;
}

function isEightBit(octets: Uint8Array): boolean {
  for (let at = 0; at < octets.length; at++) if (octets[at]! > 127) return true;
  return false;
}

/** A message on its way in chunks (RFC 3030 §2): each piece is one, and only the last one says LAST. */
export class ChunkSender {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #encoder = new CrlfEncoder();
  #remaining: number;

  constructor(body: MessageBody) {
    this.#pieces = body.pieces();
    this.#remaining = body.sizeBytes;
  }

  /**
   * Writes the next chunk, command and octets at once. "spoken": nothing was written, for the server has something to say
   * or is gone. Throws what reading the message throws; the connection is closed then, before the last chunk.
   */
  async send(connection: Connection, timeoutMs: number): Promise<"sent" | "sent last" | "spoken"> {
    try {
      const { value: piece } = await this.#pieces.next();
      if (piece === undefined) throw new Error("a chunk behind the last one");
      this.#remaining -= piece.length;
      const isLast = this.#remaining === 0;
      const octets = this.#encoder.push(piece);
      const command = toOctets(`BDAT ${octets.length}${isLast ? " LAST" : ""}\r\n`);
      const chunk = concat([command, octets], command.length + octets.length);
      if (!await sendPiece(connection, chunk, timeoutMs)) return "spoken";
      return isLast ? "sent last" : "sent";
    } catch (error) {
      connection.close("");
      throw error;
    }
  }
}
