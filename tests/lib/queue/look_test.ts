import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { queueFile } from "../../../components/lib/queue/layout.ts";
import { checkQueue } from "../../../components/lib/queue/look.ts";
import type { Home } from "../../../config/home.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import { putLarge } from "../../support/journal_segment.ts";
import { realQueue } from "../../support/real_queue.ts";

const todo = "u1\0p1\0Fa@b\0Tc@d\0";

interface Meanwhile {
  /** Called between two looks, with how often before. */
  readonly between?: (look: number) => void;
  readonly writing?: (asked: number) => boolean;
}

async function check(home: Home, { between = () => {}, writing = () => false }: Meanwhile = {}): Promise<string[]> {
  let looks = 0;
  let asked = 0;
  const found = await checkQueue(home, {
    writing: () => Promise.resolve(writing(asked++)),
    pause: () => Promise.resolve(between(looks++)),
  });
  return found.map(({ kind, path }) => `${kind} ${path}`);
}

const below = (home: Home, path: string) => path.slice(home.queue().length + 1);

describe("checkQueue()", () => {
  it("finds nothing in a queue with a message of each state", async () => {
    using queue = realQueue();
    const id = queue.message({ intd: todo });
    Deno.linkSync(queueFile(queue.home, "intd", id), queueFile(queue.home, "todo", id));
    queue.message({ info: "Fa@b\0", local: "Tx@y\0Dz@y\0", remote: "Tc@d\0", bounce: "<x@y>:\n" });
    assertEquals(await check(queue.home), []);
  });

  it("finds nothing in a message whose text stands in mess, and whose envelope in the journal", async () => {
    using queue = realQueue();
    const text = "Subject: large\n\n";
    const id = queue.message({}, text);
    assertEquals(await check(queue.home), [`no-envelope ${below(queue.home, queueFile(queue.home, "mess", id))}`]);
    putLarge(queue.home, id, toOctets(text));
    assertEquals(await check(queue.home), []);
    Deno.removeSync(queueFile(queue.home, "mess", id));
    assertEquals(await check(queue.home), ["no-text journal/1"]);
  });

  it("finds a copied message, a torn envelope, a second file for a link, a file that nobody will finish", async () => {
    using queue = realQueue();
    const { home } = queue;
    const torn = queue.message({ todo: "u1\0p1\0Fa@b\0Tc" });
    const unlinked = queue.message({ todo, intd: todo });
    const abandoned = queue.message({ intd: "u1\0" });
    // The last one: its inode comes free.
    const copied = queue.message({ info: "Fa\0" });
    Deno.copyFileSync(queueFile(home, "mess", copied), home.queue("x"));
    Deno.renameSync(home.queue("x"), queueFile(home, "mess", copied));
    assertEquals(
      await check(home),
      [
        `wrong-inode ${below(home, queueFile(home, "mess", copied))}`,
        `format todo/${torn}`,
        `unlinked-todo todo/${unlinked}`,
        `no-envelope ${below(home, queueFile(home, "mess", abandoned))}`,
      ].toSorted((a, b) => a.split(" ")[1]! < b.split(" ")[1]! ? -1 : 1),
    );
  });

  it("finds symlinks, FIFOs and foreign folders, without going into them or waiting for one", async () => {
    using queue = realQueue();
    const { home } = queue;
    Deno.symlinkSync("/etc/passwd", home.queue("todo", "46"));
    Deno.symlinkSync("/", home.queue("mess", "other"));
    Deno.mkdirSync(home.queue("spool", "deep"), { recursive: true });
    assertEquals(new Deno.Command("mkfifo", { args: [home.queue("info", "1", "47")] }).outputSync().code, 0);
    assertEquals(await check(home), [
      "not-regular info/1/47",
      "foreign mess/other",
      "foreign spool",
      "not-regular todo/46",
    ]);
  });

  it("says nothing of what is in order at the next look", async () => {
    using queue = realQueue();
    const { home } = queue;
    const id = queue.message({ local: "Tx@y\0" });
    const writeInfo = () => Deno.writeTextFileSync(queueFile(home, "info", id), "Fa\0");
    assertEquals(await check(home, { between: (look) => look === 3 && writeInfo() }), []);
  });

  it("says nothing of what is gone at the next look", async () => {
    using queue = realQueue();
    const { home } = queue;
    Deno.writeTextFileSync(home.queue("todo", "x"), "");
    const id = queue.message({ bounce: "x" });
    const remove = () =>
      [home.queue("todo", "x"), queueFile(home, "bounce", id), queueFile(home, "mess", id)].forEach((path) =>
        Deno.removeSync(path)
      );
    assertEquals(await check(home, { between: (look) => look === 0 && remove() }), []);
  });

  it("keeps a folder that stays missing", async () => {
    using queue = realQueue();
    for (const dir of ["intd", "pid"]) Deno.removeSync(queue.home.queue(dir));
    const make = () => Deno.mkdirSync(queue.home.queue("pid"));
    assertEquals(await check(queue.home, { between: (look) => look === 1 && make() }), ["missing-folder intd"]);
  });

  it("believes in a qmail-queue that ran at any moment of a look", async () => {
    using queue = realQueue();
    queue.message({});
    for (const moment of [0, 1]) assertEquals(await check(queue.home, { writing: (asked) => asked === moment }), []);
    assertEquals((await check(queue.home)).length, 1);
  });

  it("rejects where there is no queue to read", async () => {
    using queue = realQueue();
    Deno.removeSync(queue.home.queue(), { recursive: true });
    assertEquals(await assertRejects(() => check(queue.home)) instanceof Deno.errors.NotFound, true);
  });
});
