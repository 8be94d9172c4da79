import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { formatQread, formatQstat, JsonListing } from "../../../components/lib/queue/format_listing.ts";
import { countQueue, type ListingEvent, readListing } from "../../../components/lib/queue/listing.ts";
import { queueFile } from "../../../components/lib/queue/layout.ts";
import type { Home } from "../../../config/home.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import { putLarge } from "../../support/journal_segment.ts";
import { type RealQueue, realQueue } from "../../support/real_queue.ts";

const born = Date.UTC(2026, 10, 22, 7, 20, 51) / 1000;

function list(home: Home): string {
  return Array.from(readListing(home), formatQread).join("");
}

function json(home: Home): unknown {
  const listing = new JsonListing();
  return JSON.parse(Array.from(readListing(home), (event) => listing.push(event)).join("") + listing.end());
}

function warnings(events: Iterable<ListingEvent>): string[] {
  return Array.from(events).flatMap((event) => event.kind === "warning" ? [event.text] : []);
}

/** The message that qmail's own programs were shown. */
function sample(queue: RealQueue): number {
  const id = queue.message({
    info: "Fjoe@localhost\0",
    local: "Djoe@localhost\0Tjoe-defer@localhost\0",
    remote: "Dok@r.example\0Tla\tter@r.example\0",
    bounce: "<x@r.example>:\n",
  }, "x".repeat(85));
  Deno.utimeSync(queueFile(queue.home, "info", id), born, born);
  return id;
}

describe("readListing(), formatQread()", () => {
  it("show a message as qmail-qread does, local recipients first", () => {
    using queue = realQueue();
    const id = sample(queue);
    assertEquals(
      list(queue.home),
      `22 Nov 2026 07:20:51 GMT  #${id}  85  <joe@localhost>  bouncing\n` +
        "  done\tlocal\tjoe@localhost\n" +
        "\tlocal\tjoe-defer@localhost\n" +
        "  done\tremote\tok@r.example\n" +
        "\tremote\tla_ter@r.example\n",
    );
  });

  it("end the first line with a blank where nothing bounced, and keep blanks in addresses", () => {
    using queue = realQueue();
    const id = queue.message({ info: "F\0", remote: "Tla ter\x7f\xe9\x1b@r.example\0" }, "");
    Deno.utimeSync(queueFile(queue.home, "info", id), born, born);
    assertEquals(
      list(queue.home),
      `22 Nov 2026 07:20:51 GMT  #${id}  0  <> \n\tremote\tla ter___@r.example\n`,
    );
  });

  it("show nothing of a message that is only in todo", () => {
    using queue = realQueue();
    queue.message({ todo: "u1\0p1\0Fa\0Tb\0" });
    assertEquals(list(queue.home), "");
  });

  it("go on where a message vanishes before, between and after its files are read", () => {
    using queue = realQueue();
    const ids = Array.from({ length: 60 }, () => queue.message({ info: "Fa\0", local: "Tb\0", remote: "Tc\0" }));
    const steps = ["mess", "info", "local", "remote"] as const;
    const listed = new Set<number>();
    let events = 0;
    for (const event of readListing(queue.home)) {
      if (event.kind === "message") listed.add(event.message.id);
      // Whichever is being read now, some file of some message goes.
      const id = ids[events % ids.length]!;
      const path = queueFile(queue.home, steps[events++ % steps.length]!, id);
      try {
        Deno.removeSync(path);
      } catch {
        // It went before.
      }
      assertEquals(event.kind === "warning", false);
    }
    assert(listed.size > 0 && [...listed].every((id) => ids.includes(id)));
  });

  it("warn of what is no info, no recipient, or not ended, and go on", () => {
    using queue = realQueue();
    const bad = queue.message({ info: "Xa\0" });
    const odd = queue.message({ info: "Fa\0", local: "Tb\0Xc\0Td" });
    assertEquals(
      warnings(readListing(queue.home)).toSorted(),
      [
        `info/${bad} holds no sender`,
        `local/${odd}: the last record is not ended`,
        `local/${odd}: unknown record type "X"`,
      ].toSorted(),
    );
  });

  it("do not wait for a FIFO, nor follow a symlink", () => {
    using queue = realQueue();
    const id = queue.message({});
    assertEquals(new Deno.Command("mkfifo", { args: [queueFile(queue.home, "info", id)] }).outputSync().code, 0);
    const other = queue.message({});
    Deno.symlinkSync("/etc/passwd", queueFile(queue.home, "info", other));
    assertEquals([...readListing(queue.home)], []);
  });
});

describe("JsonListing", () => {
  it("is an array of messages with their recipients", () => {
    using queue = realQueue();
    const id = sample(queue);
    assertEquals(json(queue.home), [{
      id,
      birthSeconds: born,
      sizeBytes: 85,
      sender: "joe@localhost",
      bouncing: true,
      recipients: [
        { channel: "local", address: "joe@localhost", done: true },
        { channel: "local", address: "joe-defer@localhost", done: false },
        { channel: "remote", address: "ok@r.example", done: true },
        { channel: "remote", address: "la\tter@r.example", done: false },
      ],
    }]);
  });

  it("is one with any number of messages", () => {
    using queue = realQueue();
    assertEquals(json(queue.home), []);
    const ids = Array.from({ length: 3 }, () => queue.message({ info: "Fa\0" })).toSorted((a, b) => a - b);
    const found = json(queue.home) as { id: number; recipients: unknown[] }[];
    assertEquals(found.map(({ id }) => id).toSorted((a, b) => a - b), ids);
    assertEquals(found.map(({ recipients }) => recipients), [[], [], []]);
  });
});

describe("countQueue(), formatQstat()", () => {
  it("count files below mess and in todo, as qmail-qstat does", () => {
    using queue = realQueue();
    sample(queue);
    queue.message({ todo: "u1\0p1\0Fa\0Tb\0", intd: "u1\0p1\0Fa\0Tb\0" });
    queue.message({});
    assertEquals(countQueue(queue.home), { messages: 3, notPreprocessed: 1 });
    assertEquals(
      formatQstat(countQueue(queue.home)),
      "messages in queue: 3\nmessages in queue but not yet preprocessed: 1\n",
    );
  });

  it("count a message once whose text stands in mess, and whose envelope in the journal", () => {
    using queue = realQueue();
    putLarge(queue.home, queue.message({}, "Subject: large\n\n"), toOctets("Subject: large\n\n"));
    assertEquals(countQueue(queue.home), { messages: 1, notPreprocessed: 1 });
  });
});
