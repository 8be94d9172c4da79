/**
 * What a connection has to do for a message: its Received field, the lines of the policy, the place it goes to; and the
 * reading of its content off the client's octets, up to a lone dot or in chunks of known length.
 * @module
 */
import { Completion } from "../lib/message/complete_submission.ts";
import { receivedProtocol, smtpReceived } from "../lib/message/received.ts";
import { toOctets } from "../lib/octets.ts";
import type { ClientFacts } from "../lib/policy/decision.ts";
import { Submission } from "../lib/queue/submission.ts";
import { IncomingMessage } from "../lib/smtp/incoming_message.ts";
import type { LineReader } from "../lib/smtp/line_reader.ts";
import type { Chunk, Opening, Session } from "../lib/smtp/server_session.ts";
import type { Secured, Service, Values } from "./service.ts";

/** What a message's trace needs beside the session. */
export interface Origin {
  readonly facts: ClientFacts;
  /** The client's name, where a proxy told it. */
  readonly remoteHost: string | undefined;
  readonly secured: Secured | undefined;
}

/** Begins a message. */
export function openMessage(
  { envelope, header, framing }: Opening,
  session: Session,
  { facts, remoteHost, secured }: Origin,
  { settings, me, hidesLogins }: Values,
  { queue, uid, begin }: Service,
): IncomingMessage {
  const nowMs = Date.now();
  const { helo, esmtp, login } = session;
  const received = smtpReceived({
    helo,
    remoteHost,
    remoteIp: facts.ip,
    isClientHidden: hidesLogins === true && login !== undefined,
    by: me,
    protocol: receivedProtocol({
      lmtp: settings.dialect === "lmtp",
      esmtp,
      tls: facts.tls,
      login: login !== undefined,
      smtputf8: envelope.options?.smtputf8 === true,
    }),
    tls: secured === undefined ? undefined : `${secured.protocol} ${secured.cipher}`,
    unixSeconds: nowMs / 1000,
  });
  const top = toOctets(received + header.map((line) => `${line}\n`).join(""));
  const completion = settings.dialect === "submission" && login !== undefined
    ? new Completion({ unixSeconds: nowMs / 1000, unique: `${nowMs}.${randomWord()}`, host: me })
    : undefined;
  const submission = begin?.(facts, remoteHost) ?? new Submission(queue, "network", uid);
  return new IncomingMessage(envelope, top, submission, settings.databytes, { framing, completion });
}

function randomWord(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** What a client's next octets are. */
export type Reading =
  | { readonly kind: "commands" | "auth line" | "content" }
  | { readonly kind: "chunk"; readonly chunk: Chunk; readonly reader: ChunkReader }
  | { readonly kind: "discard"; readonly reply: string; readonly reader: ChunkReader };

/** What was read of a chunk: `room` as of a message, and whether that was all of it. */
export interface ChunkTaken {
  readonly done: boolean;
  readonly room: Promise<void> | undefined;
}

/** The octets of one BDAT, for a message or for nobody. */
export class ChunkReader {
  readonly #message: IncomingMessage | undefined;
  #left: number;

  constructor({ sizeBytes }: { readonly sizeBytes: number }, message: IncomingMessage | undefined) {
    this.#left = sizeBytes;
    this.#message = message;
  }

  /** Takes what there is of it; undefined where there is nothing. */
  take(lines: LineReader): ChunkTaken | undefined {
    if (this.#left === 0) return { done: true, room: undefined };
    const octets = lines.rest();
    if (octets.length === 0) return undefined;
    const part = octets.subarray(0, this.#left);
    lines.push(octets.subarray(part.length));
    this.#left -= part.length;
    return { done: this.#left === 0, room: this.#message?.push(part).room };
  }
}
