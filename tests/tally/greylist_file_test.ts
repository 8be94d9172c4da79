import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Greylist } from "../../components/tally/greylist.ts";
import { GreylistFile } from "../../components/tally/greylist_file.ts";
import { formatRecords, type GreylistRecord, recordBytes } from "../../components/tally/greylist_record.ts";
import { hashOf, type Triplet } from "../../components/tally/triplet.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeDisk } from "../support/fake_disk.ts";

const path = "/t/greylist";
const day = 86_400;

function triplet(name: string): Triplet {
  return { key: hashOf(name), network: hashOf(`network of ${name}`) };
}

/** A process on a disk. */
function begin(disk: FakeDisk, clock: FakeClock) {
  const greylist = new Greylist();
  const nowMs = () => clock.seconds * 1000;
  const file = new GreylistFile({ disk, dir: "/t", greylist, nowMs, spareRecords: 5 });
  file.load();
  return {
    greylist,
    file,
    ask: (name: string, waitSeconds: number) => {
      const { reply, changes } = greylist.ask(triplet(name), waitSeconds, clock.seconds);
      file.append(changes);
      return reply.kind;
    },
  };
}
type Process = ReturnType<typeof begin>;

function inOrder({ greylist }: Process): string[] {
  return [...greylist.records()].map((record) => JSON.stringify(record)).toSorted();
}

/** What a process started on this disk now would know. */
function found(disk: FakeDisk, clock: FakeClock): string[] {
  const process = begin(disk, clock);
  process.greylist.expire(clock.seconds);
  return inOrder(process);
}

function keysOf(records: readonly string[]): string[] {
  return records.map((record) => JSON.parse(record).key);
}

/**
 * Two triplets used for eight days, with strangers in between: long enough for the file to be written anew. Tells after
 * each step, and when it is more than a second old; ends when the disk has stopped.
 */
async function story(
  processes: readonly Process[],
  clock: FakeClock,
  told: (what: "asked" | "synced") => boolean | void,
): Promise<void> {
  for (let n = 0; n < 8; n++) {
    for (const [name, waitSeconds] of [["amy", 0], ["bob", 0], [`stranger ${n}`, 300]] as const) {
      for (const process of processes) process.ask(name, waitSeconds);
      if (told("asked") === false) return;
    }
    await clock.advance(2);
    if (told("synced") === false) return;
    await clock.advance(day);
  }
}

describe("GreylistFile", () => {
  it("keeps what was written, and writes it anew when most of it holds no more", async () => {
    using clock = new FakeClock();
    const disk = new FakeDisk(["/t"]);
    const process = begin(disk, clock);
    let longest = 0;
    await story([process], clock, () => {
      longest = Math.max(longest, disk.files()[path]!.length / recordBytes);
      assertEquals(found(disk.afterCrash(), clock), inOrder(process));
    });
    await process.file.stop();
    assert(disk.operations.includes(`rename ${path}.new ${path}`));
    assert(longest < 30, `${longest}`);
    assertEquals(Object.keys(disk.files()), [path]);
    assertEquals(disk.open, 0);
  });

  it("syncs once a second, however much there is to write, and not at all where there is nothing", async () => {
    using clock = new FakeClock();
    const disk = new FakeDisk(["/t"]);
    const process = begin(disk, clock);
    const syncs = () => disk.operations.filter((operation) => operation === `sync ${path}`).length;
    for (let n = 0; n < 100; n++) process.ask(`${n}`, 300);
    await clock.advance(10);
    assertEquals(syncs(), 1);
    process.ask("x", 300);
    await clock.advance(1);
    assertEquals(syncs(), 2);
    await clock.advance(100);
    assertEquals([syncs(), clock.waiting], [2, 0]);
    await process.file.stop();
  });

  it("syncs what is left when it stops", async () => {
    using clock = new FakeClock();
    const disk = new FakeDisk(["/t"]);
    const process = begin(disk, clock);
    process.ask("amy", 300);
    await process.file.stop();
    assertEquals(disk.operations.slice(-2), [`sync ${path}`, "syncdir /t"]);
    assertEquals(clock.waiting, 0);
  });

  it("knows, after a death at any operation, all that was answered before it", async () => {
    for (let n = 0;; n++) {
      using clock = new FakeClock();
      using _log = captureLog();
      const disk = new FakeDisk(["/t"]);
      disk.stopAt(n);
      const process = begin(disk, clock);
      let answered: string[] = [];
      await story([process], clock, () => {
        if (!disk.stopped) answered = inOrder(process);
        return !disk.stopped;
      });
      if (!disk.stopped) return assert(n > 25);
      const after = inOrder(begin(disk.afterCrash(), clock));
      const why = `stopped at ${n}: ${disk.operations.at(-1)}`;
      assertEquals(keysOf(answered).filter((key) => !keysOf(after).includes(key)), [], why);
      // What was being answered may be there in place of what it renews: a triplet and its network.
      assert(answered.filter((record) => !after.includes(record)).length <= 2, why);
    }
  });

  it("knows, after a power loss at any moment, all that was more than a second old", async () => {
    for (let n = 0;; n++) {
      using clock = new FakeClock();
      using _log = captureLog();
      const disk = new FakeDisk(["/t"]);
      disk.stopAt(n);
      const process = begin(disk, clock);
      let synced: string[] = [];
      await story([process], clock, (what) => {
        if (!disk.stopped && what === "synced") synced = inOrder(process);
        return !disk.stopped;
      });
      if (!disk.stopped) return assert(n > 25);
      // Some are too old by now, and were left out of a file written anew.
      const held = keysOf(inOrder(process));
      for (const keeps of ["old", "new", "torn"] as const) {
        const keys = keysOf(inOrder(begin(disk.afterPowerLoss(() => keeps), clock)));
        const lost = keysOf(synced).filter((key) => held.includes(key) && !keys.includes(key));
        assertEquals(lost, [], `${keeps}, stopped at ${n}: ${disk.operations.at(-1)}`);
      }
    }
  });

  for (const [code, half] of [["ENOSPC", "half"], ["EIO", undefined]] as const) {
    it(`goes on in memory after ${code} at any operation, says so once, and saves all later`, async () => {
      for (let n = 0;; n++) {
        using clock = new FakeClock();
        using log = captureLog();
        const disk = new FakeDisk(["/t"]);
        disk.failAt(n, code, half);
        const process = begin(disk, clock);
        const twin = begin(new FakeDisk(["/t"]), clock);
        await story([process, twin], clock, () => {});
        if (disk.operations.length <= n) return assert(n > 25);
        const replies = ["amy", "bob", "stranger 7", "new"].map((
          name,
        ) => [process.ask(name, 300), twin.ask(name, 300)]);
        for (const [mine, its] of replies) assertEquals(mine, its);
        await clock.advance(100);
        process.ask("newer", 300);
        await clock.advance(2);
        assertEquals(found(disk.afterCrash(), clock), inOrder(process), disk.operations[n]);
        const lines = log.lines();
        assertMatch(
          lines[0]!,
          new RegExp(`^alert: cannot write tally/greylist: .*${code}.*; greylisting goes on in memory$`),
        );
        assertMatch(lines[1]!, /^greylist_saved records=[0-9]+$/);
        assertEquals(lines.length, 2, lines.join("\n"));
        await process.file.stop();
        await twin.file.stop();
        assertEquals(disk.open, 0);
      }
    });
  }

  it("says once that a disk stays full, and tries once a minute", async () => {
    using clock = new FakeClock();
    using log = captureLog();
    const disk = new FakeDisk(["/t"]);
    const process = begin(disk, clock);
    for (let n = disk.operations.length; n < 1000; n++) disk.failAt(n, "ENOSPC", "half");
    for (let n = 0; n < 300; n++) {
      process.ask(`${n}`, 300);
      await clock.advance(1);
    }
    assertEquals(log.lines().length, 1);
    assert(disk.operations.length < 20, disk.operations.join("\n"));
    assertEquals(process.greylist.counts.waiting, 300);
    await process.file.stop();
    assertEquals(disk.open, 0);
  });

  const record = (n: number): GreylistRecord => ({ kind: "known", key: hashOf(`${n}`), seconds: 1_795_333_000 });
  const many = Array.from({ length: 2500 }, (_, n) => record(n));

  it("cuts a torn end at the start, wherever it is torn", async () => {
    for (let cut = 0; cut < 2 * recordBytes; cut++) {
      using clock = new FakeClock();
      using log = captureLog();
      const disk = new FakeDisk(["/t"]);
      disk.put(path, formatRecords([record(1), record(2), record(3)]).subarray(0, recordBytes + cut));
      const process = begin(disk, clock);
      assertEquals(process.greylist.counts.known, 1 + Math.floor(cut / recordBytes));
      await process.file.rewritten();
      process.ask("amy", 300);
      assertEquals(found(disk.afterCrash(), clock), inOrder(process));
      assertEquals(disk.files()[path]!.length % recordBytes, 0);
      assertEquals(log.lines().length, cut % recordBytes === 0 ? 0 : 1);
      await process.file.stop();
    }
  });

  it("loses nothing that changes while the file is written anew, be that cut short or not", async () => {
    for (const isCut of [false, true]) {
      using clock = new FakeClock();
      using _log = captureLog();
      const disk = new FakeDisk(["/t"]);
      disk.put(path, Uint8Array.from([...formatRecords(many), 1]));
      const process = begin(disk, clock);
      for (let n = 0; n < 100; n++) process.ask(`new ${n}`, 300);
      // The first slice is written; those of now are to be found in the slices behind, and behind those.
      assert(disk.files()[`${path}.new`]!.length >= 1000 * recordBytes);
      await clock.jump();
      for (let n = 0; n < 100; n++) process.ask(`newer ${n}`, 300);
      if (!isCut) {
        await clock.advance(10);
        assertEquals(Object.keys(disk.files()), [path]);
      }
      assertEquals(found(disk.afterCrash(), clock), inOrder(process));
      assertEquals(process.greylist.size, 2700);
      const stopped = process.file.stop();
      await clock.advance(1);
      await stopped;
      assertEquals(found(disk.afterCrash(), clock), inOrder(process));
      assertEquals(disk.open, 0);
    }
  });

  it("puts nothing half-written in the file's place when it is stopped meanwhile", async () => {
    using clock = new FakeClock();
    using _log = captureLog();
    const disk = new FakeDisk(["/t"]);
    disk.put(path, Uint8Array.from([...formatRecords(many), 1]));
    const process = begin(disk, clock);
    const stopped = process.file.stop();
    await clock.advance(1);
    await stopped;
    assert(!disk.operations.includes(`rename ${path}.new ${path}`));
    assertEquals(begin(disk.afterCrash(), clock).greylist.size, many.length);
  });

  it("begins with nothing, and says why, where the file cannot be read", async () => {
    using clock = new FakeClock();
    using log = captureLog();
    const disk = new FakeDisk(["/t"]);
    disk.put(path, formatRecords(many));
    disk.failAt(0, "EIO");
    const process = begin(disk, clock);
    assertEquals(process.greylist.size, 0);
    assertEquals(process.ask("amy", 300), "wait");
    assertEquals(log.lines().length, 1);
    await process.file.stop();
  });
});
