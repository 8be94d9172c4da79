/**
 * What a filter is to those who write one: a function from a message, whole, to a verdict. Everything else (the socket,
 * the memory, the time, handing on) is serveFilter()'s (serve.ts).
 *
 * @example
 * ```ts
 * import type { Judge } from "./filter.ts";
 *
 * export const judge: Judge = (message) =>
 *   Promise.resolve(
 *     message.sender === "silly@example.org"
 *       ? { kind: "refuse", code: 31, text: "Dno, thank you (#5.7.1)" }
 *       : { kind: "pass" },
 *   );
 * ```
 * @module
 */
import type { Origin } from "../wire/queue_protocol.ts";

/** Who brought a message, as the server that took it knew him. Octet strings. */
export interface ClientNote {
  /** The way in, by the words of control/filters: smtp, submission, submissions, lmtp, qmtp, qmqp, local, forward. */
  readonly entrance: string;
  /** One spelling of the address (IPv4 where it is mapped into IPv6); "unknown" where there is none. */
  readonly ip: string;
  /** What the client called itself; "" where it said nothing. */
  readonly helo: string;
  /** Its name by DNS, where the server had it looked up. */
  readonly host?: string;
  /** Who has logged in. */
  readonly login?: string;
  readonly tls: boolean;
  /** May send mail to the whole world: in control/relayclients, by RELAYCLIENT, or logged in. */
  readonly relaying: boolean;
}

/** A message, whole. Octet strings as the queue keeps them; `content` has LF line ends and is not to be changed. */
export interface FilterMessage {
  /** Absent where nobody told: a program that handed it in by itself. */
  readonly client: ClientNote | undefined;
  readonly origin: Origin;
  /** The envelope sender; "" is the null reverse-path. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: Uint8Array;
}

/**
 * `pass`: handed on, with `header` (whole lines, LF) in front, with `content` instead of the message's (`header` goes in
 * front of it, too), with another sender or other recipients; no recipients left is as `discard`. `refuse`: nobody gets
 * it; `code` is qmail-queue's exit code (31 permanent, 71 temporary) and `text` what the client is told, in exitText()'s
 * form: "D" or "Z", the text, and a status in parentheses, as in "Dlooks like a virus (#5.7.1)"; at most 255 octets of
 * printable ASCII, else the code's own text is said. `discard`: nobody gets it, and the client is told it was accepted.
 */
export type Verdict =
  | {
    readonly kind: "pass";
    readonly header?: Uint8Array;
    readonly content?: Uint8Array;
    readonly sender?: string;
    readonly recipients?: readonly string[];
  }
  | { readonly kind: "refuse"; readonly code: number; readonly text: string }
  | { readonly kind: "discard" };

/**
 * Judges one message. `signal` is aborted when the time for it is over, or nobody waits any more: what comes then is not
 * looked at. A rejection is a surprise: logged, and the message is treated as by a filter that died.
 */
export type Judge = (message: FilterMessage, signal: AbortSignal) => Promise<Verdict>;
