/** What a bounce costs qmail-send beside its own files: reads of the message, and frames to qmail-queue. */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { sendBounce } from "../../components/qmail-send/bouncer.ts";
import { formatParagraph } from "../../components/lib/dsn/qsbmf.ts";
import { JournalReader } from "../../components/lib/queue/journal/reader.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { defaultControls } from "../../scripts/home/default_config.ts";
import { assertBudget, type Budget } from "../support/budget.ts";
import { putSegment } from "../support/journal_segment.ts";
import { Meter } from "../support/meter.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const kibibyte = 1024;
const large = 4711;

/** To lower a figure, lower it here. */
const budgets = {
  "of a message of 10 KiB in the journal": {
    "reads": 1,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 10 * kibibyte + 1400 },
    "log lines": 1,
  },
  "of a message of 1 MiB in the layout": {
    "opens": 1,
    "looks": 2,
    // The first piece, which has its header, each time: for the header, for 8-bit octets, for the boundary, for the copy.
    "reads": 4,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 1450 },
    "log lines": 1,
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "opens": "components/lib/delivery/message_file.ts, components/lib/queue/journal/reader.ts",
  "reads": "components/qmail-send/bouncer.ts: how often it goes through the message",
  "frames to qmail-queue": "components/lib/queue/submission.ts",
  "octets to qmail-queue": "components/lib/dsn: what a bounce says",
  "log lines": "components/qmail-send/log_lines.ts",
};

describe("qmail-send's cost of a bounce", () => {
  let dir: TempDir;
  let home: Home;
  let server: UnixServer;
  let meter: Meter;
  let queue: Client;
  let journal: JournalReader;

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(dir.path);
    for (const path of [home.socket("qmail-queue"), queueFile(home, "mess", large)]) {
      Deno.mkdirSync(dirname(path), { recursive: true });
    }
    server = serveUnix(home.socket("qmail-queue"), {
      onFrame: (frame, pipe) => {
        const { id, op } = parseQueueRequest(frame);
        if (op === "message" || op === "close") pipe.send({ id, code: 0, qp: 1 });
      },
      onError: (error) => {
        throw error;
      },
    });
    meter = new Meter({ calls: { [home.socket("qmail-queue")]: "qmail-queue" }, files: true });
    queue = new Client(home.socket("qmail-queue"));
    journal = new JournalReader(home);
  });

  afterEach(() => {
    queue.close();
    journal.close();
    meter[Symbol.dispose]();
    server.stop();
    server.closeAll();
    dir[Symbol.dispose]();
  });

  it("fits its budget, each time", async () => {
    const text = (bytes: number) => new TextEncoder().encode("Subject: a\n\n".padEnd(bytes, `${"x".repeat(71)}\n`));
    const [place] = putSegment(home, [text(10 * kibibyte)]);
    Deno.writeFileSync(queueFile(home, "mess", large), text(kibibyte * kibibyte));
    const nowSeconds = 1_795_333_684;
    const ways = { home, queue, controls: defaultControls("mx.example.com"), journal, nowSeconds };
    const bounce = {
      sender: "sender@client.example",
      paragraphs: formatParagraph("nobody@mx.example.com", "Sorry, no mailbox here by that name. (#5.1.1)\n"),
      arrivalSeconds: nowSeconds,
      failureSeconds: nowSeconds,
    };
    const rows = [
      { costs: "of a message of 10 KiB in the journal", id: 1, place },
      { costs: "of a message of 1 MiB in the layout", id: large, place: undefined },
    ] as const;
    await sendBounce(ways, { ...bounce, id: 1, place });
    for (const { costs, id, place } of [...rows, ...rows]) {
      const counts = await meter.during(async () =>
        assertEquals(await sendBounce(ways, { ...bounce, id, place }), true)
      );
      assertBudget(`a bounce ${costs}`, counts, budgets[costs], look);
    }
  });
});
