import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { homeAt } from "../../config/home.ts";
import { realDisk } from "../../components/lib/disk/disk.ts";
import { ownDirs } from "../../components/lib/queue/layout.ts";
import type { Pipe } from "../../components/lib/wire/pipe.ts";
import { parseQueueNotice, type QueueNotice, type SendRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { Journal } from "../../components/qmail-queue/journal/journal.ts";
import { SendLink } from "../../components/qmail-queue/send_link.ts";
import { QueueStore } from "../../components/qmail-queue/store.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";
import { envelopeOf, textOf } from "./lives.ts";

/** A qmail-send that only listens. */
class Ear {
  readonly notices: QueueNotice[] = [];
  pipe: Pipe | undefined;
  connections = 0;
  readonly #server: UnixServer;

  constructor(path: string) {
    this.#server = serveUnix(path, {
      onOpen: (pipe) => {
        this.pipe = pipe;
        this.connections++;
      },
      onFrame: (frame) => void this.notices.push(parseQueueNotice(frame)),
      onError: (error) => {
        throw error;
      },
    });
  }

  ask(request: SendRequest): void {
    this.pipe?.send(request);
  }

  /** The serials of every message told of, frame by frame. */
  get told(): number[][] {
    return this.notices.flatMap((notice) =>
      notice.op === "journal" ? [notice.entries.map(({ serial }) => serial)] : []
    );
  }

  /** The first notice of this kind, when it has come. */
  heard<Op extends QueueNotice["op"]>(op: Op): Promise<Extract<QueueNotice, { op: Op }>> {
    const find = () => this.notices.find((notice): notice is Extract<QueueNotice, { op: Op }> => notice.op === op);
    return waitFor(find, `a notice "${op}"`);
  }

  end(): void {
    this.#server.stop();
    this.#server.closeAll();
  }
}

/** A queue on a real disk with its link to a qmail-send that is not there yet. */
async function world() {
  const dir = tempDir();
  const log = captureLog();
  const home = homeAt(dir.path, { queueSplit: 1 });
  const folders = [...["pid", "intd", "todo", "mess/0"], ...ownDirs].map((folder) => home.queue(folder));
  for (const folder of [...folders, dirname(home.socket("qmail-send"))]) Deno.mkdirSync(folder, { recursive: true });
  const disk = realDisk();
  const journal = await Journal.open(disk, home, {
    segment: { bytes: 1024 * 1024, records: 1000 },
    segments: 2,
    numbers: { ready: 260, most: 1000, breathe: () => Promise.resolve() },
    onTrouble: () => {},
    onVacate: () => {},
    nowMs: () => Date.now(),
    gather: () => Promise.resolve(),
  });
  const link: SendLink = new SendLink(home, () => store);
  const store: QueueStore = new QueueStore(disk, home, journal, link);
  const ears: Ear[] = [];
  const listen = () => {
    const ear = new Ear(home.socket("qmail-send"));
    ears.push(ear);
    return ear;
  };
  const end = async () => {
    await link.stop();
    for (const ear of ears) ear.end();
    await journal.close();
    log[Symbol.dispose]();
    dir[Symbol.dispose]();
  };
  const accept = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => store.accept(envelopeOf(`a${n}`), textOf(`a${n}`, 200))));
  const serials = () => journal.entries().map(({ serial }) => serial);
  return { home, log, journal, store, link, listen, accept, serials, [Symbol.asyncDispose]: end };
}

describe("SendLink", () => {
  it("tells all messages of the journal on each connection, at most a hundred in one frame", async () => {
    await using here = await world();
    await here.accept(250);
    const ear = here.listen();
    here.link.start();
    for (const connection of [1, 2]) {
      await waitFor(() => ear.told.flat().length === 250 && ear.told.length === 3, `connection ${connection}`);
      assertEquals(ear.told.map((serials) => serials.length), [100, 100, 50]);
      assertEquals(ear.told.flat(), here.serials());
      ear.notices.length = 0;
      ear.pipe!.close();
    }
    await waitFor(() => ear.connections === 3, "another connection");
  });

  it("says that there are none where there are none", async () => {
    await using here = await world();
    const ear = here.listen();
    here.link.start();
    assertEquals(await ear.heard("journal"), { op: "journal", entries: [] });
  });

  it("tells of new messages as they come, and of those in todo by their numbers", async () => {
    await using here = await world();
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    await here.accept(3);
    await waitFor(() => ear.told.flat().length === 3, "three messages");
    here.store.accepting = false;
    await here.accept(2);
    await waitFor(
      () => ear.notices.flatMap((notice) => notice.op === "todo" ? notice.messages : []).length === 2,
      "two",
    );
  });

  it("answers `done` with `settled`, and tells of those no more", async () => {
    await using here = await world();
    await here.accept(3);
    const [first, second, third] = here.serials() as [number, number, number];
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    ear.ask({ op: "done", serials: [first, third] });
    assertEquals((await ear.heard("settled")).serials, [first, third]);
    assertEquals(here.serials(), [second]);
    ear.notices.length = 0;
    ear.pipe!.close();
    await waitFor(() => ear.told.length > 0, "another connection");
    assertEquals(ear.told, [[second]]);
  });

  it("does not tell of a message that was done before its turn to be told of", async () => {
    await using here = await world();
    await here.accept(2);
    const [first, second] = here.serials();
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    ear.notices.length = 0;
    for (const serial of [first!, second!]) here.link.journal(here.store.journalMessage(serial)!);
    here.store.done([first!]);
    await waitFor(() => ear.told.length > 0, "a notice");
    assertEquals(ear.told, [[second]]);
  });

  it("answers `move` with `moved`, whether it could or not", async () => {
    await using here = await world();
    await here.accept(1);
    const [entry] = here.journal.entries();
    const { serial, id } = entry!;
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    ear.ask({ op: "move", serial, message: id });
    assertEquals(await ear.heard("moved"), { op: "moved", serial, ok: true });
    assertEquals(Array.from(Deno.readDirSync(here.home.queue("todo")), ({ name }) => name), [String(id)]);
    ear.notices.length = 0;
    ear.ask({ op: "move", serial: serial + 1, message: id + 1 });
    assertEquals(await ear.heard("moved"), { op: "moved", serial: serial + 1, ok: false });
  });

  it("obeys `accepting`, and says which files nobody writes", async () => {
    await using here = await world();
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    const { draft } = here.store.begin("network", 7);
    ear.ask({ op: "accepting", accepting: false });
    ear.ask({ op: "writing", messages: [draft.id, 5] });
    assertEquals((await ear.heard("abandoned")).messages, [5]);
    here.store.abort(draft);
    await here.accept(1);
    assertEquals([(await ear.heard("todo")).messages.length, here.journal.size], [1, 0]);
  });

  it("asks for the room of messages", async () => {
    await using here = await world();
    await here.accept(2);
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    const entries = here.journal.entries();
    here.link.vacate(entries);
    const { serials, messages } = await ear.heard("vacate");
    assertEquals([serials, messages], [entries.map(({ serial }) => serial), entries.map(({ id }) => id)]);
  });

  it("ends a connection on garbage, logs it, and connects again", async () => {
    await using here = await world();
    const ear = here.listen();
    here.link.start();
    await ear.heard("journal");
    ear.pipe!.send({ op: "unheard-of" });
    await waitFor(() => ear.connections === 2, "another connection");
    assertEquals(here.log.lines().filter((line) => line.includes("garbage")).length, 1);
  });
});
