/**
 * qmail-queue's shell: sockets, clock and disk around the intake.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { type Disk, realDisk } from "../lib/disk/disk.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { type Running, type Start } from "../lib/process/component.ts";
import type { Invocation } from "../lib/message/received.ts";
import { takeLock } from "../lib/process/lock.ts";
import { Client } from "../lib/wire/client.ts";
import * as field from "../lib/wire/fields.ts";
import type { Frame } from "../lib/wire/frame.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { type EnvelopeFields, type Origin, parseQueueRequest } from "../lib/wire/queue_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import type { QueueStatus } from "../lib/wire/status_protocol.ts";
import { Draft } from "./draft.ts";
import { Intake, type Store } from "./intake.ts";
import { removeLeftovers } from "./leftovers.ts";

const firstOwnQp = Deno.pid;

function invocation(origin: Origin, uid: number): Invocation {
  switch (origin) {
    case "network":
      return "from network";
    case "bounce":
      return "for bounce";
    case "alias":
      return "by alias";
    case "uid":
      return `by uid ${uid}`;
  }
}

/** The queue's folders and the numbers of the messages being written to them. */
class QueueStore implements Store {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #notify: (id: number) => void;
  readonly #writing = new Set<number>();
  #serial = 0;
  acceptedMessages = 0;
  acceptedBytes = 0;
  refusedMessages = 0;

  constructor(disk: Disk, home: Home, notify: (id: number) => void) {
    this.#disk = disk;
    this.#home = home;
    this.#notify = notify;
  }

  /** Of `ids`, those that nobody writes: this process is the only one that could. */
  abandoned(ids: readonly number[]): number[] {
    return ids.filter((id) => !this.#writing.has(id));
  }

  begin(origin: Origin, uid: number, content?: Uint8Array): { draft: Draft; qp: number } {
    const serial = ++this.#serial;
    // Unlike qmail: one process serves all, so the "qp" that ties log lines together counts on from its process id.
    const qp = firstOwnQp + serial;
    const born = { serial, qp, how: invocation(origin, uid), unixSeconds: Math.floor(Date.now() / 1000) };
    const draft = new Draft(this.#disk, this.#home, born, content);
    this.#writing.add(draft.id);
    this.acceptedBytes += content?.length ?? 0;
    return { draft, qp };
  }

  async commit(draft: Draft, qp: number, envelope: EnvelopeFields): Promise<void> {
    try {
      await draft.commit({ uid: envelope.uid, qp, sender: envelope.sender, recipients: envelope.recipients });
    } finally {
      this.#writing.delete(draft.id);
    }
    this.acceptedMessages++;
    this.#notify(draft.id);
  }

  abort(draft: Draft): void {
    draft.abort();
    this.#writing.delete(draft.id);
  }

  onTrouble(error: unknown): void {
    this.refusedMessages++;
    logEvent("refused", { reason: describeError(error) });
  }
}

/** Tells qmail-send of new messages, many at a time, and answers its question which files nobody writes. */
class SendNotifier {
  readonly #client: Client;
  #pending: number[] = [];
  #stopped = false;

  constructor(home: Home, abandoned: (ids: readonly number[]) => number[]) {
    this.#client = new Client(home.socket("qmail-send"), {
      // Whatever was said while it was away, qmail-send looks through todo when the connection stands again.
      onClose: () => void this.#connect(),
      onFrame: (frame: Frame) => {
        const ids = abandoned(field.wholeNumbers(frame.head, "messages"));
        void this.#client.connect().then((pipe) => pipe?.send({ op: "abandoned", messages: ids }));
      },
      onError: (error) => logEvent("garbage", { socket: "qmail-send", reason: describeError(error) }),
    });
    void this.#connect();
  }

  #connect(): Promise<void> {
    return this.#stopped ? Promise.resolve() : this.#client.stayConnected();
  }

  tell(id: number): void {
    this.#pending.push(id);
    if (this.#pending.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#pending;
    this.#pending = [];
    if (this.#client.connected) void this.#client.connect().then((pipe) => pipe?.send({ op: "todo", messages }));
  }

  stop(): void {
    this.#stopped = true;
    this.#client.close();
  }
}

export async function run({ home }: Start): Promise<Running> {
  const lock = await takeLock(home.queue("lock", "queuemutex"));
  const notifier = new SendNotifier(home, (ids) => store.abandoned(ids));
  const disk = realDisk();
  removeLeftovers(disk, home);
  const store = new QueueStore(disk, home, (id) => notifier.tell(id));
  const intakes = new WeakMap<Pipe, Intake>();
  const underWay = new Set<Promise<void>>();
  const server = serveUnix(home.socket("qmail-queue"), {
    onOpen: (pipe) => void intakes.set(pipe, new Intake(store)),
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      const reply = intakes.get(pipe)?.take(request);
      if (reply === undefined) return;
      const done = reply.then((answer) => pipe.send({ ...answer, id: request.id })).finally(() =>
        underWay.delete(done)
      );
      underWay.add(done);
    },
    onClose: (pipe) => intakes.get(pipe)?.end(),
    onError: (error) => logEvent("garbage", { socket: "qmail-queue", reason: describeError(error) }),
  });
  const status = serveStatus(home, "queue-status", (): QueueStatus => ({
    acceptedMessages: store.acceptedMessages,
    acceptedBytes: store.acceptedBytes,
    refusedMessages: store.refusedMessages,
  }));
  log("status: running");
  return {
    stop: async () => {
      server.stop();
      status.stop();
      await Promise.all(underWay);
      await Promise.all(Array.from(server.connections, (pipe) => pipe.flushed()));
      server.closeAll();
      notifier.stop();
      lock.close();
      log("status: exiting");
    },
  };
}
