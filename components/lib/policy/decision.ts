/**
 * What a server's policy is told, and what it says: the types between a dialogue and the rules. Texts for the client come
 * with the decision, so that a dialogue knows no rule.
 * @module
 */
import type { ForwardPath, ReversePath } from "../address/mailbox.ts";
import type { Parameter } from "../smtp/command.ts";

/** The ways in that a policy is asked about, by the words of control/listeners. */
export const entrances = ["smtp", "submission", "submissions", "lmtp"] as const;
export type Entrance = (typeof entrances)[number];

/** A client, as much as is known of it at the moment. Octet strings. */
export interface ClientFacts {
  readonly entrance: Entrance;
  /** One spelling of the address (IPv4 where it is mapped into IPv6), or "unknown". */
  readonly ip: string;
  /** In control/relayclients, or RELAYCLIENT stands in the connection's environment. */
  readonly relaying: boolean;
  /** What tcprules set for this client. */
  readonly environment: ReadonlyMap<string, string>;
  readonly helo: string;
  /** The channel is encrypted. */
  readonly tls: boolean;
  /** Who has logged in. */
  readonly login: string | undefined;
  /** More connections than usual: strangers get less patience. */
  readonly stress: boolean;
}

/** The transaction so far. */
export interface MailFacts {
  readonly sender: ReversePath;
  /** Recipients accepted in this transaction, and refused in this connection. */
  readonly accepted: number;
  readonly refused: number;
}

/** `reason`: a stable word for the log, the name of the rule or one of its ways to refuse. */
export type Decision =
  | {
    readonly kind: "accept";
    /** The address as the queue keeps it: the sender's or the recipient's. */
    readonly address: string;
    /** Lines for the top of the message's header, without line ends. */
    readonly header?: readonly string[];
    /** The reply (of `connect`: the greeting) is held back so long. */
    readonly delayMs?: number;
    /** Of `connect`: said before the connection ends, to a client that sends anything before its greeting is due. */
    readonly early?: { readonly reply: string; readonly reason: string };
    /** Sent in front of the reply, without CRLF (qmail-spp's P). */
    readonly lines?: readonly string[];
    /** The client's environment from now on, in place of what it was. */
    readonly environment?: ReadonlyMap<string, string>;
  }
  | {
    readonly kind: "refuse";
    readonly address: string;
    readonly reason: string;
    /** Reply without CRLF, as "550 5.1.1 sorry, no mailbox here by that name"; "" only with `drop`: without a word. */
    readonly reply: string;
    /** Counts among the client's errors: false where it could not know better, or nothing was wrong with it. */
    readonly counted: boolean;
    /** The connection ends with it. */
    readonly drop?: boolean;
    /** The reply is held back so long. */
    readonly delayMs?: number;
    /** As with "accept". */
    readonly lines?: readonly string[];
    readonly environment?: ReadonlyMap<string, string>;
  };

/** What a dialogue asks. Answers at once where nobody else has to be asked; a promise never rejects. */
export interface Policy {
  /** Before the greeting. `address` of the decision is "". */
  connect(client: ClientFacts): Decision | Promise<Decision>;
  helo(client: ClientFacts): Decision | Promise<Decision>;
  /** Somebody has logged in, as `client.login`; absent: nobody minds. */
  readonly auth?: (client: ClientFacts, mechanism: string) => Decision | Promise<Decision>;
  mail(client: ClientFacts, sender: ReversePath, parameters: readonly Parameter[]): Decision | Promise<Decision>;
  /** Whether the decision on a recipient hangs on those before it: then none is asked for ahead of its turn. */
  readonly inTurn?: (client: ClientFacts) => boolean;
  rcpt(client: ClientFacts, mail: MailFacts, recipient: ForwardPath): Decision | Promise<Decision>;
  /** Before the 354, where there is something to be asked. `address` of the decision is "". */
  data?(client: ClientFacts, mail: MailFacts): Decision | Promise<Decision>;
}
