/**
 * What a session asks of the connection that performs it; how the parts of a session end is told in their own files.
 * @module
 */

/** Write `send` unless it is empty, then wait for a reply. */
export interface ReplyStep {
  readonly kind: "reply";
  readonly send: string;
}

/** Begin TLS on the connection, whatever was heard before it forgotten; nothing may have been said behind the last reply. */
export interface SecureStep {
  readonly kind: "secure";
}

/** Compute SCRAM's salted password: PBKDF2 over HMAC of `digest` (RFC 5802 §3). */
export interface DeriveStep {
  readonly kind: "derive";
  readonly digest: "sha1" | "sha256";
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Send the message with its final dot, unless a reply or the end of the connection comes first. */
export interface ContentStep {
  readonly kind: "content";
  /** Whether 8-bit content has to be encoded, for the server takes none (RFC 6152 §3). */
  readonly sevenBit: boolean;
}

/** Send the next piece of the message as a chunk (RFC 3030 §2), the last one with LAST; `first`: begin the message. */
export interface ChunkStep {
  readonly kind: "chunk";
  readonly first: boolean;
}

export type ActionStep = ReplyStep | SecureStep | DeriveStep | ContentStep | ChunkStep;

export type { Breakage } from "../lib/smtp/reply_queue.ts";
