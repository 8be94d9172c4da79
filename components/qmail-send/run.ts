/**
 * qmail-send's shell: its sockets and signals around the manager.
 * @module
 */
import type { SocketName } from "../../config/home.ts";
import { realDisk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { breathe, giveWay } from "../lib/process/breathe.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { takeLock } from "../lib/process/lock.ts";
import { JournalReader } from "../lib/queue/journal/reader.ts";
import type { Channel } from "../lib/queue/layout.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { parseSpawnReply, type SpawnReply } from "../lib/wire/delivery_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { parseQueueNotice } from "../lib/wire/queue_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import { type BounceWays, sendBounce } from "./bouncer.ts";
import { Cleaner } from "./cleaner.ts";
import { serveControl } from "./control.ts";
import type { Job } from "./dispatcher.ts";
import { Drain } from "./drain.ts";
import type { Ask } from "./journal_link.ts";
import { Manager } from "./manager.ts";
import { Paused } from "./paused.ts";
import type { Message } from "./message.ts";
import { takeNotice } from "./notices.ts";
import { sendStatusReport } from "./reporter.ts";
import { Store } from "./store.ts";
import { Surveyor } from "./surveyor.ts";
import { Suspects } from "./suspects.ts";

/** So long a qmail-queue may take to start; where there is none, for another program writes to todo, mail goes on. */
const queueAwayMs = 10_000;
const rescanMs = 1_500_000;
/** Less than what the supervisor gives (components/supervisor/unit.ts): what is done still has to be written down. */
const stopLimitMs = 1000;
const spawners: Readonly<Record<Channel, SocketName>> = { local: "qmail-lspawn", remote: "qmail-rspawn" };

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function spawn(client: Client, job: Job<Message>, sender: string): Promise<SpawnReply> {
  const recipients = job.recipients.map((recipient) => recipient.address);
  const { id: message, place, asked } = job.message;
  // Who delivers into a mailbox has no use for it.
  const options = job.channel === "remote" ? asked?.forDelivery(job.channel, recipients) : undefined;
  try {
    return parseSpawnReply(
      await client.request({ op: "deliver", message, place, sender, recipients, options }),
      recipients.length,
    );
  } catch (error) {
    if (!(error instanceof ConnectionLost)) logEvent("garbage", { from: "spawner", reason: describeError(error) });
    const report = { verdict: "Z" as const, text: "The spawner is away. (#4.3.0)\n" };
    return { lost: true, reports: recipients.map(() => report) };
  }
}

export async function run({ home }: Start): Promise<Running> {
  const controls = new ControlValues(home, "qmail-send");
  const lock = await takeLock(home.queue("lock", "sendmutex"));
  const clients = {
    local: new Client(home.socket(spawners.local)),
    remote: new Client(home.socket(spawners.remote)),
    clean: new Client(home.socket("qmail-clean")),
    queue: new Client(home.socket("qmail-queue")),
  };
  const journal = new JournalReader(home);
  /** The connection by which qmail-queue tells of new messages. */
  let queuePipe: Pipe | undefined;
  let hadQueue = false;
  const ask: Ask = (request) => queuePipe?.send(request);
  const disk = realDisk();
  const store = new Store(disk, home);
  const suspects = new Suspects((id) => store.hold(id));
  const ways = (): BounceWays => (
    { home, queue: clients.queue, controls: controls.current, journal, nowSeconds: nowSeconds() }
  );
  const manager = new Manager(store, new Cleaner(clients.clean, (id) => store.hold(id)), {
    spawn: (job, sender) => spawn(clients[job.channel], job, sender),
    bounce: (bounce) => sendBounce(ways(), bounce),
    report: (report) => sendStatusReport(ways(), report),
    ask,
    nowSeconds,
    breathe: (ms) => ms === undefined ? giveWay() : breathe(ms),
  }, controls.current);
  const drain = new Drain({
    setAccepting: (accepting) => manager.journal.setAccepting(accepting),
    vacateAll: () => manager.vacateAll(),
    vacate: (serials, ids) => manager.vacate(serials, ids),
    size: () => manager.journalMessages,
  });
  const paused = new Paused(disk, home, manager);
  paused.restore();
  const surveyor = new Surveyor(store, manager, suspects, {
    parts: home.queueSplit,
    breathe,
    ask: () => ask({ op: "writing", messages: suspects.all() }),
  });
  // A qmail-queue that died over a move has yet to say where that message stands: todo waits for it, but not for ever.
  const withoutQueue = setTimeout(() => void surveyor.start(), queueAwayMs);
  const server = serveUnix(home.socket("qmail-send"), {
    onOpen: (pipe) => {
      queuePipe = pipe;
      hadQueue = true;
      suspects.forget();
      manager.journal.connected();
      drain.connected();
      clearTimeout(withoutQueue);
      void surveyor.start();
    },
    onClose: (pipe) => {
      if (queuePipe === pipe) queuePipe = undefined;
    },
    onFrame: (frame) => {
      const notice = parseQueueNotice(frame);
      takeNotice(manager, suspects, notice);
      if (notice.op === "journal") drain.noticed(notice.entries);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-send", reason: describeError(error) }),
  });
  const status = serveStatus(home, "send-status", () => manager.status());
  const rules = () => controls.current;
  const control = serveControl({ disk, home, store, journal, manager, drain, paused, rules });
  const rescan = setInterval(() => (queuePipe !== undefined || !hadQueue) && void surveyor.scanTodo(), rescanMs);
  return {
    reload: () => {
      const defects = controls.reload();
      manager.setControls(controls.current);
      return defects;
    },
    alarm: () => manager.retryAll(),
    stop: async () => {
      clearInterval(rescan);
      clearTimeout(withoutQueue);
      surveyor.stop();
      // Not the connection that qmail-queue has: what is done now has to be said.
      server.stop();
      status.stop();
      control.stop();
      control.closeAll();
      await manager.stop(stopLimitMs);
      lock.close();
    },
  };
}
