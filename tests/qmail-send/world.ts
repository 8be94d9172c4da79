/**
 * A qmail-send and a qmail-queue whose disk, clock, spawners and qmail-clean are fakes: `using world = new World({...})`,
 * `put` or `accept` messages, `boot`, let time pass, look at what was delivered, bounced and logged.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { removeMessage } from "../../components/qmail-clean/run.ts";
import type { Bounce } from "../../components/qmail-send/bouncer.ts";
import type { StatusReport } from "../../components/qmail-send/reports.ts";
import { Cleaner } from "../../components/qmail-send/cleaner.ts";
import type { Job } from "../../components/qmail-send/dispatcher.ts";
import { type Hands, Manager } from "../../components/qmail-send/manager.ts";
import type { Message } from "../../components/qmail-send/message.ts";
import { takeNotice } from "../../components/qmail-send/notices.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { Surveyor } from "../../components/qmail-send/surveyor.ts";
import { Suspects } from "../../components/qmail-send/suspects.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import {
  formatMessageOptions,
  type KeptOptions,
  type MessageOptions,
  parseMessageOptions,
} from "../../components/lib/queue/message_options.ts";
import { formatOptionsFile } from "../../components/lib/queue/options_file.ts";
import { defaultShaping } from "../../components/lib/shaping/shaping_file.ts";
import { parseRecord } from "../../components/lib/queue/journal/record.ts";
import { journalSegment, queueFile } from "../../components/lib/queue/layout.ts";
import type { CleanOp } from "../../components/lib/wire/clean_protocol.ts";
import { type Client, ConnectionLost } from "../../components/lib/wire/client.ts";
import type { DeliveryReport, SpawnReply } from "../../components/lib/wire/delivery_protocol.ts";
import type { JournalPlace, SendRequest } from "../../components/lib/wire/queue_protocol.ts";
import { Tally } from "../support/budget.ts";
import { type CapturedLog, captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";
import { outside, Process, separateProcesses } from "./process.ts";
import { QueueProcess } from "./queue_process.ts";

/** What becomes of one attempt; `hold`: nothing until the test calls {@link Attempt.report}. */
export type Answer = "K" | "Z" | "D" | "lost" | "hold";

export interface Attempt {
  readonly addresses: readonly string[];
  readonly sender: string;
  /** The message's, as the delivery found it. */
  readonly text: string;
  readonly atSeconds: number;
  /** What goes along to a remote host. */
  readonly options: KeptOptions | undefined;
  report(answer: Answer): void;
}

/** Of a message that is put into the queue. */
export interface Put {
  readonly sender?: string;
  readonly text?: string;
  readonly options?: MessageOptions;
}

export interface WorldOptions {
  readonly controls?: Partial<Controls>;
  /** `attempt` counts from 1 for each address. */
  readonly answer?: (address: string, attempt: number) => Answer;
  /** Seconds a delivery to an address takes; 0 where it is not given. */
  readonly seconds?: (address: string) => number;
  /** Whether the server of an address takes the reports upon itself. */
  readonly dsn?: (address: string) => boolean;
  /** What else the report on an address says, or says instead. */
  readonly said?: (address: string) => Partial<DeliveryReport>;
  /** Segments of the journal; 0, where not given: there is none. */
  readonly segments?: number;
}

const texts = { K: "did 1+0+0\n", Z: "temporary trouble\n", D: "hard trouble\n", lost: "ended early\n" };
const never = <T>() => new Promise<T>(() => {});
/** Numbers of files that no test gives one. */
const firstInode = 1_000_000;

export class World implements Disposable {
  readonly clock = new FakeClock();
  readonly log: CapturedLog = captureLog();
  readonly #processes = separateProcesses();
  disk: FakeDisk = emptyQueue(() => this.clock.seconds);
  /** The code with which an operation on the disk fails. */
  trouble: (what: string) => string | undefined = () => undefined;
  /** Those that run, or have run last. */
  send: Process = this.#process();
  queue: QueueProcess = new QueueProcess(this.#process());
  manager!: Manager;
  surveyor!: Surveyor;
  attempts: Attempt[] = [];
  /** Addresses delivered to, each as often as it was. */
  delivered: string[] = [];
  /** Addresses that a delivery was begun for while another was under way. */
  doubled: string[] = [];
  bounces: { readonly id: number; readonly sender: string; readonly paragraphs: string }[] = [];
  /** What was asked for those messages that bounced. */
  askedFor: Bounce["asked"][] = [];
  /** Reports of success and delay. */
  reports: StatusReport[] = [];
  /** What was asked of qmail-queue. */
  asked: SendRequest[] = [];
  /** What qmail-send sent to others, counted. */
  readonly sent = new Tally();
  /** Whether qmail-queue takes bounces. */
  takesBounces = true;
  /** The operations at which the next to be started are killed. */
  /** Whether qmail-clean was told that it will be needed. */
  cleanWoken = false;
  killAt: { readonly send?: number; readonly queue?: number } = {};
  /** Called before each delivery and bounce; true: qmail-send ends here. */
  dies: (what: "spawn" | "bounce" | "report") => boolean = () => false;
  /** Waited for before qmail-clean's answer arrives, qmail-queue's to a bounce, and before it does what it is asked. */
  beforeCleanAnswer: () => Promise<void> = () => Promise.resolve();
  beforeBounceAnswer: () => Promise<void> = () => Promise.resolve();
  beforeAnswer: (request: SendRequest) => Promise<void> = () => Promise.resolve();
  /** Lets others go on in the middle of a survey. */
  breathe: () => Promise<void> = () => Promise.resolve();
  readonly controls: Controls;
  #suspects!: Suspects;
  #running = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.controls = {
      concurrencylocal: 10,
      concurrencyremote: 20,
      queuelifetime: 604_800,
      bouncelifetime: "queuelifetime",
      delaywarnseconds: 14_400,
      envnoathost: "mx.example.com",
      percenthack: [],
      shaping: defaultShaping,
      locals: ["localhost"],
      virtualdomains: new Map([["virt.example", "games"]]),
      ...options.controls,
    } as Controls;
    this.disk.setNextInode(firstInode);
    this.send.kill();
    this.queue.process.kill();
  }

  /** A message as a predecessor of qmail-queue has left it in todo; it is found at the next boot or scan. */
  put(
    id: number,
    recipients: readonly string[],
    { sender = "joe@localhost", text = "hello\n", options }: Put = {},
  ): void {
    this.disk.setNextInode(id);
    this.disk.put(queueFile(home, "mess", id), toOctets(text));
    this.disk.setNextInode(firstInode + 1000 * id);
    this.disk.put(queueFile(home, "todo", id), formatTodo({ uid: 0, qp: 27488, sender, recipients }));
    if (options === undefined) return;
    const octets = formatMessageOptions(options, recipients);
    this.disk.put(queueFile(home, "options", id), formatOptionsFile(octets, toOctets(text)));
  }

  /** Hands qmail-queue a message; settles when it has taken it. */
  async accept(
    recipients: readonly string[],
    { sender = "joe@localhost", text = "hello\n", options }: Put = {},
  ): Promise<void> {
    const asked = options === undefined ? {} : { options: formatMessageOptions(options, recipients) };
    await this.queue.accept({ sender, recipients, ...asked }, text);
    await this.clock.settle();
  }

  /** Starts those of the two that do not run, on the disk as it is, as their run.ts do. */
  async boot(): Promise<void> {
    if (this.queue.process.dead) await this.bootQueue();
    if (this.send.dead) await this.bootSend();
  }

  async bootQueue(): Promise<void> {
    const queue = new QueueProcess(this.#process());
    this.queue = queue;
    queue.process.killAt(this.killAt.queue ?? Infinity);
    await queue.start(this.#options.segments ?? 0);
    await this.#connect();
  }

  async bootSend(): Promise<void> {
    const send = this.#process();
    this.send = send;
    send.killAt(this.killAt.send ?? Infinity);
    this.#running = new Set();
    await send.run(async () => {
      const store = new Store(send, home);
      const client = {
        request: (head: object) => this.#clean(send, head),
        connect: () => Promise.resolve(void (this.cleanWoken = true)),
      } as unknown as Client;
      this.#suspects = new Suspects((id) => store.hold(id));
      const cleaner = new Cleaner(client, (id) => store.hold(id));
      this.manager = new Manager(store, cleaner, this.#hands(send), this.controls);
      this.surveyor = new Surveyor(store, this.manager, this.#suspects, {
        parts: home.queueSplit,
        breathe: () => this.breathe(),
        ask: () => this.#ask(send, { op: "writing", messages: this.#suspects.all() }),
      });
      await Promise.all([this.surveyor.start(), this.#connect()]);
    });
    await this.clock.settle();
  }

  /** Both are killed, the disk's state is what it was at that moment. */
  async kill(disk?: FakeDisk): Promise<void> {
    this.send.kill();
    this.killQueue();
    await this.clock.settle();
    this.disk = disk ?? this.disk.afterCrash();
    this.clock.dropTimers();
  }

  killQueue(): void {
    this.queue.process.kill();
    this.queue.tell = undefined;
  }

  /** An orderly end of qmail-send. */
  async stop(limitMs = 1000): Promise<void> {
    this.surveyor.stop();
    const stopped = this.send.run(() => this.manager.stop(limitMs));
    await this.clock.advance(5);
    await stopped;
    this.send.kill();
  }

  file(dir: "info" | "local" | "remote" | "bounce" | "todo" | "mess", id: number): string | undefined {
    return this.disk.files()[queueFile(home, dir, id)];
  }

  /** What is in qmail's layout. */
  files(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.disk.files()).filter(([path]) => !path.startsWith(home.queue("journal"))),
    );
  }

  [Symbol.dispose](): void {
    this.#processes[Symbol.dispose]();
    this.clock[Symbol.dispose]();
    this.log[Symbol.dispose]();
  }

  #process(): Process {
    return new Process(this.disk, (what) => this.trouble(what));
  }

  // --- the connection of the two

  async #connect(): Promise<void> {
    const { send, queue } = this;
    if (send.dead || queue.process.dead) return;
    queue.tell = (notice) =>
      queueMicrotask(() => send.dead || send.run(() => takeNotice(this.manager, this.#suspects, notice)));
    this.#suspects.forget();
    await send.run(() => {
      this.manager.journal.connected();
      queue.connected();
      return this.surveyor.start();
    });
  }

  #ask(send: Process, request: SendRequest): void {
    const { queue } = this;
    if (send.dead || queue.process.dead || queue.tell === undefined) return;
    this.asked.push(request);
    this.sent.add("frames to qmail-queue");
    void this.beforeAnswer(request).then(() => queue.process.dead || queue.process.run(() => queue.take(request)));
  }

  // --- other processes

  #clean(send: Process, head: object): Promise<{ head: object }> {
    if (send.dead) return never();
    this.sent.add("frames to qmail-clean");
    const { op, messages } = head as { op: CleanOp; messages: number[] };
    const failed = messages.filter((id) => !removeMessage(send, home, op, id));
    return this.beforeCleanAnswer().then(() => ({ head: { failed } }));
  }

  #hands(send: Process): Hands {
    const ends = (what: "spawn" | "bounce" | "report") => {
      if (this.dies(what)) send.kill();
      return send.dead;
    };
    return {
      nowSeconds: () => this.clock.seconds,
      breathe: () => Promise.resolve(),
      ask: (request) => this.#ask(send, request),
      spawn: (job, sender) => {
        if (send.dead) return never();
        this.sent.add(job.channel === "local" ? "frames to qmail-lspawn" : "frames to qmail-rspawn");
        const gone = ends("spawn");
        const reply = outside(() => this.#attempt(job, sender));
        // It may have been delivered before the process ended; nobody will hear of it.
        return gone ? never() : reply;
      },
      bounce: ({ id, place, sender, paragraphs, asked }) => {
        if (send.dead || ends("bounce")) return never();
        if (this.queue.process.dead) return Promise.reject(new ConnectionLost("qmail-queue is away"));
        this.sent.add("bounces to qmail-queue");
        this.#text(id, place);
        if (this.takesBounces) {
          this.bounces.push({ id, sender, paragraphs });
          this.askedFor.push(asked);
        }
        const { takesBounces } = this;
        return this.beforeBounceAnswer().then(() => takesBounces);
      },
      report: (report) => {
        // It may have been queued before the process ended; nobody will hear of it.
        const gone = send.dead || ends("report");
        const { takesBounces } = this;
        if (takesBounces && !this.queue.process.dead) this.reports.push(report);
        return gone ? never() : Promise.resolve(takesBounces && !this.queue.process.dead);
      },
    };
  }

  /** As spawners and the bouncer read it. */
  #text(id: number, place: JournalPlace | undefined): string {
    const record = place && parseRecord(this.disk.readFile(journalSegment(home, place.segment)), place.offset);
    const octets = record?.serial === place?.serial ? record?.content : undefined;
    return fromOctets(octets ?? this.disk.readFile(queueFile(home, "mess", id)));
  }

  #attempt({ message, channel, recipients }: Job<Message>, sender: string): Promise<SpawnReply> {
    const addresses = recipients.map((recipient) => recipient.address);
    const running = this.#running;
    this.doubled.push(...addresses.filter((address) => running.has(address)));
    addresses.forEach((address) => running.add(address));
    const answers = addresses.map((address) => {
      const attempt = (this.#counts.get(address) ?? 0) + 1;
      this.#counts.set(address, attempt);
      return this.#options.answer?.(address, attempt) ?? "K";
    });
    const { promise, resolve } = Promise.withResolvers<SpawnReply>();
    const report = (given: readonly Answer[]) => {
      // One process makes the whole delivery: when it dies, nothing is known of any recipient.
      const lost = given.includes("lost");
      const reports = given.map((answer): DeliveryReport =>
        lost || answer === "lost" || answer === "hold"
          ? { verdict: "Z", text: texts.lost }
          : { verdict: answer, text: texts[answer] }
      ).map((one, at) => ({ ...one, ...this.#options.said?.(addresses[at]!) }))
        .map((one, at) => this.#options.dsn?.(addresses[at]!) === true ? { ...one, dsn: true as const } : one);
      addresses.forEach((address, at) => reports[at]!.verdict === "K" && this.delivered.push(address));
      addresses.forEach((address) => running.delete(address));
      resolve({ lost, reports });
    };
    const octets = channel === "remote" ? message.asked?.forDelivery(channel, addresses) : undefined;
    const options = octets === undefined ? undefined : parseMessageOptions(octets);
    this.attempts.push({
      addresses,
      sender,
      options: options?.ok === true ? options.value : undefined,
      text: this.#text(message.id, message.place),
      atSeconds: this.clock.seconds,
      report: (answer) => report(addresses.map(() => answer)),
    });
    const seconds = Math.max(...addresses.map((address) => this.#options.seconds?.(address) ?? 0));
    if (seconds > 0) setTimeout(() => report(answers), seconds * 1000);
    else if (!answers.includes("hold")) report(answers);
    return promise;
  }
}
