/**
 * The envelope files of the queue, byte for byte qmail's: todo and intd `u<uid>␀p<qp>␀F<sender>␀T<recipient>␀…`, info
 * `F<sender>␀`, local and remote `T<recipient>␀` (to do) and `D<recipient>␀` (done). Addresses are octet strings.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";

export interface Envelope {
  /** Reverse-path, unquoted; "" for the null reverse-path, "#@[]" for a double bounce. */
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** What qmail-queue wrote down with an envelope. */
export interface TodoEnvelope extends Envelope {
  readonly uid: number;
  readonly qp: number;
}

/** One record of a local or remote file. */
export interface ChannelRecord {
  readonly address: string;
  readonly done: boolean;
  /** Where its letter stands in the file. */
  readonly offset: number;
}

export function formatTodo(envelope: TodoEnvelope): Uint8Array {
  const { uid, qp, sender, recipients } = envelope;
  return toOctets(`u${uid}\0p${qp}\0F${sender}\0` + recipients.map((recipient) => `T${recipient}\0`).join(""));
}

/** Errors: a record without its NUL, an unknown letter, a number that is none, no sender. */
export function parseTodo(octets: Uint8Array): Result<TodoEnvelope, string> {
  const text = fromOctets(octets);
  if (text !== "" && !text.endsWith("\0")) return err("the last record is not ended");
  let uid = 0;
  let qp = 0;
  let sender: string | undefined;
  const recipients: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\0", at);
    const letter = text.slice(at, Math.min(at + 1, end));
    const value = text.slice(at + 1, end);
    at = end + 1;
    switch (letter) {
      case "u":
      case "p": {
        if (!/^[0-9]{1,15}$/.test(value)) return err(`not a number: ${JSON.stringify(value)}`);
        if (letter === "u") uid = Number(value);
        else qp = Number(value);
        break;
      }
      case "F":
        sender = value;
        break;
      case "T":
        recipients.push(value);
        break;
      default:
        return err(`unknown record type ${JSON.stringify(letter)}`);
    }
  }
  return sender === undefined ? err("no sender") : ok({ uid, qp, sender, recipients });
}

export function formatInfo(sender: string): Uint8Array {
  return toOctets(`F${sender}\0`);
}

/** Errors: anything but one `F` record. */
export function parseInfo(octets: Uint8Array): Result<string, string> {
  const text = fromOctets(octets);
  return text.startsWith("F") && text.indexOf("\0") === text.length - 1
    ? ok(text.slice(1, -1))
    : err("not one F record");
}

/** A local or remote file, or what follows `offset` octets of one; answers the records with their places beside the octets. */
export function formatChannel(
  records: readonly { address: string; done: boolean }[],
  offset = 0,
): { octets: Uint8Array; records: ChannelRecord[] } {
  const placed: ChannelRecord[] = [];
  let text = "";
  for (const { address, done } of records) {
    placed.push({ address, done, offset });
    text += `${done ? "D" : "T"}${address}\0`;
    offset += address.length + 2;
  }
  return { octets: toOctets(text), records: placed };
}

/** Errors: a record without its NUL or with an unknown letter. */
export function parseChannel(octets: Uint8Array): Result<ChannelRecord[], string> {
  const text = fromOctets(octets);
  if (text !== "" && !text.endsWith("\0")) return err("the last record is not ended");
  const records: ChannelRecord[] = [];
  for (let offset = 0; offset < text.length;) {
    const end = text.indexOf("\0", offset);
    const letter = text[offset];
    if (letter !== "T" && letter !== "D") return err(`unknown record type ${JSON.stringify(letter)}`);
    records.push({ address: text.slice(offset + 1, end), done: letter === "D", offset });
    offset = end + 1;
  }
  return ok(records);
}
