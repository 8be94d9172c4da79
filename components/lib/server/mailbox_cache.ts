/**
 * Mailboxes that qmail-getpw said to exist a moment ago, so that a sender with many messages for one is not waited for
 * each time. Only a yes is kept, and not for long: a mailbox that was just made is known at once, one that was removed may
 * get mail for a second more, which comes back as a bounce.
 * @module
 */
const keptMs = 1000;
const mostKept = 10_000;

export class MailboxCache {
  readonly #untilMs = new Map<string, number>();

  /** Whether there is such a mailbox, as far as is known at `nowMs`. */
  has(address: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(address);
    if (untilMs === undefined) return false;
    if (untilMs > nowMs) return true;
    this.#untilMs.delete(address);
    return false;
  }

  add(address: string, nowMs: number): void {
    // All of them are old soon: none is looked for to make room.
    if (this.#untilMs.size >= mostKept) this.#untilMs.clear();
    this.#untilMs.set(address, nowMs + keptMs);
  }
}
