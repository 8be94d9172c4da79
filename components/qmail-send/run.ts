/**
 * qmail-send's shell: its sockets and signals around the manager.
 * @module
 */
import type { SocketName } from "../../config/home.ts";
import { realDisk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { takeLock } from "../lib/process/lock.ts";
import type { Channel } from "../lib/queue/layout.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { parseSpawnReply, type SpawnReply } from "../lib/wire/delivery_protocol.ts";
import { parseQueueNotice } from "../lib/wire/queue_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import { sendBounce } from "./bouncer.ts";
import { Cleaner } from "./cleaner.ts";
import type { Job } from "./dispatcher.ts";
import { Manager } from "./manager.ts";
import type { Message } from "./message.ts";
import { Store } from "./store.ts";

const rescanMs = 1_500_000;
/** Less than what the supervisor gives (components/supervisor/run.ts): what is done still has to be written down. */
const stopLimitMs = 1000;
const spawners: Readonly<Record<Channel, SocketName>> = { local: "qmail-lspawn", remote: "qmail-rspawn" };

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function spawn(client: Client, job: Job<Message>, sender: string): Promise<SpawnReply> {
  const recipients = job.recipients.map((recipient) => recipient.address);
  try {
    return parseSpawnReply(
      await client.request({ op: "deliver", message: job.message.id, sender, recipients }),
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
  const manager = new Manager(new Store(realDisk(), home), new Cleaner(clients.clean), {
    spawn: (job, sender) => spawn(clients[job.channel], job, sender),
    bounce: (id, sender, paragraphs) =>
      sendBounce(home, clients.queue, controls.current, { id, sender, paragraphs, nowSeconds: nowSeconds() }),
    nowSeconds,
  }, controls.current);
  manager.start();
  const server = serveUnix(home.socket("qmail-send"), {
    onOpen: (pipe) => {
      manager.scanTodo();
      pipe.send({ op: "writing", messages: manager.suspects() });
    },
    onFrame: (frame) => {
      const notice = parseQueueNotice(frame);
      if (notice.op === "todo") manager.notice(notice.messages);
      else manager.removeAbandoned(notice.messages);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-send", reason: describeError(error) }),
  });
  const status = serveStatus(home, "send-status", () => manager.status());
  const rescan = setInterval(() => manager.scanTodo(), rescanMs);
  return {
    reload: () => {
      const defects = controls.reload();
      manager.setControls(controls.current);
      return defects;
    },
    alarm: () => manager.retryAll(),
    stop: async () => {
      clearInterval(rescan);
      server.stop();
      status.stop();
      await manager.stop(stopLimitMs);
      lock.close();
    },
  };
}
