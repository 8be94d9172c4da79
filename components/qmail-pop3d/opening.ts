/**
 * Opens the mailbox of a ticket: whose login it was, whose mailbox that is, and what is in it. Nothing of where it lies
 * comes from the one who brought the ticket.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { describeError } from "../lib/log/log.ts";
import { parseRedeemReply } from "../lib/wire/auth_protocol.ts";
import { type Client, ConnectionLost } from "../lib/wire/client.ts";
import { parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { isUsableHome, kindOf } from "../lib/workers/place.ts";
import type { Opened } from "./conversation.ts";
import { Maildir } from "./maildir.ts";
import { openHome, type OpenHomeOptions, refuse } from "./open_home.ts";

export interface OpeningOptions extends OpenHomeOptions {
  readonly home: Home;
  /** Of the socket `auth-tickets`. */
  readonly tickets: Client;
  readonly getpw: Client;
}

/** Never rejects for what others do or do not. */
export async function openMailbox(ticket: string, options: OpeningOptions): Promise<Opened> {
  const { home, tickets, getpw } = options;
  const ask = async (op: "whose" | "redeem") => parseRedeemReply(await tickets.request({ op, ticket }));
  try {
    const bearer = await ask("whose");
    if (bearer.kind === "none") return refuse("ticket", "none");
    const { login } = bearer;
    const found = parseGetpwReply(await getpw.request({ op: "find", address: login }));
    if (found.kind === "none") return refuse("absent", login);
    if (found.kind !== "account") return refuse("unavailable", login);
    // With the ticket as good as it was: another one redeems it.
    if (!isUsableHome(found.home) || kindOf(found, home.mail()) !== "virtual") return { kind: "elsewhere" };
    // Somebody may have come with it meanwhile.
    if ((await ask("redeem")).kind === "none") return refuse("ticket", "none");
    // Of a login "amy-list" qmail-getpw says that amy gets its mail; she is another user all the same.
    const isItself = found.dash === "" && `${found.user}@${found.domain}` === login;
    return isItself ? await openHome(login, new Maildir(found.home), options) : refuse("account", login);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return refuse("unavailable", describeError(error));
  }
}
