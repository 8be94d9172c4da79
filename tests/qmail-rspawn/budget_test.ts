/**
 * What a message costs qmail-rspawn, counted on the whole component in this process: frames, and calls of the system for
 * files.
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { run } from "../../components/qmail-rspawn/run.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { Deliverer } from "../../components/lib/delivery/deliverer.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { Client } from "../../components/lib/wire/client.ts";
import {
  parseRemoteRequest,
  parseSpawnReply,
  type RemoteRequest,
} from "../../components/lib/wire/delivery_protocol.ts";
import type { Pipe } from "../../components/lib/wire/pipe.ts";
import type { JournalPlace } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { assertBudget, type Budget } from "../support/budget.ts";
import { putSegment } from "../support/journal_segment.ts";
import { Meter } from "../support/meter.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const kibibyte = 1024;
const crowd = 20;

/** Messages have 10 KiB, stand in the journal and have one recipient unless said. To lower a figure, lower it here. */
const budgets = {
  "one message": {
    "reads": 1,
    "frames to qmail-remote": 1,
    "writes to qmail-remote": 1,
    "octets to qmail-remote": { most: 10 * kibibyte + 420 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 80 },
  },
  "one message for 20 recipients": {
    "reads": 1,
    "frames to qmail-remote": 1,
    "writes to qmail-remote": 1,
    "octets to qmail-remote": { most: 10 * kibibyte + 800 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 760 },
  },
  "20 messages at once": {
    "reads": crowd,
    "frames to qmail-remote": crowd,
    "writes to qmail-remote": { most: crowd },
    "octets to qmail-remote": { most: crowd * (10 * kibibyte + 420) },
    "frames to qmail-send": crowd,
    "writes to qmail-send": { most: crowd },
    "octets to qmail-send": { most: crowd * 80 },
  },
  "one of 1 MiB, from the layout": {
    "opens": 1,
    "looks": 2,
    "reads": 8,
    // Pieces of 128 KiB.
    "frames to qmail-remote": 8,
    "writes to qmail-remote": { most: 16 },
    "octets to qmail-remote": { most: kibibyte * kibibyte + 700 },
    "frames to qmail-send": 1,
    "writes to qmail-send": 1,
    "octets to qmail-send": { most: 80 },
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "opens": "components/lib/queue/journal/reader.ts (segments stay open), components/lib/delivery/message_file.ts",
  "looks": "components/lib/delivery/message_file.ts",
  "reads": "components/lib/queue/journal/reader.ts, components/lib/delivery/message_file.ts",
  "frames to qmail-remote": "components/qmail-rspawn/run.ts, components/lib/delivery/link.ts",
  "writes to qmail-remote": "components/lib/wire/pipe.ts",
  "octets to qmail-remote": "components/qmail-rspawn/route.ts: the fields of a request",
  "frames to qmail-send": "components/lib/delivery/spawner.ts",
  "writes to qmail-send": "components/lib/wire/pipe.ts",
  "timers": "components/qmail-rspawn/remote_link.ts",
};

describe("qmail-rspawn's cost of a message", () => {
  let dir: TempDir;
  let home: Home;
  let remote: UnixServer;
  let meter: Meter;
  let server: Running;
  let client: Client;
  let places: readonly JournalPlace[];

  /** Takes everything, having fetched all of it. */
  function serveRemote(): UnixServer {
    const deliverers = new Map<Pipe, Deliverer<RemoteRequest>>();
    return serveUnix(home.socket("qmail-remote"), {
      onOpen: (pipe) => {
        const deliverer = new Deliverer(pipe, parseRemoteRequest, async ({ recipients }, body) => {
          for await (const _ of body.pieces()) { /* on */ }
          return recipients.map(() => ({ verdict: "K", text: "taken\n" }));
        }, (error) => {
          throw error;
        }, { restMs: 0 });
        deliverers.set(pipe, deliverer);
      },
      onFrame: (frame, pipe) => deliverers.get(pipe)!.take(frame),
      onError: (error) => {
        throw error;
      },
    });
  }

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(dir.path);
    const large = queueFile(home, "mess", 4711);
    const paths = [home.control("me"), home.socket("qmail-rspawn"), home.socket("qmail-remote"), large];
    for (const path of paths) Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "mx.example.com\n");
    Deno.writeFileSync(large, new Uint8Array(kibibyte * kibibyte));
    places = putSegment(home, Array.from({ length: crowd }, () => new Uint8Array(10 * kibibyte)));
    remote = serveRemote();
    meter = new Meter({
      calls: { [home.socket("qmail-remote")]: "qmail-remote" },
      serves: { [home.socket("qmail-rspawn")]: "qmail-send" },
      files: true,
    });
    server = run({ home, portOffset: 0, requestStop: () => {} });
    client = new Client(home.socket("qmail-rspawn"));
  });

  afterEach(async () => {
    client.close();
    await server.stop();
    meter[Symbol.dispose]();
    remote.stop();
    remote.closeAll();
    dir[Symbol.dispose]();
  });

  async function deliver(place: JournalPlace | undefined, count = 1): Promise<void> {
    const recipients = Array.from({ length: count }, (_, n) => `user${n}@r.example`);
    const message = place?.serial ?? 4711;
    const reply = await client.request({ op: "deliver", message, place, sender: "s@client.example", recipients });
    assertEquals(parseSpawnReply(reply, count).reports.map(({ verdict }) => verdict), recipients.map(() => "K"));
  }

  const rows = [
    { costs: "one message", work: () => deliver(places[0]) },
    { costs: "one message for 20 recipients", work: () => deliver(places[0], crowd) },
    { costs: "20 messages at once", work: () => Promise.all(places.map((place) => deliver(place))) },
    { costs: "one of 1 MiB, from the layout", work: () => deliver(undefined) },
  ] as const;
  for (const { costs, work } of rows) {
    it(`fits its budget for ${costs}, each time`, async () => {
      await deliver(places[0]);
      for (let round = 0; round < 3; round++) {
        assertBudget(costs, await meter.during(work), budgets[costs], look);
      }
    });
  }
});
