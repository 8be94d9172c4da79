/**
 * Packets of the milter protocol: the length of what follows in four octets (most significant first), a letter, its data.
 * @module
 */
import { Buffer } from "node:buffer";
import { fromOctets, toOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";

/** `data` is an octet string. */
export interface Packet {
  readonly letter: string;
  readonly data: string;
}

/** Octets of a packet from a milter: the largest that libmilter makes have 64 KiB and a few. */
export const longestPacket = 128 * 1024;
const lengthBytes = 4;

export function formatPacket(letter: string, data: string | Uint8Array = ""): Uint8Array {
  const octets = typeof data === "string" ? toOctets(data) : data;
  const head = Buffer.alloc(lengthBytes + 1);
  head.writeUInt32BE(1 + octets.length);
  head.write(letter, lengthBytes, "latin1");
  return Buffer.concat([head, octets]);
}

/** A number as its four octets, as an octet string. */
export function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The number in the four octets at `at`; undefined where there are not as many. */
export function readUint32(data: string, at: number): number | undefined {
  if (at + lengthBytes > data.length) return undefined;
  return Buffer.from(data.slice(at, at + lengthBytes), "latin1").readUInt32BE();
}

/** Takes octets cut anywhere, and answers the packets in them. */
export class PacketReader {
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  /** Fewer octets make no packet. */
  #neededBytes = lengthBytes;

  /** An error ends the conversation: what follows would be read out of step. */
  push(octets: Uint8Array): Result<readonly Packet[], string> {
    this.#pieces.push(octets.slice());
    this.#heldBytes += octets.length;
    // A packet that comes octet by octet is put together once.
    if (this.#heldBytes < this.#neededBytes) return ok([]);
    const held = Buffer.concat(this.#pieces);
    const packets: Packet[] = [];
    let at = 0;
    this.#neededBytes = lengthBytes;
    while (held.length - at >= lengthBytes) {
      const length = held.readUInt32BE(at);
      // Known before any of it is waited for.
      if (length === 0 || length > longestPacket) return err(`a packet of ${length} octets`);
      const end = at + lengthBytes + length;
      if (held.length < end) {
        this.#neededBytes = lengthBytes + length;
        break;
      }
      const text = fromOctets(held.subarray(at + lengthBytes, end));
      packets.push({ letter: text[0]!, data: text.slice(1) });
      at = end;
    }
    this.#pieces = [held.subarray(at)];
    this.#heldBytes = held.length - at;
    return ok(packets);
  }
}
