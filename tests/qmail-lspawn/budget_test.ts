/**
 * What a delivery costs qmail-lspawn, counted on the whole component in this process: questions, frames, and calls of the
 * system for files. What it starts is played by the test.
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { run } from "../../components/qmail-lspawn/run.ts";
import { Deliverer } from "../../components/lib/delivery/deliverer.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parseLocalRequest, parseSpawnReply } from "../../components/lib/wire/delivery_protocol.ts";
import { parseGetpwRequest } from "../../components/lib/wire/getpw_protocol.ts";
import { Pipe, type Streams } from "../../components/lib/wire/pipe.ts";
import type { JournalPlace } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { assertBudget, type Budget } from "../support/budget.ts";
import { putSegment } from "../support/journal_segment.ts";
import { Meter } from "../support/meter.ts";
import { countFrames } from "../support/metered_sockets.ts";
import { fakeChildren } from "../support/standard_streams.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const kibibyte = 1024;
const crowd = 20;

/** Messages have 10 KiB and stand in the journal unless said. To lower a figure, lower it here. */
const budgets = {
  "the first delivery to a mailbox": {
    // Who it is itself: whose its socket is.
    "looks": 1,
    "reads": 1,
    "frames to qmail-getpw": 1,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 70 },
    "frames to qmail-local": 1,
    "writes to qmail-local": 1,
    "octets to qmail-local": { most: 10 * kibibyte + 400 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 90 },
  },
  "the next one to it": {
    "looks": 1,
    "reads": 1,
    "frames to qmail-local": 1,
    "writes to qmail-local": 1,
    "octets to qmail-local": { most: 10 * kibibyte + 400 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 90 },
  },
  "20 at once to one mailbox": {
    "looks": crowd,
    "reads": crowd,
    "frames to qmail-local": crowd,
    "writes to qmail-local": 2,
    "octets to qmail-local": { most: crowd * (10 * kibibyte + 400) },
    "frames to qmail-send": crowd,
    "writes to qmail-send": { most: crowd },
    "octets to qmail-send": { most: crowd * 90 },
  },
  "20 at once to 20 mailboxes": {
    "looks": crowd,
    "reads": crowd,
    "frames to qmail-getpw": crowd,
    "writes to qmail-getpw": { most: crowd },
    "octets to qmail-getpw": { most: crowd * 70 },
    "frames to qmail-local": crowd,
    "writes to qmail-local": { most: crowd },
    "octets to qmail-local": { most: crowd * (10 * kibibyte + 400) },
    "frames to qmail-send": crowd,
    "writes to qmail-send": { most: crowd },
    "octets to qmail-send": { most: crowd * 90 },
  },
  "one of 1 MiB, from the layout": {
    "opens": 1,
    "looks": 3,
    "reads": 8,
    // Pieces of 128 KiB.
    "frames to qmail-local": 8,
    "writes to qmail-local": 8,
    "octets to qmail-local": { most: kibibyte * kibibyte + 8 * 60 + 400 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 90 },
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "opens": "components/lib/queue/journal/reader.ts (segments stay open), components/lib/delivery/message_file.ts",
  "looks": "components/qmail-lspawn/run.ts, components/lib/delivery/message_file.ts",
  "reads": "components/lib/queue/journal/reader.ts, components/lib/delivery/message_file.ts",
  "frames to qmail-getpw": "components/qmail-lspawn/run.ts: what it found is remembered for a second",
  "writes to qmail-getpw": "components/lib/wire/pipe.ts",
  "octets to qmail-getpw": "components/lib/wire/getpw_protocol.ts",
  "frames to qmail-local": "components/qmail-lspawn/run.ts, components/lib/delivery/link.ts",
  "writes to qmail-local": "components/lib/wire/pipe.ts, components/lib/workers/launch.ts",
  "octets to qmail-local": "components/qmail-lspawn/run.ts: the fields of a request",
  "frames to qmail-send": "components/lib/delivery/spawner.ts",
  "writes to qmail-send": "components/lib/wire/pipe.ts",
  "octets to qmail-send": "components/qmail-lspawn/request.ts",
  "processes": "components/lib/workers",
  "timers": "components/qmail-lspawn/run.ts, components/lib/workers/workers.ts: only who waits needs one",
};

describe("qmail-lspawn's cost of a delivery", () => {
  let dir: TempDir;
  let home: Home;
  let getpw: UnixServer;
  let meter: Meter;
  let children: Disposable;
  let server: Running;
  let client: Client;
  let places: readonly JournalPlace[];

  /** Whoever asks for it delivers everything, having fetched all of it. */
  function playLocal(inside: Streams): void {
    meter.tally.add("processes");
    const pipe = new Pipe(inside);
    const deliverer = new Deliverer(pipe, parseLocalRequest, async (_, body) => {
      for await (const _ of body.pieces()) { /* on */ }
      return [{ verdict: "K", text: "did 1+0+0\n" }];
    }, (error) => {
      throw error;
    }, { restMs: 0 });
    void (async () => {
      for await (const frame of pipe.frames()) deliverer.take(frame);
    })();
  }

  function serveGetpw(): UnixServer {
    return serveUnix(home.socket("qmail-getpw"), {
      onFrame: (frame, pipe) => {
        const request = parseGetpwRequest(frame);
        if (request.op !== "find") throw new Error(`expected "find", got ${request.op}`);
        const user = request.address.split("@")[0]!;
        const account = { isVirtual: true, domain: "localhost", user, uid: 1000, gid: 1000, dash: "", extension: "" };
        pipe.send({ id: request.id, kind: "account", home: home.mail("localhost", user), ...account });
      },
      onError: (error) => {
        throw error;
      },
    });
  }

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(dir.path);
    const large = queueFile(home, "mess", 4711);
    const paths = [home.control("me"), home.socket("qmail-lspawn"), home.socket("qmail-getpw"), large];
    for (const path of paths) Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "mx.example.com\n");
    Deno.writeFileSync(large, new Uint8Array(kibibyte * kibibyte));
    places = putSegment(home, Array.from({ length: crowd }, () => new Uint8Array(10 * kibibyte)));
    getpw = serveGetpw();
    meter = new Meter({
      calls: { [home.socket("qmail-getpw")]: "qmail-getpw" },
      serves: { [home.socket("qmail-lspawn")]: "qmail-send" },
      files: true,
    });
    children = fakeChildren({
      onStart: playLocal,
      onOutside: (outside) => countFrames(outside, meter.tally, "qmail-local"),
    });
    server = run({ home, portOffset: 0, requestStop: () => {} }, false);
    client = new Client(home.socket("qmail-lspawn"));
  });

  afterEach(async () => {
    client.close();
    await server.stop();
    children[Symbol.dispose]();
    meter[Symbol.dispose]();
    getpw.stop();
    getpw.closeAll();
    dir[Symbol.dispose]();
  });

  async function deliver(user: string, place: JournalPlace | undefined, message = 1): Promise<void> {
    const request = { op: "deliver", message, place, sender: "s@client.example", recipients: [`${user}@localhost`] };
    assertEquals(parseSpawnReply(await client.request(request), 1).reports[0]?.verdict, "K");
  }

  const users = (from: number) => Array.from({ length: crowd }, (_, n) => `user${from + n}`);
  const toEach = (from: number) => Promise.all(users(from).map((user, n) => deliver(user, places[n])));

  const rows = [
    { costs: "the first delivery to a mailbox", work: (round: number) => deliver(`new${round}`, places[0]) },
    { costs: "the next one to it", work: () => deliver("joe", places[0]) },
    { costs: "20 at once to one mailbox", work: () => Promise.all(places.map((place) => deliver("joe", place))) },
    { costs: "20 at once to 20 mailboxes", work: (round: number) => toEach(crowd * round) },
    { costs: "one of 1 MiB, from the layout", work: () => deliver("joe", undefined, 4711) },
  ] as const;
  for (const { costs, work } of rows) {
    it(`fits its budget for ${costs}, each time`, async () => {
      await deliver("joe", places[0]);
      for (let round = 0; round < 3; round++) {
        assertBudget(costs, await meter.during(() => work(round)), budgets[costs], look);
      }
    });
  }
});
