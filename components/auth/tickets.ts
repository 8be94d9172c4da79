/**
 * One-time tickets for those who have logged in to read mail. The server that spoke with the client hands one on to the
 * process that opens mailboxes, which redeems it here: so that the former, whoever has taken it over, can open no mailbox
 * whose password it was not given. Pure: knows the time and random octets as arguments only.
 * @module
 */

/** So long a ticket is good: from a login to the opening of the mailbox, a client's last word in SCRAM included. */
export const ticketMs = 30_000;
/** Far more than log in within that time; the oldest go first. */
export const mostTickets = 10_000;

interface Entry {
  readonly login: string;
  readonly endMs: number;
}

export class Tickets {
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();

  /** `ticket`: random octets in text, never used before. */
  issue(ticket: string, login: string, nowMs: number): void {
    for (const [old, { endMs }] of this.#entries) {
      if (endMs > nowMs && this.#entries.size < mostTickets) break;
      this.#entries.delete(old);
    }
    this.#entries.set(ticket, { login, endMs: nowMs + ticketMs });
  }

  /** Whose login it was for; the ticket stays good. */
  whose(ticket: string, nowMs: number): string | undefined {
    const entry = this.#entries.get(ticket);
    return entry !== undefined && nowMs < entry.endMs ? entry.login : undefined;
  }

  /** Whose login it was for; the ticket is gone then. */
  redeem(ticket: string, nowMs: number): string | undefined {
    const login = this.whose(ticket, nowMs);
    this.#entries.delete(ticket);
    return login;
  }

  get size(): number {
    return this.#entries.size;
  }
}
