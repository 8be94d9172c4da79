/**
 * Lists whose entries know their place, so that one can be put at either end, moved to another list and taken out of the
 * middle in constant time.
 * @module
 */

/** What stands in a list: in one at a time, or in none. */
export class Entry<T> {
  readonly value: T;
  /** Where it stands. These three are the list's to set. */
  list: LinkedList<T> | undefined;
  before: Entry<T> | undefined;
  after: Entry<T> | undefined;

  constructor(value: T) {
    this.value = value;
  }

  /** Takes it out of its list, if it is in one. */
  leave(): void {
    this.list?.remove(this);
  }
}

export class LinkedList<T> {
  #first: Entry<T> | undefined;
  #last: Entry<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  get last(): T | undefined {
    return this.#last?.value;
  }

  /** Puts `entry` first; it leaves the list it was in. */
  addFirst(entry: Entry<T>): void {
    entry.leave();
    this.#add(entry, undefined, this.#first);
    this.#first = entry;
    this.#last ??= entry;
  }

  /** Puts `entry` last; it leaves the list it was in. */
  addLast(entry: Entry<T>): void {
    entry.leave();
    this.#add(entry, this.#last, undefined);
    this.#last = entry;
    this.#first ??= entry;
  }

  /** `entry` is in this list. */
  remove(entry: Entry<T>): void {
    const { before, after } = entry;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    entry.list = entry.before = entry.after = undefined;
    this.#size--;
  }

  #add(entry: Entry<T>, before: Entry<T> | undefined, after: Entry<T> | undefined): void {
    entry.list = this;
    entry.before = before;
    entry.after = after;
    if (before !== undefined) before.after = entry;
    if (after !== undefined) after.before = entry;
    this.#size++;
  }
}
