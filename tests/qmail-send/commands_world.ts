/**
 * A qmail-send for commands: its disk and clock are fakes, deliveries report when the test says, qmail-queue moves what
 * it is asked to move out of a journal that the test filled.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { removeMessage } from "../../components/qmail-clean/run.ts";
import type { Bounce } from "../../components/qmail-send/bouncer.ts";
import { Cleaner } from "../../components/qmail-send/cleaner.ts";
import { Manager } from "../../components/qmail-send/manager.ts";
import type { NewMessage } from "../../components/qmail-send/message.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { Surveyor } from "../../components/qmail-send/surveyor.ts";
import { Suspects } from "../../components/qmail-send/suspects.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo, parseChannel } from "../../components/lib/queue/envelope.ts";
import { type Channel, queueFile } from "../../components/lib/queue/layout.ts";
import type { Action, ActionResult } from "../../components/lib/wire/control_protocol.ts";
import type { CleanOp } from "../../components/lib/wire/clean_protocol.ts";
import type { Client } from "../../components/lib/wire/client.ts";
import type { SpawnReply, Verdict } from "../../components/lib/wire/delivery_protocol.ts";
import { type CapturedLog, captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

/** A delivery that runs. */
export interface Running {
  readonly id: number;
  readonly addresses: readonly string[];
  report(verdict: Verdict): void;
}

const texts = { K: "did 1+0+0\n", Z: "temporary trouble\n", D: "hard trouble\n" };
export const lifetimeSeconds = 604_800;
/** The message that most tests are about, and recipients on both channels. */
export const id = 2189625;
export const both: readonly string[] = ["bob@localhost", "joe@r.example"];

export class CommandsWorld implements Disposable {
  readonly clock = new FakeClock();
  readonly log: CapturedLog = captureLog();
  disk: FakeDisk = emptyQueue(() => this.clock.seconds);
  manager!: Manager;
  /** Deliveries not reported yet, in the order of their start. */
  running: Running[] = [];
  /** How often a delivery to each address was begun. */
  readonly begun = new Map<string, number>();
  readonly delivered: string[] = [];
  readonly bounces: Bounce[] = [];
  takesBounces = true;
  /** What becomes of a delivery at once; "hold": nothing until it is reported. */
  answer: (address: string) => Verdict | "hold" = () => "Z";
  readonly #concurrency: number;
  #surveyor!: Surveyor;
  #boots = 0;
  readonly #journal = new Map<number, NewMessage>();

  constructor({ concurrency = 20 } = {}) {
    this.#concurrency = concurrency;
  }

  /** The process starts, on the disk as it is; `surveyed`: looks through all there is. */
  async boot({ surveyed = true } = {}): Promise<void> {
    const disk = this.disk;
    const boot = ++this.#boots;
    this.running = [];
    const store = new Store(disk, home);
    const clean = (head: object) => {
      const { op, messages } = head as { op: CleanOp; messages: number[] };
      return Promise.resolve({ head: { failed: messages.filter((id) => !removeMessage(disk, home, op, id)) } });
    };
    const controls = {
      concurrencylocal: this.#concurrency,
      concurrencyremote: this.#concurrency,
      queuelifetime: lifetimeSeconds,
      bouncelifetime: "queuelifetime",
      envnoathost: "mx.example.com",
      percenthack: [],
      locals: ["localhost"],
      virtualdomains: new Map(),
    } as unknown as Controls;
    this.manager = new Manager(
      store,
      new Cleaner({ request: clean, connect: () => Promise.resolve() } as unknown as Client, (id) => store.hold(id)),
      {
        nowSeconds: () => this.clock.seconds,
        breathe: () => Promise.resolve(),
        spawn: ({ message, recipients }) =>
          boot === this.#boots
            ? this.#spawn(message.id, recipients.map(({ address }) => address))
            : new Promise(() => {}),
        bounce: (bounce) => {
          if (this.takesBounces && boot === this.#boots) this.bounces.push(bounce);
          return Promise.resolve(this.takesBounces);
        },
        report: () => Promise.resolve(true),
        ask: (request) => {
          if (request.op === "move") queueMicrotask(() => this.#move(request.serial));
          else if (request.op === "done") { for (const serial of request.serials) this.#journal.delete(serial); }
        },
      },
      controls,
    );
    this.#surveyor = new Surveyor(store, this.manager, new Suspects((id) => store.hold(id)), {
      parts: home.queueSplit,
      breathe: () => Promise.resolve(),
      ask: () => {},
    });
    await this.#surveyor.scanTodo();
    if (surveyed) await this.survey();
    this.manager.arrivals.journal(this.inJournal);
    await this.clock.settle();
  }

  async survey(): Promise<void> {
    await this.#surveyor.start();
    await this.clock.settle();
  }

  /** The process is killed, and another one starts. */
  async restart(): Promise<void> {
    const disk = this.disk.afterCrash();
    this.disk.stopNow();
    this.disk = disk;
    this.#boots++;
    await this.clock.settle();
    this.clock.dropTimers();
    await this.boot();
  }

  /** A message in todo. */
  todo(id: number, recipients: readonly string[], sender = "amy@localhost"): void {
    this.disk.put(queueFile(home, "mess", id), toOctets("Subject: x\n\nhello\n"));
    this.disk.put(queueFile(home, "todo", id), formatTodo({ uid: 0, qp: 1, sender, recipients }));
  }

  /** A message in the journal. */
  journal(id: number, recipients: readonly string[], sender = "amy@localhost"): void {
    const serial = 1000 + id;
    const place = { serial, segment: 1, offset: 0, bytes: 1 };
    const birthSeconds = this.clock.seconds;
    const entry = { id, place, birthSeconds, sizeBytes: 6, qp: 1, uid: 0, sender, recipients };
    this.#journal.set(serial, entry);
  }

  get inJournal(): (NewMessage & { place: NonNullable<NewMessage["place"]>; serial: number })[] {
    return [...this.#journal].map(([serial, entry]) => ({ ...entry, serial, place: entry.place! }));
  }

  /** A message in S5: all its recipients are left. */
  waiting(id: number, recipients: readonly string[], { atSeconds = this.clock.seconds + 300, bounce = "" } = {}): void {
    const now = this.clock.seconds;
    this.disk.put(queueFile(home, "mess", id), toOctets("Subject: x\n\nhello\n"), now - 60);
    this.disk.put(queueFile(home, "info", id), toOctets("Famy@localhost\0"), now - 60);
    const of = (channel: Channel) =>
      recipients.filter((address) => address.endsWith("@localhost") === (channel === "local"));
    for (const channel of ["local", "remote"] as const) {
      const text = of(channel).map((address) => `T${address}\0`).join("");
      if (text !== "") this.disk.put(queueFile(home, channel, id), toOctets(text), atSeconds);
    }
    if (bounce !== "") this.disk.put(queueFile(home, "bounce", id), toOctets(bounce));
  }

  /** Has the manager do it, and waits until it has answered. */
  async act(action: Action, id: number): Promise<ActionResult> {
    const answer = this.manager.commands.act(action, id);
    await this.clock.settle();
    return await answer;
  }

  async report(verdict: Verdict, count = this.running.length): Promise<void> {
    for (const delivery of this.running.splice(0, count)) delivery.report(verdict);
    await this.clock.settle();
  }

  mtime(dir: "info" | "local" | "remote", id: number): number | undefined {
    return this.disk.stat(queueFile(home, dir, id))?.mtimeSeconds;
  }

  /** Recipients that stand in the queue as not done. */
  left(id: number): string[] {
    return (["local", "remote"] as const).flatMap((channel) => {
      const path = queueFile(home, channel, id);
      if (this.disk.stat(path) === undefined) return [];
      const parsed = parseChannel(this.disk.readFile(path));
      return parsed.ok ? parsed.value.filter(({ done }) => !done).map(({ address }) => address) : [];
    });
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
    this.log[Symbol.dispose]();
  }

  #spawn(id: number, addresses: readonly string[]): Promise<SpawnReply> {
    for (const address of addresses) this.begun.set(address, (this.begun.get(address) ?? 0) + 1);
    return new Promise((resolve) => {
      const report = (verdicts: readonly Verdict[]) => {
        addresses.forEach((address, at) => verdicts[at] === "K" && this.delivered.push(address));
        resolve({ lost: false, reports: verdicts.map((verdict) => ({ verdict, text: texts[verdict] })) });
      };
      const answers = addresses.map((address) => this.answer(address));
      const now = answers.filter((answer) => answer !== "hold");
      if (now.length === answers.length) report(now);
      else this.running.push({ id, addresses, report: (verdict) => report(addresses.map(() => verdict)) });
    });
  }

  #move(serial: number): void {
    const entry = this.#journal.get(serial);
    if (entry !== undefined) {
      const { id, sender, recipients, birthSeconds } = entry;
      this.disk.put(queueFile(home, "mess", id), toOctets("Subject: x\n\nhello\n"), birthSeconds);
      this.disk.put(queueFile(home, "todo", id), formatTodo({ uid: 0, qp: 1, sender, recipients }));
      this.#journal.delete(serial);
    }
    this.manager.journal.moved(serial, true);
  }
}
