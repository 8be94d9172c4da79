/**
 * Opens the mailbox of a ticket: whose login it was, whose mailbox that is, and what is in it. Nothing of where it lies
 * comes from the one who brought the ticket.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { parseRedeemReply } from "../lib/wire/auth_protocol.ts";
import { type Client, ConnectionLost } from "../lib/wire/client.ts";
import { parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import type { Refusal } from "../lib/wire/pop3_protocol.ts";
import type { KnownMaildirs } from "./known_maildirs.ts";
import { Maildir } from "./maildir.ts";
import { Session } from "./session.ts";

export interface OpeningOptions {
  readonly home: Home;
  /** Of the socket `auth-tickets`. */
  readonly tickets: Client;
  readonly getpw: Client;
  readonly known: KnownMaildirs;
  readonly nowMs: () => number;
  readonly breathe: () => Promise<void>;
}

export type Opened =
  | { readonly kind: "opened"; readonly session: Session; readonly login: string }
  | { readonly kind: "refused"; readonly reason: Refusal };

/** Never rejects for what others do or do not. */
export async function openMailbox(ticket: string, options: OpeningOptions): Promise<Opened> {
  try {
    const redeemed = parseRedeemReply(await options.tickets.request({ op: "redeem", ticket }));
    if (redeemed.kind === "none") return refuse("ticket", "none");
    const place = await findHome(redeemed.login, options);
    return place.kind === "refused" ? place : await openHome(redeemed.login, place.home, options);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return refuse("unavailable", describeError(error));
  }
}

async function findHome(
  login: string,
  { home, getpw }: OpeningOptions,
): Promise<{ readonly kind: "home"; readonly home: string } | Extract<Opened, { kind: "refused" }>> {
  const found = parseGetpwReply(await getpw.request({ op: "find", address: login }));
  if (found.kind === "none") return refuse("absent", login);
  if (found.kind !== "account") return refuse("unavailable", login);
  // Of a login "amy-list" qmail-getpw says that amy gets its mail; she is another user all the same.
  const isItself = found.isVirtual && found.dash === "" && `${found.user}@${found.domain}` === login;
  const isBelowMail = found.home.startsWith(`${home.mail()}/`) && !/\/\.{1,2}(?:\/|$)/.test(found.home);
  return isItself && isBelowMail ? { kind: "home", home: found.home } : refuse("account", login);
}

async function openHome(login: string, home: string, options: OpeningOptions): Promise<Opened> {
  const maildir = new Maildir(home);
  const nowMs = options.nowMs();
  try {
    if (!maildir.isThere()) return refuse("absent", login);
    maildir.cleanTmp(nowMs);
    const { snapshot } = await options.known.read(maildir, { nowMs, breathe: options.breathe });
    const session = new Session({
      maildir,
      snapshot,
      count: snapshot.countBefore(nowMs),
      breathe: options.breathe,
      onUpdate: ({ deleted, seen, failed }) => {
        logEvent("update", { login, deleted, seen, failed });
        if (deleted + seen > 0) options.known.changed(maildir);
      },
    });
    return { kind: "opened", session, login };
  } catch (error) {
    log(`alert: cannot read the mailbox of ${JSON.stringify(login)}: ${describeError(error)}`);
    return { kind: "refused", reason: "unreadable" };
  }
}

function refuse(reason: Refusal, detail: string): Extract<Opened, { kind: "refused" }> {
  logEvent("refused", { reason, detail });
  return { kind: "refused", reason };
}
