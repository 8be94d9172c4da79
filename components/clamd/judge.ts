/**
 * clamd's word on a message, and the exchange it comes from.
 * @module
 */
import { AnswerReader, type ClamdAnswer, formatInstream } from "../lib/clamd/protocol.ts";
import type { Clamd } from "../lib/clamd/clamd_file.ts";
import type { FilterMessage, Judge, Verdict } from "../lib/filters/filter.ts";
import { logEvent } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import type { ScannerAddress } from "../lib/scanners/address.ts";
import { connectToScanner, type ScannerConnection } from "../lib/scanners/connection.ts";
import { ScannerError } from "../lib/scanners/failure.ts";
import { refusal } from "../lib/scanners/refusal.ts";

/** A judge that asks the clamd of `settings()`. It rejects with ScannerError where clamd does not do its part. */
export function clamdJudge(settings: () => Clamd): Judge {
  return async (message, signal) => {
    const { address, whenTooLarge } = settings();
    return verdictOf(await scan(address, message.content, signal), message, whenTooLarge);
  };
}

function verdictOf(answer: ClamdAnswer, message: FilterMessage, whenTooLarge: Clamd["whenTooLarge"]): Verdict {
  switch (answer.kind) {
    case "clean":
      return { kind: "pass" };
    case "found":
      return refusal("permanent", `message contains ${answer.name}`, "5.7.1");
    case "too large":
      logEvent("clamd_too_large", { bytes: message.content.length, from: message.sender, then: whenTooLarge });
      return whenTooLarge === "refuse"
        ? refusal("permanent", "message is too large to be scanned", "5.3.4")
        : { kind: "pass", header: toOctets("X-Virus-Scanned: no, larger than the scanner takes\n") };
    case "error":
      throw new ScannerError(`clamd answered ${JSON.stringify(answer.text)}`);
  }
}

/** Has the content scanned. Throws ScannerError. */
async function scan(address: ScannerAddress, content: Uint8Array, signal: AbortSignal): Promise<ClamdAnswer> {
  using connection = await connectToScanner(address, signal);
  let trouble: unknown;
  const isOver = { value: false };
  // clamd answers while it is still written to when the message is too large for it, and may read no more of it then:
  // only the answer is waited for. What is being written when it comes ends with the connection.
  void writeAll(connection, content, isOver).catch((error) => void (trouble = error));
  const answer = await readAnswer(connection);
  isOver.value = true;
  if (answer !== undefined) return answer;
  throw trouble ?? new ScannerError("clamd hung up without an answer");
}

async function writeAll(
  connection: ScannerConnection,
  content: Uint8Array,
  isOver: { readonly value: boolean },
): Promise<void> {
  for (const piece of formatInstream(content)) {
    if (isOver.value) return;
    await connection.write(piece);
  }
}

/** Undefined where the connection ends without one. */
async function readAnswer(connection: ScannerConnection): Promise<ClamdAnswer | undefined> {
  const reader = new AnswerReader();
  try {
    for (;;) {
      const octets = await connection.read();
      if (octets === undefined) return undefined;
      const answer = reader.push(octets);
      if (answer !== undefined) return answer;
    }
  } catch (error) {
    if (error instanceof ScannerError) return undefined;
    throw error;
  }
}
