import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Findings, type QueueFolders, survey } from "../../components/qmail-send/survey.ts";
import { type Channel, parseQueueId, queueFile } from "../../components/lib/queue/layout.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

type Dir = "mess" | "todo" | "info" | Channel;
const dirs: readonly Dir[] = ["mess", "todo", "info", "local", "remote"];
const parts = home.queueSplit;

const timeOf = (dir: Dir, id: number) => 1_795_000_000 + 10 * id + dirs.indexOf(dir);

function put(disk: FakeDisk, dir: Dir, id: number): void {
  disk.put(queueFile(home, dir, id), new Uint8Array(), timeOf(dir, id));
}

function has(disk: FakeDisk, dir: Dir, id: number): boolean {
  return disk.stat(queueFile(home, dir, id)) !== undefined;
}

function foldersOf(disk: FakeDisk): QueueFolders {
  return {
    list: (dir, part) =>
      disk.list(home.queue(dir, String(part))).map(parseQueueId).filter((id): id is number => id !== undefined),
    mtime: (dir, id) => disk.stat(queueFile(home, dir, id))?.mtimeSeconds,
    inTodo: (id) => has(disk, "todo", id),
  };
}

/** Notes what is told; what is told of is known from then on, as it would be to qmail-send. */
class Notes implements Findings {
  readonly told: string[] = [];
  readonly knownIds: Set<number>;

  constructor(known: Iterable<number> = []) {
    this.knownIds = new Set(known);
  }

  known(id: number): boolean {
    return this.knownIds.has(id);
  }

  found(id: number, channel: Channel, atSeconds: number): void {
    assertEquals(atSeconds, timeOf(channel, id));
    this.#note(`found ${channel}/${id}`, id);
  }

  finished(id: number): void {
    this.#note(`finished ${id}`, id);
  }

  orphans(ids: readonly number[]): void {
    for (const id of ids) this.told.push(`orphan ${id}`);
  }

  strays(dir: string, ids: readonly number[]): void {
    for (const id of ids) this.told.push(`stray ${dir}/${id}`);
  }

  #note(line: string, id: number): void {
    this.told.push(line);
    this.knownIds.add(id);
  }
}

async function surveyAll(queue: QueueFolders, findings: Findings, sliceEntries = 500): Promise<void> {
  for await (const _part of survey(queue, findings, { parts, sliceEntries })) await Promise.resolve();
}

/** What is to be told of a message that has these files and does not change. */
function wanted(id: number, files: ReadonlySet<Dir>): string[] {
  const shown = (["info", "local", "remote"] as const).filter((dir) => files.has(dir));
  if (!files.has("mess")) return shown.map((dir) => `stray ${dir}/${id}`);
  if (!files.has("info")) return files.has("todo") ? [] : [`orphan ${id}`];
  if (shown.length > 1) return shown.slice(1).map((channel) => `found ${channel}/${id}`);
  return files.has("todo") ? [] : [`finished ${id}`];
}

describe("survey()", () => {
  const rows: { files: Dir[]; known?: true; want: string[] }[] = [
    { files: ["mess", "info", "local"], want: ["found local/2189625"] },
    { files: ["mess", "info", "remote"], want: ["found remote/2189625"] },
    { files: ["mess", "info", "local", "remote"], want: ["found local/2189625", "found remote/2189625"] },
    { files: ["mess", "info"], want: ["finished 2189625"] },
    { files: ["mess"], want: ["orphan 2189625"] },
    { files: ["mess", "todo"], want: [] },
    { files: ["mess", "todo", "info"], want: [] },
    { files: ["mess", "todo", "local"], want: [] },
    { files: ["info", "local"], want: ["stray info/2189625", "stray local/2189625"] },
    { files: ["remote"], want: ["stray remote/2189625"] },
    { files: ["mess", "local"], want: ["orphan 2189625"] },
    { files: ["mess"], known: true, want: [] },
    { files: ["mess", "info", "remote"], known: true, want: [] },
    { files: ["info", "remote"], known: true, want: [] },
    { files: [], want: [] },
  ];
  for (const { files, known, want } of rows) {
    it(`tells [${want}] of a message with [${files}]${known ? " that is known" : ""}`, async () => {
      const disk = emptyQueue();
      for (const dir of files) put(disk, dir, 2189625);
      const notes = new Notes(known ? [2189625] : []);
      await surveyAll(foldersOf(disk), notes);
      assertEquals(notes.told, want);
    });
  }

  it("takes no name for a message that is no number, and changes nothing", async () => {
    const disk = emptyQueue();
    disk.put(home.queue("mess", "3", "core"), new Uint8Array());
    disk.put(home.queue("info", "3", "03"), new Uint8Array());
    const notes = new Notes();
    await surveyAll(foldersOf(disk), notes);
    assertEquals([notes.told, disk.operations], [[], []]);
  });

  it("does one listing or one slice for each step, part by part", async () => {
    const disk = emptyQueue();
    const count = 2300;
    for (let id = 1; id <= count; id++) {
      for (const dir of ["mess", "info", id % 2 === 0 ? "local" : "remote"] as const) put(disk, dir, id);
    }
    const queue = foldersOf(disk);
    const step = { lists: [] as string[], looks: 0 };
    const counted: QueueFolders = {
      list: (dir, part) => {
        step.lists.push(`${dir}/${part}`);
        return queue.list(dir, part);
      },
      mtime: (dir, id) => {
        step.looks++;
        return queue.mtime(dir, id);
      },
      inTodo: () => {
        throw new Error("nothing unusual is there");
      },
    };
    const notes = new Notes();
    const listed: string[] = [];
    let looks = 0;
    for await (const part of survey(counted, notes, { parts, sliceEntries: 10 })) {
      assert(step.lists.length === 0 || (step.lists.length === 1 && step.looks === 0), "more than a listing");
      assert(step.looks <= 10, "more than a slice");
      assert(step.lists.every((list) => list.endsWith(`/${part}`)));
      listed.push(...step.lists.splice(0));
      looks += step.looks;
      step.looks = 0;
    }
    const order = ["mess", "info", "local", "remote"];
    assertEquals(listed, Array.from({ length: parts }, (_, part) => order.map((dir) => `${dir}/${part}`)).flat());
    // One for each file that was to be told, and none else.
    assertEquals([looks, notes.told.length], [count, count]);
  });

  it("can be left at any step", async () => {
    const disk = emptyQueue();
    for (let id = 1; id <= 100; id++) ["mess", "info", "local"].forEach((dir) => put(disk, dir as Dir, id));
    for (let steps = 1; steps < 60; steps++) {
      const notes = new Notes();
      let left = steps;
      for await (const _part of survey(foldersOf(disk), notes, { parts, sliceEntries: 2 })) if (--left === 0) break;
      const told = notes.told.length;
      await Promise.resolve();
      assertEquals(notes.told.length, told);
    }
  });

  it("tells of every message that stands still what its files say, whatever they are", async () => {
    const anyMessage = fc.record({ files: fc.uniqueArray(fc.constantFrom(...dirs)), known: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMessage, { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (queued, slice) => {
          const disk = emptyQueue();
          for (const [at, { files }] of queued.entries()) files.forEach((dir) => put(disk, dir, at + 1));
          const notes = new Notes(queued.flatMap(({ known }, at) => known ? [at + 1] : []));
          await surveyAll(foldersOf(disk), notes, slice);
          const want = queued.flatMap(({ files, known }, at) => known ? [] : wanted(at + 1, new Set(files)));
          assertEquals([...notes.told].sort(), want.sort());
        },
      ),
      { numRuns: 60 },
    );
  });
});

// --- while mail comes and goes

/** `send` is qmail-send itself, which does nothing within a step of the survey; `others` act at any time. */
interface Move {
  readonly by: "send" | "others";
  does(world: Moving, id: number): void;
}

const add = (by: Move["by"], dir: Dir): Move => ({ by, does: ({ disk }, id) => put(disk, dir, id) });
const remove = (by: Move["by"], dir: Dir): Move => ({
  by,
  does: ({ disk }, id) => disk.remove(queueFile(home, dir, id)),
});
const notice: Move = { by: "send", does: ({ notes }, id) => void notes.knownIds.add(id) };
const end: Move = { by: "send", does: ({ notes }, id) => void notes.knownIds.delete(id) };

const arrives = [add("others", "mess"), add("others", "todo"), notice];
const splits = (channels: readonly Channel[]) => [
  ...channels.map((channel) => add("send", channel)),
  add("send", "info"),
  remove("others", "todo"),
  ...channels.map((channel) => remove("send", channel)),
  remove("send", "info"),
  remove("others", "mess"),
  end,
];
/** Lives of messages from S1 to S1; the number is free again then. */
const lives: readonly (readonly Move[])[] = [
  [add("others", "mess"), remove("others", "mess")],
  [...arrives, remove("others", "todo"), remove("others", "mess"), end],
  [...arrives, ...splits(["local"])],
  [...arrives, ...splits(["remote"])],
  [...arrives, ...splits(["local", "remote"])],
];

/** A queue in which some messages stand still and the others move on between, and under, the survey's looks. */
class Moving {
  readonly disk = emptyQueue();
  readonly notes = new Notes();
  readonly #draw: (below: number) => number;
  readonly #living = new Map<number, Move[]>();
  /** States of the living since the survey's last step. */
  readonly #seen = new Map<number, ReadonlySet<Dir>[]>();

  constructor(living: readonly number[], draw: (below: number) => number) {
    this.#draw = draw;
    for (const id of living) {
      this.#living.set(id, []);
      for (let moves = draw(14); moves > 0; moves--) this.#move(id, ["send", "others"]);
    }
    this.beginStep();
  }

  beginStep(): void {
    this.#seen.clear();
    for (const id of this.#living.keys()) this.#see(id);
  }

  moves(by: readonly Move["by"][]): void {
    for (const id of this.#living.keys()) {
      if (this.#draw(3) > 0) continue;
      for (let moves = this.#draw(8); moves > 0; moves--) this.#move(id, by);
    }
  }

  filesOf(id: number): ReadonlySet<Dir> {
    return new Set(dirs.filter((dir) => has(this.disk, dir, id)));
  }

  /** Whether it was so at some moment of this step. */
  was(id: number, test: (files: ReadonlySet<Dir>) => boolean): boolean {
    return (this.#seen.get(id) ?? [this.filesOf(id)]).some(test);
  }

  /** The queue as the survey sees it, which is a little different each time it looks. */
  folders(): QueueFolders {
    const queue = foldersOf(this.disk);
    return {
      list: async (dir, part) => {
        const before = await queue.list(dir, part);
        this.moves(["send", "others"]);
        const after = new Set(await queue.list(dir, part));
        this.moves(["send", "others"]);
        this.beginStep();
        // A name that came or went while the folder was read is there or not.
        const stayed = before.filter((id) => after.delete(id) || this.#draw(2) === 0);
        return [...stayed, ...[...after].filter(() => this.#draw(2) === 0)];
      },
      mtime: (dir, id) => {
        this.moves(["others"]);
        return queue.mtime(dir, id);
      },
      inTodo: (id) => {
        this.moves(["others"]);
        return queue.inTodo(id);
      },
    };
  }

  #move(id: number, by: readonly Move["by"][]): void {
    const life = this.#living.get(id)!;
    if (life.length === 0) life.push(...lives[this.#draw(lives.length)]!);
    if (!by.includes(life[0]!.by)) return;
    life.shift()!.does(this, id);
    this.#see(id);
  }

  #see(id: number): void {
    const seen = this.#seen.get(id) ?? [];
    seen.push(this.filesOf(id));
    this.#seen.set(id, seen);
  }
}

/** Asserts of all that is told that it was so in the moment of telling. */
function checking(world: Moving, isKnown: (id: number) => boolean): Findings {
  const { notes } = world;
  const holds = (what: string, id: number, test: (files: ReadonlySet<Dir>) => boolean) => {
    assert(!isKnown(id), `${what}: known`);
    assert(world.was(id, test), `${what}, with ${[...world.filesOf(id)]}`);
  };
  let both: number | undefined;
  return {
    known: (id) => {
      both = undefined;
      return isKnown(id);
    },
    found: (id, channel, atSeconds) => {
      // What is in todo has to be known, or its pieces may be taken for S5.
      const isS5 = (now: ReadonlySet<Dir>) => now.has(channel) && (now.has("info") || now.has("todo"));
      if (both !== id) holds(`found ${channel}/${id}`, id, isS5);
      both = id;
      notes.found(id, channel, atSeconds);
    },
    finished: (id) => {
      const ended = (now: ReadonlySet<Dir>) =>
        now.has("info") && !now.has("local") && !now.has("remote") && !now.has("todo");
      holds(`finished ${id}`, id, ended);
      notes.finished(id);
    },
    orphans: (ids) => {
      const isNone = (now: ReadonlySet<Dir>) => now.has("mess") && !now.has("todo") && !now.has("info");
      for (const id of ids) holds(`orphan ${id}`, id, isNone);
      notes.orphans(ids);
    },
    strays: (dir, ids) => {
      for (const id of ids) holds(`stray ${dir}/${id}`, id, (now) => now.has(dir) && !now.has("mess"));
      notes.strays(dir, ids);
    },
  };
}

describe("survey() of a queue that changes", () => {
  const anyStanding = fc.array(fc.subarray(["mess", "info", "local", "remote"] as const), { maxLength: 8 });

  /** A failing play of some thousand draws is not made smaller in any useful time. */
  const changing = { numRuns: 60, endOnFailure: true };
  const evenly = (max: number) => fc.noBias(fc.nat(max));
  const drawing = (gen: fc.GeneratorValue) => (below: number) => gen(evenly, below - 1);

  async function play(
    standing: readonly (readonly Dir[])[],
    draw: (below: number) => number,
    knowing: boolean,
  ): Promise<{ told: string[]; want: string[]; ofLiving: string[] }> {
    // Few parts: many messages in each.
    const living = [1, 2, 24, 25, 47, 48];
    const world = new Moving(living, draw);
    const standingId = (at: number) => 1001 + 23 * (at >> 1) + (at & 1);
    for (const [at, files] of standing.entries()) files.forEach((dir) => put(world.disk, dir, standingId(at)));
    const isKnown = (id: number) => (knowing || id > 1000) && world.notes.knownIds.has(id);
    const steps = survey(world.folders(), checking(world, isKnown), { parts, sliceEntries: 1 + draw(4) });
    for await (const _part of steps) {
      world.moves(["send", "others"]);
      world.beginStep();
    }
    const isLiving = (line: string) => Number(line.slice(line.search(/\d+$/))) < 1000;
    return {
      told: world.notes.told.filter((line) => !isLiving(line)).sort(),
      want: standing.flatMap((files, at) => wanted(standingId(at), new Set(files))).sort(),
      ofLiving: world.notes.told.filter(isLiving),
    };
  }

  it("tells of all that stands still once, and of the rest only that a text without envelope is there", async () => {
    await fc.assert(
      fc.asyncProperty(anyStanding, fc.gen(), async (standing, gen) => {
        const { told, want, ofLiving } = await play(standing, drawing(gen), true);
        assertEquals(told, want);
        // That one qmail-queue has to be asked about: it is writing it.
        for (const line of ofLiving) assert(line.startsWith("orphan"), line);
      }),
      changing,
    );
  });

  it("tells nothing that is not so at that moment, even were nothing known", async () => {
    await fc.assert(
      fc.asyncProperty(anyStanding, fc.gen(), async (standing, gen) => {
        const { told, want } = await play(standing, drawing(gen), false);
        assertEquals(told, want);
      }),
      changing,
    );
  });
});
