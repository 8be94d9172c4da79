/**
 * Mail as it comes over QMTP and QMQP (qmail's interface), as events: a message begins, its text with LF line ends, then
 * the envelope, which is known to be whole. The text is passed on as it comes; of the envelope no more is kept than a
 * queue would take.
 *
 * QMTP: any number of packages, each of three netstrings: the message, behind an octet that says how its lines end (LF or
 * CR), the sender, the recipients, each a netstring. QMQP: one netstring, in it the message, the sender, and each
 * recipient.
 * @module
 */
import { LineEnds } from "../message/line_ends.ts";
import { fromOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";
import { longestNetstring, type NetstringFault, NetstringReader } from "./netstring.ts";

/** Octets of an address have to be fewer (qmail's number). */
export const longestAddress = 1000;

/** Octets of all recipients with their lengths and commas, and their number, which bound the memory of one client. */
export const longestList = 4 * 1024 * 1024;
export const mostRecipients = 100_000;

/** Why a client cannot be understood any further. */
export type MailFault = NetstringFault | "no-line-ends" | "too-many-recipients";

/** An address as it came, an octet string; undefined where no queue could keep it: it is too long, or holds a NUL. */
export type Address = string | undefined;

/** An envelope as it came. */
export interface GivenEnvelope {
  readonly sender: Address;
  readonly recipients: readonly Address[];
}

export type MailEvent =
  /** `sizeBytes`: of the text as it stands on the wire, by the client's word. */
  | { readonly kind: "begin"; readonly sizeBytes: number }
  | { readonly kind: "text"; readonly octets: Uint8Array }
  | { readonly kind: "envelope"; readonly envelope: GivenEnvelope }
  /** Nothing comes behind it. */
  | { readonly kind: "fault"; readonly fault: MailFault };

/** `undefined` where octets are missing; returns where it cannot go on. */
type Steps<T> = Generator<MailEvent | undefined, T>;

const [lf, cr] = [0x0a, 0x0d];

/** Reads one connection's mail from chunks of any size; where they are cut does not matter. */
export class MailReader {
  readonly #netstrings = new NetstringReader();
  readonly #steps: Steps<MailFault>;
  #fault: MailFault | undefined;

  constructor(protocol: "qmtp" | "qmqp") {
    this.#steps = protocol === "qmtp" ? packages(this.#netstrings) : oneMail(this.#netstrings);
  }

  /** Octets that have come and are not taken. */
  get waiting(): number {
    return this.#netstrings.waiting;
  }

  push(chunk: Uint8Array): void {
    this.#netstrings.push(chunk);
  }

  /** The next event; undefined: more octets are needed. */
  next(): MailEvent | undefined {
    if (this.#fault === undefined) {
      const { done, value } = this.#steps.next();
      if (done !== true) return value;
      this.#fault = value;
    }
    return { kind: "fault", fault: this.#fault };
  }
}

function* packages(netstrings: NetstringReader): Steps<MailFault> {
  for (;;) {
    const text = yield* message(netstrings, true);
    if (!text.ok) return text.error;
    const sender = yield* address(netstrings);
    if (!sender.ok) return sender.error;
    if (!(yield* begun(netstrings, longestList))) return netstrings.fault!;
    const recipients = yield* list(netstrings);
    if (!recipients.ok) return recipients.error;
    yield { kind: "envelope", envelope: { sender: sender.value, recipients: recipients.value } };
  }
}

function* oneMail(netstrings: NetstringReader): Steps<MailFault> {
  if (!(yield* begun(netstrings, longestNetstring))) return netstrings.fault!;
  const text = yield* message(netstrings, false);
  if (!text.ok) return text.error;
  const sender = yield* address(netstrings);
  if (!sender.ok) return sender.error;
  if (netstrings.left > longestList) return "too-long";
  const recipients = yield* list(netstrings);
  if (!recipients.ok) return recipients.error;
  yield { kind: "envelope", envelope: { sender: sender.value, recipients: recipients.value } };
  // Whatever a client sends behind it is nobody's.
  for (;;) yield undefined;
}

function* message(netstrings: NetstringReader, saysLineEnds: boolean): Steps<Result<true, MailFault>> {
  if (!(yield* begun(netstrings, longestNetstring))) return err(netstrings.fault!);
  let lines: LineEnds | undefined;
  if (saysLineEnds) {
    if (netstrings.left === 0) return err("no-line-ends");
    let [word] = netstrings.take(1);
    for (; word === undefined; [word] = netstrings.take(1)) yield undefined;
    if (word !== lf && word !== cr) return err("no-line-ends");
    if (word === cr) lines = new LineEnds(true);
  }
  yield { kind: "begin", sizeBytes: netstrings.left };
  while (netstrings.left > 0) {
    const piece = netstrings.take();
    yield piece.length === 0 ? undefined : { kind: "text", octets: lines?.push(piece) ?? piece };
  }
  if (!(yield* ended(netstrings))) return err(netstrings.fault!);
  if (lines !== undefined) yield { kind: "text", octets: lines.rest() };
  return ok(true);
}

function* address(netstrings: NetstringReader): Steps<Result<Address, MailFault>> {
  if (!(yield* begun(netstrings, longestNetstring))) return err(netstrings.fault!);
  let known: Address = netstrings.left < longestAddress ? "" : undefined;
  while (netstrings.left > 0) {
    const piece = netstrings.take();
    if (piece.includes(0)) known = undefined;
    else if (known !== undefined) known += fromOctets(piece);
    if (piece.length === 0) yield undefined;
  }
  return (yield* ended(netstrings)) ? ok(known) : err(netstrings.fault!);
}

/** Recipients up to the end of what is around them, and its comma. */
function* list(netstrings: NetstringReader): Steps<Result<readonly Address[], MailFault>> {
  const recipients: Address[] = [];
  while (netstrings.left > 0) {
    if (recipients.length >= mostRecipients) return err("too-many-recipients");
    const recipient = yield* address(netstrings);
    if (!recipient.ok) return recipient;
    recipients.push(recipient.value);
  }
  return (yield* ended(netstrings)) ? ok(recipients) : err(netstrings.fault!);
}

function* begun(netstrings: NetstringReader, most: number): Steps<boolean> {
  while (!netstrings.begin(most)) {
    if (netstrings.fault !== undefined) return false;
    yield undefined;
  }
  return true;
}

function* ended(netstrings: NetstringReader): Steps<boolean> {
  while (!netstrings.end()) {
    if (netstrings.fault !== undefined) return false;
    yield undefined;
  }
  return true;
}
