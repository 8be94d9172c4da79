/**
 * The way to a mailbox: a connection for each session, one request at a time, to qmail-pop3d or, where that says that the
 * mailbox is another owner's, to qmail-pop3spawn.
 * @module
 */
import { toOctets } from "../lib/octets.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { parseOpenReply, parsePiece, type Piece, type Refusal } from "../lib/wire/pop3_protocol.ts";

/** So long the other side may be away, for it may just be restarted. */
const connectMs = 5000;

/** An open mailbox. Its requests reject where qmail-pop3d is gone: the session is over then. */
export interface Mailbox {
  /** The first piece of the answer to a line (an octet string). */
  command(line: string): Promise<Piece>;
  /** The next piece of one that was not the last. */
  more(): Promise<Piece>;
  /** Ends the session; without a QUIT before it nothing in the mailbox changes. */
  close(): void;
}

export type OpenedMailbox =
  | { readonly kind: "opened"; readonly mailbox: Mailbox; readonly count: number; readonly bytes: number }
  | { readonly kind: "refused"; readonly reason: Refusal };

/** Never rejects for a qmail-pop3d that is away. */
export type OpenMailbox = (ticket: string) => Promise<OpenedMailbox>;

/** Paths of the sockets `qmail-pop3d` and `qmail-pop3spawn`. */
export function openingAt(pop3d: string, pop3spawn: string): OpenMailbox {
  return async (ticket) => {
    const opened = await openAt(pop3d, ticket);
    if (opened.kind !== "elsewhere") return opened;
    const there = await openAt(pop3spawn, ticket);
    if (there.kind === "elsewhere") throw new Error("a mailbox that is nowhere");
    return there;
  };
}

async function openAt(path: string, ticket: string): Promise<OpenedMailbox | { readonly kind: "elsewhere" }> {
  const client = new Client(path, { connectMs });
  try {
    const pipe = await client.connect();
    if (pipe === undefined) return unavailable(client);
    const reply = parseOpenReply(await client.requestOn(pipe, client.newId(), { op: "open", ticket }));
    if (reply.kind === "opened") return { ...reply, mailbox: mailboxOver(client, pipe) };
    client.close();
    return reply;
  } catch (error) {
    if (error instanceof ConnectionLost) return unavailable(client);
    client.close();
    throw error;
  }
}

function unavailable(client: Client): OpenedMailbox {
  client.close();
  return { kind: "refused", reason: "unavailable" };
}

function mailboxOver(client: Client, pipe: Pipe): Mailbox {
  const ask = async (head: object, body?: Uint8Array) =>
    // On this very connection: another one would know nothing of the session.
    parsePiece(await client.requestOn(pipe, client.newId(), head, body));
  return {
    command: (line) => ask({ op: "command" }, toOctets(line)),
    more: () => ask({ op: "more" }),
    close: () => client.close(),
  };
}
