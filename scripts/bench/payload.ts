/**
 * The one message of a run. It is built once; a session then overwrites the digits of the running number in its own
 * copy, so that a message costs no formatting. The number is how lost and repeated messages are found afterwards.
 * @module
 */

/** Digits of the running number in a message. */
export const numberWidth = 10;

/** How much of a message's beginning is looked at for the number: trace fields stand before it. */
export const headBytes = 4096;

/** The domain of the sender and of the author. */
export const sourceDomain = "source.example";

/** The end of a message on the wire. */
export const finalDot = ".\r\n";

const field = "X-Bench-Number: ";
const inHead = /^X-Bench-Number: (\d{10})\r?$/m;

/** A DKIM-Signature for all messages of a load (lines end by CRLF), and the value of the Date field that it covers. */
export interface Signed {
  readonly date: string;
  readonly signature: string;
}

/** The octets that follow a 354, and where the running number stands in them. */
export interface Payload {
  readonly octets: Uint8Array;
  readonly numberAt: readonly number[];
}

/**
 * Builds a message of `sizeBytes` (header, body and line ends; at least the header) and the final `.` behind it.
 * With a `signature` in front the size grows by it, and the running number stands only in the field that no signature
 * covers: the Message-ID is the same in all.
 *
 * @param date the Date field's value
 */
export function buildPayload(sizeBytes: number, date: string, signature = ""): Payload {
  const zeros = "0".repeat(numberWidth);
  const header = [
    `From: <sender@${sourceDomain}>`,
    `To: <list@${sourceDomain}>`,
    "Subject: load",
    `Message-ID: <${zeros}@${sourceDomain}>`,
    `Date: ${date}`,
    `${field}${zeros}`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "",
  ].join("\r\n");
  const text = `${signature}${header}${bodyOf(sizeBytes - header.length)}${finalDot}`;
  const inMessageId = text.indexOf(`<${zeros}@`) + 1;
  const inField = text.indexOf(`${field}${zeros}`) + field.length;
  const numberAt = signature === "" ? [inMessageId, inField] : [inField];
  return { octets: new TextEncoder().encode(text), numberAt };
}

/** Lines of at most 76 characters, together exactly `sizeBytes` long (nothing where that is less than a line end). */
function bodyOf(sizeBytes: number): string {
  if (sizeBytes < 2) return "";
  const line = `${"x".repeat(76)}\r\n`;
  const whole = Math.floor(sizeBytes / line.length);
  const rest = sizeBytes % line.length;
  // A rest of one octet cannot hold a line end: it lengthens the line before it.
  if (rest === 1) return `${line.repeat(whole - 1)}${"x".repeat(77)}\r\n`;
  return line.repeat(whole) + (rest === 0 ? "" : `${"x".repeat(rest - 2)}\r\n`);
}

/** Writes the running number into `octets`, a copy of `payload.octets`. */
export function stampNumber(octets: Uint8Array, payload: Payload, running: number): void {
  const digits = String(running).padStart(numberWidth, "0");
  for (const start of payload.numberAt) {
    for (let at = 0; at < numberWidth; at++) octets[start + at] = digits.charCodeAt(at);
  }
}

/** The running number in the beginning of a message; undefined where it has none (a bounce, someone else's mail). */
export function findNumber(head: string): number | undefined {
  const digits = inHead.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
