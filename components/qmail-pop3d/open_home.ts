/**
 * Opens the mailbox in a home: what is in it, and what a session there leaves in the log.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import type { Refusal } from "../lib/wire/pop3_protocol.ts";
import type { Opened } from "./conversation.ts";
import type { KnownMaildirs } from "./known_maildirs.ts";
import type { Maildir } from "./maildir.ts";
import { Session } from "./session.ts";

export interface OpenHomeOptions {
  readonly known: KnownMaildirs;
  readonly nowMs: () => number;
  readonly breathe: () => Promise<void>;
}

/** `login`: for the log. Never rejects for what the disk says. */
export async function openHome(
  login: string,
  maildir: Maildir,
  { known, nowMs, breathe }: OpenHomeOptions,
): Promise<Opened> {
  const begunMs = nowMs();
  try {
    if (!maildir.isThere()) return refuse("absent", login);
    maildir.cleanTmp(begunMs);
    const { snapshot } = await known.read(maildir, { nowMs: begunMs, breathe });
    const session = new Session({
      maildir,
      snapshot,
      count: snapshot.countBefore(begunMs),
      breathe,
      onUpdate: ({ deleted, seen, failed }) => {
        logEvent("update", { login, deleted, seen, failed });
        if (deleted + seen > 0) known.changed(maildir);
      },
    });
    return { kind: "opened", session, login };
  } catch (error) {
    log(`alert: cannot read the mailbox of ${JSON.stringify(login)}: ${describeError(error)}`);
    return { kind: "refused", reason: "unreadable" };
  }
}

export function refuse(reason: Refusal, detail: string): Extract<Opened, { kind: "refused" }> {
  logEvent("refused", { reason, detail });
  return { kind: "refused", reason };
}
