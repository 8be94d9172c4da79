/**
 * What a delivery into a Maildir costs qmail-local, counted on its whole shell in this process: calls of the system for
 * files, by kind, and frames.
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { run } from "../../components/qmail-local/run.ts";
import { DeliveryLink } from "../../components/lib/delivery/link.ts";
import { MessageOctets } from "../../components/lib/delivery/message_file.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { assertBudget, type Budget } from "../support/budget.ts";
import { memoryPair } from "../support/memory_conn.ts";
import { Meter } from "../support/meter.ts";
import { countFrames } from "../support/metered_sockets.ts";
import { standardStreams } from "../support/standard_streams.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const kibibyte = 1024;
const crowd = 20;

/**
 * A timer is where a report comes so soon after another that it rests first (lib/delivery/deliverer.ts).
 * Messages have 10 KiB unless said. To lower a figure, lower it here.
 */
const budgets = {
  "the first message for a mailbox": {
    // The message, and the folder that is synced.
    "opens": 2,
    // Two names that a .qmail may have, and whether it could be seen; whether the Maildir lies where its path says.
    "looks": 6,
    "writes": 1,
    "syncs": 1,
    "renames": 1,
    "folder syncs": 1,
    "frames to qmail-lspawn": 1,
    "writes to qmail-lspawn": 1,
    "timers": { most: 1 },
    "octets to qmail-lspawn": { most: 100 },
  },
  "the next one for it": {
    "opens": 2,
    "writes": 1,
    "syncs": 1,
    "renames": 1,
    "folder syncs": 1,
    "frames to qmail-lspawn": 1,
    "writes to qmail-lspawn": 1,
    "timers": { most: 1 },
    "octets to qmail-lspawn": { most: 100 },
  },
  "20 at once for one mailbox": {
    "opens": crowd + 2,
    "writes": crowd,
    "syncs": crowd,
    "renames": crowd,
    "folder syncs": 2,
    "frames to qmail-lspawn": crowd,
    // One for the first that was synced, one for all the others.
    "writes to qmail-lspawn": 2,
    "timers": { most: 1 },
    "octets to qmail-lspawn": { most: crowd * 100 },
  },
  "20 at once for 20 mailboxes": {
    "opens": 2 * crowd,
    "writes": crowd,
    "syncs": crowd,
    "renames": crowd,
    "folder syncs": crowd,
    "frames to qmail-lspawn": crowd,
    "writes to qmail-lspawn": { most: crowd },
    "timers": { most: 1 },
    "octets to qmail-lspawn": { most: crowd * 100 },
  },
  "one of 1 MiB": {
    "opens": 2,
    "writes": 8,
    "syncs": 1,
    "renames": 1,
    "folder syncs": 1,
    "timers": 1,
    // A piece of 128 KiB comes with the request, the others are asked for.
    "frames to qmail-lspawn": 8,
    "writes to qmail-lspawn": 8,
    "octets to qmail-lspawn": { most: 500 },
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "opens": "components/qmail-local/maildir.ts, qmail_files.ts; of folders: components/lib/disk/disk.ts",
  "looks":
    "components/qmail-local/mailboxes.ts, deliver.ts: what is remembered, and for how long; components/lib/disk/disk.ts",
  "reads": "components/qmail-local/qmail_files.ts, maildir_size.ts",
  "writes": "components/qmail-local/message_pieces.ts: a head and a piece are one",
  "syncs": "components/qmail-local/maildir.ts",
  "folder syncs": "components/lib/disk/disk.ts: those who ask at one time share one",
  "renames": "components/qmail-local/maildir.ts",
  "frames to qmail-lspawn": "components/lib/delivery/deliverer.ts, message_body.ts",
  "writes to qmail-lspawn": "components/lib/wire/pipe.ts",
  "octets to qmail-lspawn": "components/lib/delivery/deliverer.ts, components/qmail-local/report.ts",
  "timers": "components/qmail-local/maildir.ts: only a message of several pieces needs one",
  "log lines": "components/qmail-local/mailboxes.ts",
};

describe("qmail-local's cost of a delivery", () => {
  let dir: TempDir;
  let home: Home;
  let meter: Meter;
  let link: DeliveryLink;
  let running: Promise<void>;
  let streams: Disposable;

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(dir.path);
    for (let user = 0; user < crowd; user++) {
      for (const folder of ["tmp", "new", "cur"]) {
        Deno.mkdirSync(`${home.mail("localhost", `user${user}`)}/Maildir/${folder}`, { recursive: true });
      }
    }
    const [outside, inside] = memoryPair();
    meter = new Meter({ files: true });
    streams = standardStreams(countFrames(inside, meter.tally, "qmail-lspawn"));
    running = run(home, false);
    link = new DeliveryLink(new Pipe(outside), () => {});
  });

  afterEach(async () => {
    link.close();
    await running;
    streams[Symbol.dispose]();
    meter[Symbol.dispose]();
    dir[Symbol.dispose]();
  });

  async function deliver(user: string, bytes = 10 * kibibyte): Promise<void> {
    const content = `Subject: a\n\n${"x".repeat(71)}\n`.padEnd(bytes, "x\n");
    const request = {
      sender: "sender@client.example",
      recipients: [`${user}@localhost`],
      ...{ isVirtual: true, domain: "localhost", user, uid: 1000, home: home.mail("localhost", user) },
      ...{ dash: "", extension: "", hostName: "mx.example.com", defaultDelivery: "./Maildir/\n", programSeconds: 60 },
    };
    const reports = await link.deliver(request, new MessageOctets(new TextEncoder().encode(content)));
    assertEquals(reports[0]?.text, "did 1+0+0\n");
  }

  const toEach = () => Promise.all(Array.from({ length: crowd }, (_, n) => deliver(`user${n}`)));
  const toOne = () => Promise.all(Array.from({ length: crowd }, () => deliver("user0")));

  it("fits its budget for the first message of a mailbox", async () => {
    await deliver("user1");
    const costs = "the first message for a mailbox";
    assertBudget(costs, await meter.during(() => deliver("user0")), budgets[costs], look);
  });

  const rows = [
    { costs: "the next one for it", work: () => deliver("user0") },
    { costs: "20 at once for one mailbox", work: toOne },
    { costs: "20 at once for 20 mailboxes", work: toEach },
    { costs: "one of 1 MiB", work: () => deliver("user0", kibibyte * kibibyte) },
  ] as const;
  for (const { costs, work } of rows) {
    it(`fits its budget for ${costs}, each time`, async () => {
      await toEach();
      for (let round = 0; round < 3; round++) {
        assertBudget(costs, await meter.during(work), budgets[costs], look);
      }
    });
  }
});
