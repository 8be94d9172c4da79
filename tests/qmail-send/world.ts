/**
 * A qmail-send whose disk, clock, spawners and qmail-clean are fakes: `using world = new World({...})`, `put` messages,
 * `boot`, let time pass, look at what was delivered, bounced and logged.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { removeMessage } from "../../components/qmail-clean/run.ts";
import { Cleaner } from "../../components/qmail-send/cleaner.ts";
import type { Job } from "../../components/qmail-send/dispatcher.ts";
import { type Hands, Manager } from "../../components/qmail-send/manager.ts";
import type { Message } from "../../components/qmail-send/message.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import type { CleanOp } from "../../components/lib/wire/clean_protocol.ts";
import type { Client } from "../../components/lib/wire/client.ts";
import type { DeliveryReport, SpawnReply } from "../../components/lib/wire/delivery_protocol.ts";
import { type CapturedLog, captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

/** What becomes of one attempt; `hold`: nothing until the test calls {@link Attempt.report}. */
export type Answer = "K" | "Z" | "D" | "lost" | "hold";

export interface Attempt {
  readonly addresses: readonly string[];
  readonly sender: string;
  readonly atSeconds: number;
  report(answer: Answer): void;
}

export interface WorldOptions {
  readonly controls?: Partial<Controls>;
  /** `attempt` counts from 1 for each address. */
  readonly answer?: (address: string, attempt: number) => Answer;
}

const texts = { K: "did 1+0+0\n", Z: "temporary trouble\n", D: "hard trouble\n", lost: "ended early\n" };

export class World implements Disposable {
  readonly clock = new FakeClock();
  readonly log: CapturedLog = captureLog();
  disk: FakeDisk = emptyQueue(() => this.clock.seconds);
  manager!: Manager;
  attempts: Attempt[] = [];
  /** Addresses delivered to, each as often as it was. */
  delivered: string[] = [];
  bounces: { readonly id: number; readonly sender: string; readonly paragraphs: string }[] = [];
  /** Whether qmail-queue takes bounces. */
  takesBounces = true;
  /** Called before each delivery and bounce; true: the process ends here. */
  dies: (what: "spawn" | "bounce") => boolean = () => false;
  readonly #counts = new Map<string, number>();
  readonly #options: WorldOptions;
  readonly controls: Controls;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.controls = {
      concurrencylocal: 10,
      concurrencyremote: 20,
      queuelifetime: 604_800,
      envnoathost: "mx.example.com",
      percenthack: [],
      locals: ["localhost"],
      virtualdomains: new Map([["virt.example", "games"]]),
      ...options.controls,
    } as Controls;
  }

  /** A message as qmail-queue leaves it; it is noticed at the next boot or scan. */
  put(id: number, recipients: readonly string[], { sender = "joe@localhost", text = "hello\n" } = {}): void {
    this.disk.setNextInode(id);
    this.disk.put(queueFile(home, "mess", id), toOctets(text));
    this.disk.put(queueFile(home, "todo", id), formatTodo({ uid: 0, qp: 27488, sender, recipients }));
  }

  /** Starts a manager on the disk as it is, as run.ts does when qmail-queue has connected. */
  async boot(): Promise<void> {
    const disk = this.disk;
    const client = { request: (head: object) => this.#clean(disk, head) } as unknown as Client;
    this.manager = new Manager(new Store(disk, home), new Cleaner(client), this.#hands(disk), this.controls);
    this.manager.start();
    this.manager.scanTodo();
    this.manager.removeAbandoned(this.manager.suspects());
    await this.clock.settle();
  }

  /** The process is killed, the disk's state is what it was at that moment. */
  async kill(disk = this.disk.afterCrash()): Promise<void> {
    this.disk.stopNow();
    this.disk = disk;
    // What the old process had under way meets the end of its disk, and sets timers nobody will hear.
    await this.clock.settle();
    this.clock.dropTimers();
  }

  file(dir: "info" | "local" | "remote" | "bounce" | "todo" | "mess", id: number): string | undefined {
    return this.disk.files()[queueFile(home, dir, id)];
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
    this.log[Symbol.dispose]();
  }

  #clean(disk: FakeDisk, head: object): Promise<{ head: object }> {
    const { op, messages } = head as { op: CleanOp; messages: number[] };
    return Promise.resolve({ head: { failed: messages.filter((id) => !removeMessage(disk, home, op, id)) } });
  }

  #hands(disk: FakeDisk): Hands {
    const gone = (what: "spawn" | "bounce") => {
      if (disk === this.disk && !this.dies(what)) return false;
      disk.stopNow();
      return true;
    };
    return {
      nowSeconds: () => this.clock.seconds,
      spawn: (job, sender) => {
        const ends = gone("spawn");
        const reply = this.#attempt(job, sender);
        // It may have been delivered before the process ended; nobody will hear of it.
        return ends ? new Promise(() => {}) : reply;
      },
      bounce: (id, sender, paragraphs) => {
        if (gone("bounce")) return new Promise(() => {});
        disk.readFile(queueFile(home, "mess", id));
        if (this.takesBounces) this.bounces.push({ id, sender, paragraphs });
        return Promise.resolve(this.takesBounces);
      },
    };
  }

  #attempt(job: Job<Message>, sender: string): Promise<SpawnReply> {
    const addresses = job.recipients.map((recipient) => recipient.address);
    const answers = addresses.map((address) => {
      const attempt = (this.#counts.get(address) ?? 0) + 1;
      this.#counts.set(address, attempt);
      return this.#options.answer?.(address, attempt) ?? "K";
    });
    return new Promise((resolve) => {
      const report = (given: readonly Answer[]) => {
        // One process makes the whole delivery: when it dies, nothing is known of any recipient.
        const lost = given.includes("lost");
        const reports = given.map((answer): DeliveryReport =>
          lost || answer === "lost" || answer === "hold"
            ? { verdict: "Z", text: texts.lost }
            : { verdict: answer, text: texts[answer] }
        );
        addresses.forEach((address, at) => reports[at]!.verdict === "K" && this.delivered.push(address));
        resolve({ lost, reports });
      };
      this.attempts.push({
        addresses,
        sender,
        atSeconds: this.clock.seconds,
        report: (answer) => report(addresses.map(() => answer)),
      });
      if (!answers.includes("hold")) report(answers);
    });
  }
}
