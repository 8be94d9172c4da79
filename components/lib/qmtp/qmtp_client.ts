/**
 * What a QMTP client sends for one message (qmail's interface). Pure.
 * @module
 */
import { toOctets } from "../octets.ts";
import type { Envelope } from "../queue/envelope.ts";
import { formatNetstring, longestNetstring } from "./netstring.ts";

/** What stands around a message's octets on the wire. */
export interface QmtpFrame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** Says that the message's lines end in LF. */
const lineFeed = "\n";

/** Undefined: the message, or the envelope, is larger than any server takes. */
export function framePackage(messageBytes: number, { sender, recipients }: Envelope): QmtpFrame | undefined {
  const length = lineFeed.length + messageBytes;
  const list = recipients.map(formatNetstring).join("");
  if (length > longestNetstring || list.length > longestNetstring) return undefined;
  return {
    head: toOctets(`${length}:${lineFeed}`),
    tail: toOctets(`,${formatNetstring(sender)}${formatNetstring(list)}`),
  };
}
