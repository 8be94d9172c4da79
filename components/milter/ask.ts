/**
 * Runs one conversation with one milter over its socket.
 * @module
 */
import { Buffer } from "node:buffer";
import type { MilterMail } from "../lib/milter/changes.ts";
import type { SessionFacts } from "../lib/milter/commands.ts";
import { converse, type MilterOutcome } from "../lib/milter/dialogue.ts";
import { type Packet, PacketReader } from "../lib/milter/packet.ts";
import type { ScannerAddress } from "../lib/scanners/address.ts";
import { connectToScanner, type ScannerConnection } from "../lib/scanners/connection.ts";
import { ScannerError } from "../lib/scanners/failure.ts";

/** Throws ScannerError where the milter does not do its part, and when `signal` is aborted. */
export async function askMilter(
  address: ScannerAddress,
  message: MilterMail,
  facts: SessionFacts,
  signal: AbortSignal,
): Promise<MilterOutcome> {
  using connection = await connectToScanner(address, signal);
  const packets = new Incoming(connection);
  const dialogue = converse(message, facts);
  let step = dialogue.next();
  while (step.done !== true) {
    const { write, waits } = step.value;
    try {
      if (write.length > 0) await connection.write(Buffer.concat(write));
    } catch (error) {
      // Behind the last answer only QUIT is written, and a milter may be gone by then.
      if (waits || signal.aborted) throw error;
    }
    step = dialogue.next(waits ? await packets.next() : undefined);
  }
  return step.value;
}

/** Packets one by one; undefined at the end of the connection. */
class Incoming {
  readonly #connection: ScannerConnection;
  readonly #reader = new PacketReader();
  #packets: Packet[] = [];

  constructor(connection: ScannerConnection) {
    this.#connection = connection;
  }

  async next(): Promise<Packet | undefined> {
    while (this.#packets.length === 0) {
      const octets = await this.#connection.read();
      if (octets === undefined) return undefined;
      const packets = this.#reader.push(octets);
      if (!packets.ok) throw new ScannerError(`the milter sent ${packets.error}`);
      this.#packets = packets.value.toReversed();
    }
    return this.#packets.pop();
  }
}
