/**
 * A message and its recipients as one server gets them, and how that may go.
 * @module
 */
import type { MessageOptions } from "../lib/queue/message_options.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { ContentFacts } from "./content.ts";
import type { Peer } from "./peer.ts";
import type { ChunkStep, ContentStep, ReplyStep } from "./steps.ts";

/** What is to be sent, and to whom it is said. Addresses are octet strings as in the queue. */
export interface Transaction {
  /** The server's address, for the texts. */
  readonly ip: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: ContentFacts;
  /** What the message's client asked for; recipients by their places. */
  readonly options?: MessageOptions | undefined;
  /** Whether the header is one that only a server with SMTPUTF8 may get. */
  readonly utf8Header?: boolean;
  /** Whether the content is more than lines of text, so that DATA cannot carry it ({@link isBinary}). */
  readonly binary?: boolean;
}

export interface TransactionSetting {
  readonly peer: Peer;
  readonly protocol: "smtp" | "lmtp";
  /** Whether REQUIRETLS is said: the server has promised it, within TLS. */
  readonly requireTls: boolean;
  /**
   * What the connection was used for before: nothing; another message, so that a refusal may be due to its age; or the
   * same one, for other recipients.
   */
  readonly use: "fresh" | "reused" | "again";
}

export type TransactionStep =
  | ReplyStep
  | ContentStep
  | ChunkStep
  /** Nothing of this was the message's fault. */
  | { readonly kind: "failed"; readonly report: DeliveryReport; readonly farewell: string; readonly code: number }
  /** Over: a report for each of the places, in their order. */
  | {
    readonly kind: "ended";
    readonly reports: readonly DeliveryReport[];
    readonly farewell: string;
    readonly reusable: boolean;
    readonly code: number;
  };
