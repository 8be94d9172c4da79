/**
 * Files in mess that belong to no message: qmail-queue may be writing them, or a predecessor of it died over them. Only
 * the sole writer knows, so it is asked; and what became a message between question and answer is no suspect any more,
 * whatever the answer says: its number may stand for another message by now.
 * @module
 */
export class Suspects {
  #ids = new Set<number>();

  /** Begins anew with these; answers them, for the question. */
  begin(ids: readonly number[]): number[] {
    this.#ids = new Set(ids);
    return [...this.#ids];
  }

  /** This one is a message. */
  clear(id: number): void {
    this.#ids.delete(id);
  }

  /** Whether `id` is a suspect still; it is none after that. */
  take(id: number): boolean {
    return this.#ids.delete(id);
  }
}
