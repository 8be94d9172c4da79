/**
 * Answers with pages of the queue. Which messages a page has rests on the index; what it says of each is read from the
 * files just then, and what is gone is left out.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { describeError } from "../lib/log/log.ts";
import type { ListedRow, ListReply, ListRequest } from "../lib/wire/qread_protocol.ts";
import { flag } from "./columns.ts";
import { cursorOf, formatCursor, parseCursor } from "./cursor.ts";
import { Feeder, type FeederOptions } from "./feeder.ts";
import { observe, observeInJournal } from "./observe.ts";
import type { Observed } from "./observed.ts";
import { QueueIndex } from "./queue_index.ts";
import { rowOf } from "./rows.ts";
import { type Page, selectPage } from "./select_page.ts";

/** A small queue has been looked at by then, and is shown whole and as it is. */
const patienceMs = 250;
/** After so long without a question the index goes. */
export const silenceMs = 60_000;
/** Pages looked for at the most where messages are gone that the index knew. */
const mostTries = 5;

/** The queue cannot be read. */
export class Unreadable extends Error {
  override name = "Unreadable";
}

export class Listing {
  readonly #home: Home;
  readonly #options: FeederOptions;
  #feeder: Feeder | undefined;
  #trouble: string | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(home: Home, options: FeederOptions) {
    this.#home = home;
    this.#options = options;
  }

  /** What it rests on; undefined: nobody has asked lately. */
  get index(): QueueIndex | undefined {
    return this.#feeder?.index;
  }

  /** Throws {@link Unreadable}. */
  async list(request: Omit<ListRequest, "op" | "id">): Promise<ListReply> {
    const feeder = this.#wake();
    const look = feeder.look();
    if (look !== undefined) await atMost(look, patienceMs);
    if (this.#trouble !== undefined && feeder.index.size === 0) throw new Unreadable(this.#trouble);
    const { sort, order, filter } = request;
    const index = feeder.index;
    const nowSeconds = Math.floor(this.#options.nowMs() / 1000);
    let after = request.after === undefined ? undefined : lowerCaseAscii(request.after);
    const rows: ListedRow[] = [];
    let first: Page | undefined;
    let next: string | undefined;
    for (let tries = 0; tries < mostTries && rows.length < request.count; tries++) {
      const count = request.count - rows.length;
      const cursor = after === undefined ? undefined : parseCursor(sort, after);
      const page = selectPage(index, { sort, order, filter, after: cursor, count, nowSeconds });
      first ??= page;
      const last = page.slots.at(-1);
      after = last === undefined ? undefined : formatCursor(sort, cursorOf(index, sort, last));
      next = page.place + page.slots.length < page.matching ? after : undefined;
      // A row says where it stands now: what is not in that state any more is not on a page of it.
      const fresh = this.#read(page, index).map((observed) => rowOf(observed, nowSeconds))
        .filter(({ state }) => filter.state === undefined || filter.state === state);
      for (const row of fresh) rows.push(row);
      if (next === undefined) break;
    }
    const { place = 0, matching = 0, unsearched = 0 } = first ?? {};
    return {
      ...{ rows, place, matching, unsearched, total: feeder.total, indexed: index.size, whole: feeder.whole },
      ...next === undefined ? {} : { next },
    };
  }

  /** The messages of a page as they are now; the index learns of it. */
  #read({ slots }: Page, index: QueueIndex): readonly Observed[] {
    const ids = slots.map(({ block, at }) => block.id[at]!);
    const inJournal = slots.filter(({ block, at }) => (block.flags[at]! & flag.journal) !== 0);
    const records = observeInJournal(this.#home, new Set(inJournal.map(({ block, at }) => block.id[at]!)));
    const found: Observed[] = [];
    for (const id of ids) {
      const observed = records.get(id) ?? this.#observe(id);
      if (observed === undefined) index.remove(id);
      else {
        index.put(observed);
        found.push(observed);
      }
    }
    return found;
  }

  #observe(id: number): Observed | undefined {
    try {
      return observe(this.#home, id);
    } catch (error) {
      this.#options.onTrouble(error);
      return undefined;
    }
  }

  #wake(): Feeder {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.forget(), silenceMs);
    return this.#feeder ??= new Feeder(this.#home, new QueueIndex(), {
      ...this.#options,
      onTrouble: (error) => {
        this.#trouble = describeError(error);
        this.#options.onTrouble(error);
      },
      onLooked: () => this.#trouble = undefined,
    });
  }

  /** Gives the memory back, and ends what runs. */
  forget(): void {
    clearTimeout(this.#silence);
    this.#feeder?.stop();
    this.#feeder = undefined;
    this.#trouble = undefined;
  }
}

/** Settles when `work` does, or after `limitMs`. */
async function atMost(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
