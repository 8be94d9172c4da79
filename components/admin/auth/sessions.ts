/**
 * Who is logged in: sessions in memory, so that a restart ends them all. A session is known by 192 random bits in a
 * cookie, and proves by as many in its forms that they are from a page of ours.
 * @module
 */
import { Buffer } from "node:buffer";
import { nodeCrypto } from "../../lib/process/builtin.ts";

export interface Session {
  readonly id: string;
  /** What a form that changes something has to bring. */
  readonly csrf: string;
  readonly openedMs: number;
  usedMs: number;
  /** What the next page says of what was done; said once. */
  notice: Notice | undefined;
}

export interface Notice {
  readonly good: boolean;
  /** Lines. */
  readonly text: readonly string[];
}

/** A working day, and a break in it. */
export const longestMs = 12 * 3_600_000;
export const idleMs = 2 * 3_600_000;
/** With more of them the one that was idle for longest ends. */
const mostSessions = 50;

function randomWord(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
}

export class Sessions {
  readonly #byId = new Map<string, Session>();

  open(nowMs: number): Session {
    this.#sweep(nowMs);
    if (this.#byId.size >= mostSessions) {
      const [idlest] = [...this.#byId.values()].sort((a, b) => a.usedMs - b.usedMs);
      this.#byId.delete(idlest!.id);
    }
    const session: Session = {
      id: randomWord(),
      csrf: randomWord(),
      openedMs: nowMs,
      usedMs: nowMs,
      notice: undefined,
    };
    this.#byId.set(session.id, session);
    return session;
  }

  /** The session of a cookie; it counts as used now unless `quietly` (a page that asks by itself is nobody's doing). */
  find(id: string | undefined, nowMs: number, { quietly = false } = {}): Session | undefined {
    const session = id === undefined ? undefined : this.#byId.get(id);
    if (session === undefined) return undefined;
    if (isOver(session, nowMs)) {
      this.#byId.delete(session.id);
      return undefined;
    }
    if (!quietly) session.usedMs = nowMs;
    return session;
  }

  close(id: string): void {
    this.#byId.delete(id);
  }

  closeAll(): void {
    this.#byId.clear();
  }

  get size(): number {
    return this.#byId.size;
  }

  #sweep(nowMs: number): void {
    for (const session of this.#byId.values()) if (isOver(session, nowMs)) this.#byId.delete(session.id);
  }
}

function isOver({ openedMs, usedMs }: Session, nowMs: number): boolean {
  return nowMs - openedMs >= longestMs || nowMs - usedMs >= idleMs;
}

/** Whether a form or a header brought the session's own word; takes as long for any other of its length. */
export function hasCsrf({ csrf }: Session, given: unknown): boolean {
  if (typeof given !== "string" || given.length !== csrf.length) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(csrf)];
  return a.length === b.length && nodeCrypto().timingSafeEqual(a, b);
}
