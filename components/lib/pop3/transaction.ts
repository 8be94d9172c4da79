/**
 * A POP3 session once somebody has logged in (RFC 1939 §5 and §6), as a function of what stands in the mailbox: what each
 * command is answered, and what has to be done. The texts, and what STAT and LAST count, are qmail-pop3d's.
 * @module
 */
import { assertNever } from "../result.ts";
import type { Command } from "./command.ts";

/** The messages of a session, as they were when it began; numbers count from 1. */
export interface MailboxView {
  readonly count: number;
  /** Octets of those that are not marked as deleted. */
  readonly remainingBytes: number;
  /** The highest number marked as deleted since the beginning, or the last RSET; 0: none. */
  readonly lastDeleted: number;
  sizeBytes(message: number): number;
  /** Stable from session to session. */
  uid(message: number): string;
  isDeleted(message: number): boolean;
}

export type TransactionStep =
  | { readonly kind: "reply"; readonly reply: string }
  /** Mark as deleted, and say so. */
  | { readonly kind: "delete"; readonly message: number; readonly reply: string }
  | { readonly kind: "reset"; readonly reply: string }
  /** See listing.ts. */
  | { readonly kind: "list"; readonly of: "sizes" | "uids" }
  /** See content.ts. `bodyLines` undefined: all of it. */
  | { readonly kind: "retrieve"; readonly message: number; readonly bodyLines: number | undefined }
  /** Remove what is marked, take note of what was seen, and end. */
  | { readonly kind: "update" };

/** Octet strings, line end included. */
export const replies = {
  ok: "+OK \r\n",
  unimplemented: "-ERR unimplemented\r\n",
  cannotOpen: "-ERR unable to open that message\r\n",
  cannotUnlink: "-ERR unable to unlink all deleted messages\r\n",
} as const;

export function onCommand(command: Command, mailbox: MailboxView): TransactionStep {
  switch (command.verb) {
    case "STAT":
      return say(`+OK ${mailbox.count} ${mailbox.remainingBytes}`);
    case "LIST":
    case "UIDL": {
      const of = command.verb === "LIST" ? "sizes" : "uids";
      const { message } = command;
      if (message === undefined) return { kind: "list", of };
      return refuse(message, mailbox) ?? say(`+OK ${formatListed(message, of, mailbox)}`);
    }
    case "RETR":
      return refuse(command.message, mailbox) ??
        { kind: "retrieve", message: command.message, bodyLines: undefined };
    case "TOP":
      return refuse(command.message, mailbox) ??
        { kind: "retrieve", message: command.message, bodyLines: command.lines };
    case "DELE":
      return refuse(command.message, mailbox) ??
        { kind: "delete", message: command.message, reply: replies.ok };
    case "RSET":
      return { kind: "reset", reply: replies.ok };
    case "LAST":
      return say(`+OK ${mailbox.lastDeleted}`);
    case "NOOP":
      return { kind: "reply", reply: replies.ok };
    case "QUIT":
      return { kind: "update" };
    case "syntax error":
      return say("-ERR syntax error");
    // CAPA is the server's own to answer: it knows the connection.
    case "CAPA":
    case "USER":
    case "PASS":
    case "APOP":
    case "STLS":
    case "AUTH":
    case "unknown":
      return { kind: "reply", reply: replies.unimplemented };
    default:
      return assertNever(command);
  }
}

/** A line of LIST or UIDL, without its end. */
export function formatListed(message: number, of: "sizes" | "uids", mailbox: MailboxView): string {
  return `${message} ${of === "sizes" ? mailbox.sizeBytes(message) : mailbox.uid(message)}`;
}

function refuse(message: number, mailbox: MailboxView): TransactionStep | undefined {
  if (message === 0) return say("-ERR messages are counted from 1");
  if (message > mailbox.count) return say("-ERR not that many messages");
  return mailbox.isDeleted(message) ? say("-ERR already deleted") : undefined;
}

function say(line: string): TransactionStep {
  return { kind: "reply", reply: `${line}\r\n` };
}
