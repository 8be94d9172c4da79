/**
 * A look through what a predecessor left in the queue, while mail comes and goes: part by part (queue/info/0 and so on),
 * some entries at a time, with everything else in between. Names come from listings, which cost a tenth of asking for a
 * file; a file is asked for only where a listing shows it, and before anything unusual is told.
 *
 * The listings of a part are made one after the other, so each is of another moment, and old by the time it is used:
 *
 * - Whatever qmail-send itself moves is `known` to it while it does so. What is not known and is in info stands still
 *   (S5), so all listings show it, and it is told.
 * - What was known when it was listed may have ended since, and its number may belong to a new message already. So
 *   `known` is asked, and the files are looked at, in the moment of telling: a file that went is not told.
 * - They are made in the order in which a message's files come to be, of those that say that all is well: mess, info,
 *   local, remote. A message that came between two of them is in the later one only: it seems a stray (reported, if the
 *   look at its mess file did not clear it) and never seems abandoned or finished. One that went between two of them is
 *   in the earlier one only: it seems abandoned or finished, which it is, and the look finds that it is gone.
 * - A look at several files takes them in an order that no move can slip through: todo before info, for on the way from
 *   S4 to S5 info comes before todo goes; info last, for at its end a message's other files went before.
 *
 * So what is told is true in the moment of telling, but for what other processes do in just that moment, and no longer.
 * Whoever acts upon it at once, in the call, need not look again at what only qmail-send moves; whoever acts later must:
 *
 * - `finished`: not known, not in todo, info there, local and remote not. Its end removes the text, so this is to be
 *   looked at again after every wait.
 * - `orphans`: qmail-queue may be writing it, and may link it into todo at any time. First ask qmail-queue; then, when
 *   it says that it is not, it must still not be known, not in todo and without info.
 * - `found`: the time may be changed, or the file removed, by an operator. An attempt reads the files anyway.
 *
 * @module
 */
import { type Channel, channels, type splitDirs } from "../lib/queue/layout.ts";

export type SplitDir = (typeof splitDirs)[number];
export type StrayDir = Exclude<SplitDir, "mess">;

/** The queue as a survey looks at it. */
export interface QueueFolders {
  /**
   * Ids in one part of a split folder; what is there all the time must be among them. Better read with `Deno.readDir`
   * than in one call: 43,000 names, a part's share of a million, are a pause of 55 to 90 ms with `readDirSync`, and
   * none above 5 ms (but 200 ms in all) with the other.
   */
  list(dir: SplitDir, part: number): Promise<readonly number[]> | readonly number[];
  /** A file's time (seconds since 1970); undefined when there is no such file. */
  mtime(dir: SplitDir, id: number): number | undefined;
  inTodo(id: number): boolean;
}

/** What a survey tells. Each id is told at most once in each way; all of one message comes without a wait in between. */
export interface Findings {
  /**
   * Nothing is told of this one: it is in memory, or in todo and will be read. What is in todo when the survey begins
   * must be known: pieces of S5 may stand beside it. Asked before the first thing told of a message, not after it.
   */
  known(id: number): boolean;
  /** A message in S5 has recipients left here, whose next attempt is due then. */
  found(id: number, channel: Channel, atSeconds: number): void;
  /** A message in S5 with no recipients left: it waits for its end only. */
  finished(id: number): void;
  /** Files in mess that belong to no message; some at a time. */
  orphans(ids: readonly number[]): void;
  /** Files of messages that have no file in mess; some at a time. */
  strays(dir: StrayDir, ids: readonly number[]): void;
}

export interface SurveyOptions {
  /** Parts of each split folder. */
  readonly parts: number;
  /** Entries between two yields. Nearly all cost one or two looks at files, each of some 5 µs (20 where there is none). */
  readonly sliceEntries?: number;
}

/**
 * Tells `findings` what is in `queue`. Does a slice of it, or a listing, for each `next()`: let others run in between,
 * and ask no more to end it early. Yields the part it is at. Throws what `queue` throws.
 *
 * @example
 * ```ts
 * import { survey } from "./survey.ts";
 *
 * const queue = { list: (_: string, part: number) => part === 3 ? [49] : [], mtime: () => 0, inTodo: () => false };
 * const found: string[] = [];
 * const findings = {
 *   known: () => false,
 *   found: (id: number, channel: string) => void found.push(`${channel}/${id}`),
 *   finished: () => {},
 *   orphans: () => {},
 *   strays: () => {},
 * };
 * for await (const _part of survey(queue, findings, { parts: 23 })) await Promise.resolve();
 * if (found.join() !== "local/49,remote/49") throw new Error(found.join());
 * ```
 */
export async function* survey(
  queue: QueueFolders,
  findings: Findings,
  { parts, sliceEntries = 500 }: SurveyOptions,
): AsyncGenerator<number> {
  for (let part = 0; part < parts; part++) {
    const list = async (dir: SplitDir) => new Set(await queue.list(dir, part));
    const mess = await list("mess");
    yield part;
    const info = await list("info");
    yield part;
    const local = await list("local");
    yield part;
    const remote = await list("remote");
    yield part;
    const listed = { mess, info, local, remote };
    const look = new PartLook(queue, findings, listed);
    for (const slice of slices(info, sliceEntries)) {
      for (const id of slice) look.message(id);
      yield part;
    }
    for (const slice of slices(mess, sliceEntries)) {
      const ids = slice.filter((id) => look.isOrphan(id));
      if (ids.length > 0) findings.orphans(ids);
      yield part;
    }
    for (const dir of ["info", "local", "remote"] as const) {
      for (const slice of slices(listed[dir], sliceEntries)) {
        const ids = slice.filter((id) => look.isStray(dir, id));
        if (ids.length > 0) findings.strays(dir, ids);
        yield part;
      }
    }
  }
}

type Listed = Readonly<Record<SplitDir, ReadonlySet<number>>>;

/** What the listings of a part say, and the looks that settle it. */
class PartLook {
  readonly #queue: QueueFolders;
  readonly #findings: Findings;
  readonly #listed: Listed;

  constructor(queue: QueueFolders, findings: Findings, listed: Listed) {
    this.#queue = queue;
    this.#findings = findings;
    this.#listed = listed;
  }

  /** Tells of a message in info. */
  message(id: number): void {
    if (this.#findings.known(id)) return;
    if (!this.#listed.mess.has(id) && !this.#is("mess", id)) return;
    const shown = channels.filter((channel) => this.#listed[channel].has(id));
    if (this.#tellChannels(id, shown) || this.#queue.inTodo(id)) return;
    // Not shown, or gone since: nothing is finished that has recipients left.
    if (!this.#tellChannels(id, channels) && this.#is("info", id)) this.#findings.finished(id);
  }

  #tellChannels(id: number, among: readonly Channel[]): boolean {
    let any = false;
    for (const channel of among) {
      const atSeconds = this.#queue.mtime(channel, id);
      if (atSeconds === undefined) continue;
      this.#findings.found(id, channel, atSeconds);
      any = true;
    }
    return any;
  }

  isOrphan(id: number): boolean {
    if (this.#listed.info.has(id) || this.#findings.known(id)) return false;
    return !this.#queue.inTodo(id) && !this.#is("info", id) && this.#is("mess", id);
  }

  isStray(dir: StrayDir, id: number): boolean {
    if (this.#listed.mess.has(id) || this.#findings.known(id)) return false;
    return this.#is(dir, id) && !this.#is("mess", id);
  }

  #is(dir: SplitDir, id: number): boolean {
    return this.#queue.mtime(dir, id) !== undefined;
  }
}

function* slices(ids: ReadonlySet<number>, most: number): Generator<number[]> {
  let slice: number[] = [];
  for (const id of ids) {
    slice.push(id);
    if (slice.length < most) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
