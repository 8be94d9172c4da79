/**
 * LIST and UIDL of a whole mailbox, piece by piece: however many messages there are, one piece is in memory.
 * @module
 */
import { toOctets } from "../octets.ts";
import { formatListed, type MailboxView } from "./transaction.ts";

/** Octets of a piece, or one line more. */
const pieceBytes = 16 * 1024;

/** The whole answer, deleted messages left out. */
export function* listing(of: "sizes" | "uids", mailbox: MailboxView): Generator<Uint8Array, void, undefined> {
  let text = "+OK \r\n";
  for (let message = 1; message <= mailbox.count; message++) {
    if (mailbox.isDeleted(message)) continue;
    text += `${formatListed(message, of, mailbox)}\r\n`;
    if (text.length < pieceBytes) continue;
    yield toOctets(text);
    text = "";
  }
  yield toOctets(`${text}.\r\n`);
}
