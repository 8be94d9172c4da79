/**
 * What was last said about recipients that were deferred or failed, for an operator who looks at a message. In memory, for
 * some of the latest ones: the log has them all.
 * @module
 */
import { longestShownError } from "../lib/wire/control_protocol.ts";

/** Of one recipient. */
export interface LastError {
  /** Attempts that did not succeed. */
  readonly attempts: number;
  /** Of the last one, seconds since 1970. */
  readonly atSeconds: number;
  /** What its report said. Octet string. */
  readonly text: string;
}

/** Some 5 MB at the most. */
export const mostMessages = 5000;
export const mostOfMessage = 100;
export const mostErrors = 10_000;

export class LastErrors {
  /** By message and address; the message that was noted first is the first one. */
  readonly #messages = new Map<number, Map<string, LastError>>();
  #size = 0;

  /** Recipients of which something is known. */
  get size(): number {
    return this.#size;
  }

  note(id: number, address: string, text: string, atSeconds: number): void {
    let errors = this.#messages.get(id);
    if (errors === undefined) this.#messages.set(id, errors = new Map());
    const before = errors.get(address);
    if (before === undefined && errors.size >= mostOfMessage) return;
    if (before === undefined) this.#size++;
    const short = text.slice(0, longestShownError).trimEnd();
    errors.set(address, { attempts: (before?.attempts ?? 0) + 1, atSeconds, text: short });
    if (this.#size > mostErrors || this.#messages.size > mostMessages) this.#forgetSome();
  }

  of(id: number): ReadonlyMap<string, LastError> | undefined {
    return this.#messages.get(id);
  }

  /** The message has ended: its number will be another's. */
  forget(id: number): void {
    if (this.#messages.size === 0) return;
    this.#size -= this.#messages.get(id)?.size ?? 0;
    this.#messages.delete(id);
  }

  // A tenth at a time: a map's iterator steps over whatever was deleted before its first entry.
  #forgetSome(): void {
    for (const [id, errors] of this.#messages) {
      if (this.#size <= mostErrors * 0.9 && this.#messages.size <= mostMessages * 0.9) return;
      this.#size -= errors.size;
      this.#messages.delete(id);
    }
  }
}
