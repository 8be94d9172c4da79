/**
 * What the crash tests do to a queue: messages that are handed in until they are taken, lives that end in the middle of
 * something, and what became of every recipient.
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatMessageOptions,
  type MessageOptions,
  type RecipientOptions,
} from "../../components/lib/queue/message_options.ts";
import { Crash, type FakeDisk, type Keeps } from "../support/fake_disk.ts";
import { home } from "../support/queue_disk.ts";
import { type Answer, World, type WorldOptions } from "./world.ts";

export interface Mail {
  readonly count: number;
  /** Each recipient's answers in turn; after them it is delivered to. */
  readonly answers: readonly (readonly Answer[])[];
  /** Octets beside those that tell which it is. */
  readonly padding: number;
  /** Its client asked for something beside the envelope. */
  readonly asks?: boolean;
}

/** One life of qmail-send, of qmail-queue or of both: it ends at an operation of the disk, a delivery or a bounce. */
export interface Life {
  readonly who: "send" | "queue" | "both" | "power";
  readonly at: "disk" | "spawn" | "bounce";
  readonly n: number;
  /** Seconds it may live when it does not come to that. */
  readonly seconds: number;
  /** Messages handed in during it. */
  readonly mails: number;
  /** Operations of the disk that fail during it, counted from its beginning. */
  readonly fails: readonly number[];
  /** Whether qmail-queue wants all messages out of the journal meanwhile. */
  readonly vacates: boolean;
}

const anyAnswers = fc.array(fc.constantFrom<Answer>("K", "K", "Z", "D", "lost"), { minLength: 1, maxLength: 6 });

export const anyMails: fc.Arbitrary<Mail[]> = fc.array(
  fc.record({
    count: fc.oneof(fc.nat(6), fc.constantFrom(101, 130)),
    answers: fc.array(anyAnswers, { minLength: 1 }),
    padding: fc.constantFrom(0, 0, 1500, 6000),
    asks: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

export function anyLives(who: readonly Life["who"][]): fc.Arbitrary<Life[]> {
  const anyLife = fc.record({
    who: fc.constantFrom(...who),
    at: fc.constantFrom<Life["at"]>("disk", "disk", "spawn", "bounce"),
    n: fc.oneof(fc.nat(30), fc.nat(200)),
    seconds: fc.constantFrom(0, 1, 100, 2000, 100_000),
    mails: fc.nat(3),
    vacates: fc.boolean(),
    fails: fc.oneof(fc.constant([]), fc.array(fc.nat(150), { maxLength: 4 })),
  });
  return fc.array(anyLife, { maxLength: 6 });
}

/** Whose success is told of; each failure is. */
const wantsSuccess = (address: string) => /-\d*[02468]@/.test(address);

/** What the client of message `m` asked for. */
function optionsOf(m: number, addresses: readonly string[]): MessageOptions {
  const asked = addresses.map((address, place): [number, RecipientOptions] => [
    place,
    {
      notify: { never: false, success: wantsSuccess(address), failure: true, delay: place % 3 === 0 },
      orcpt: `rfc822;${address}`,
    },
  ]);
  return { envid: `m${m}`, requireTls: true, recipients: new Map(asked) };
}

const textOf = (m: number) => `message ${m}\n`;

export class Trial implements Disposable {
  readonly world: World;
  readonly #mails: readonly Mail[];
  /** Those that qmail-queue has not taken. */
  readonly #outside: Set<number>;

  constructor(mails: readonly Mail[], options: WorldOptions) {
    const lists = new Map<string, readonly Answer[]>();
    for (const [m, { count, answers }] of mails.entries()) {
      for (const [n, address] of recipientsOf(m, count).entries()) lists.set(address, answers[n % answers.length]!);
    }
    this.world = new World({
      answer: (address, attempt) => lists.get(address.replace(/^games-/, ""))?.[attempt - 1] ?? "K",
      ...options,
    });
    this.#mails = mails;
    this.#outside = new Set(mails.keys());
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }

  /** All messages stand in todo. */
  putAll(): void {
    for (const [m, { count }] of this.#mails.entries()) {
      const recipients = recipientsOf(m, count);
      const asked = this.#asks(m) ? { options: optionsOf(m, recipients) } : {};
      this.world.put(23 * (m + 1), recipients, { text: textOf(m), ...asked });
    }
    this.#outside.clear();
  }

  /** Hands in up to `most` messages; what is not taken is handed in again next time. */
  async handIn(most = Infinity): Promise<void> {
    const { world } = this;
    if (world.queue.process.dead) return;
    for (const m of [...this.#outside].slice(0, most)) {
      const { count, padding } = this.#mails[m]!;
      const recipients = recipientsOf(m, count);
      const asked = this.#asks(m) ? { options: formatMessageOptions(optionsOf(m, recipients), recipients) } : {};
      const taken = world.queue.accept(
        { sender: "joe@localhost", recipients, ...asked },
        `${"x".repeat(padding)}\n${textOf(m)}`,
      );
      // Refused or not answered: its sender keeps it.
      void taken.then(() => this.#outside.delete(m), () => {});
    }
    await world.clock.settle();
  }

  /** Lets one life run its course; what has ended stays so until the next one. */
  async live(life: Life, keeps?: Keeps): Promise<void> {
    const { world } = this;
    const ends = life.at === "disk" ? { [life.who === "queue" ? "queue" : "send"]: life.n } : {};
    let left = life.n % 30;
    let operation = 0;
    world.trouble = () => life.fails.includes(operation++) ? "EIO" : undefined;
    world.killAt = ends;
    world.dies = (what) => life.who !== "queue" && what === life.at && left-- === 0;
    try {
      await this.#boot();
      await this.handIn(life.mails);
      if (life.vacates && !world.queue.process.dead) world.queue.vacateAll();
      await world.clock.advance(life.seconds);
    } catch (error) {
      // A start that meets the end of the process.
      if (!(error instanceof Crash)) throw error;
    }
    world.killAt = {};
    world.trouble = () => undefined;
    world.dies = () => false;
    if (life.who === "send") world.send.kill();
    else if (life.who === "queue") world.killQueue();
    else await world.kill(lifeEnd(world.disk, life, keeps));
  }

  /** Starts what does not run; a start may fail. */
  async #boot(): Promise<void> {
    try {
      await this.world.boot();
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("EIO: ")) throw error;
      this.world.killQueue();
      if (this.world.send.dead) await this.world.bootSend();
    }
  }

  /** Everything works from now on: until nothing is left to do. */
  async finish(): Promise<void> {
    const { world } = this;
    await world.boot();
    await this.handIn();
    for (let n = 0; n < 5000 && await world.clock.jump(); n++);
  }

  /** A file in pid that qmail-queue could neither link nor remove, on a disk that failed twice, goes at its next start. */
  async sweepPid(): Promise<void> {
    if (this.world.disk.list(home.queue("pid")).length === 0) return;
    this.world.killQueue();
    await this.finish();
  }

  /** How often each recipient was delivered to or told of in a bounce. */
  outcomes(): Map<string, number> {
    const counts = new Map<string, number>();
    const count = (address: string) => counts.set(address, (counts.get(address) ?? 0) + 1);
    for (const address of this.world.delivered) count(address.replace(/^games-/, ""));
    for (const { paragraphs } of this.world.bounces) {
      // Not at a line's beginning alone: a paragraph that was cut by a crash may stand in front (as in qmail).
      for (const [, address] of paragraphs.matchAll(/<([^<>\n]*)>:$/gm)) count(address!);
    }
    return counts;
  }

  get recipients(): string[] {
    return this.#mails.flatMap(({ count }, m) => recipientsOf(m, count)).sort();
  }

  /** Every recipient was delivered to or bounced, with its own message's text; `exactly` once, or once at least. */
  assertAllDone(exactly: "once" | "at least once"): void {
    const outcomes = this.outcomes();
    assertEquals([...outcomes.keys()].sort(), this.recipients);
    if (exactly === "once") assertEquals([...outcomes].filter(([, times]) => times > 1), []);
    assertEquals(this.world.doubled, []);
    for (const { addresses, text } of this.world.attempts) {
      const m = messageOf(addresses[0]!);
      assertEquals(text.slice(-textOf(m).length), textOf(m));
    }
    this.#assertAsked();
    if (exactly === "once") assertEquals([...this.told()].filter(([, times]) => times > 1), []);
  }

  /** How often the sender was told that a recipient has the message. */
  told(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind, recipients } of this.world.reports) {
      if (kind === "delay") continue;
      for (const { recipient } of recipients) counts.set(recipient, (counts.get(recipient) ?? 0) + 1);
    }
    return counts;
  }

  /** Those of which the sender wanted to be told, and that have the message. */
  get toTell(): string[] {
    const delivered = new Set(this.world.delivered.map((address) => address.replace(/^games-/, "")));
    return [...delivered].filter((address) => this.#asks(messageOf(address)) && wantsSuccess(address)).sort();
  }

  #asks(m: number): boolean {
    return this.#mails[m]!.asks === true;
  }

  /** Each attempt at a remote host and each bounce had what was asked for; nothing was told that did not happen. */
  #assertAsked(): void {
    for (const { addresses, options } of this.world.attempts) {
      const m = messageOf(addresses[0]!);
      const remote = /@[rs]\.example$/.test(addresses[0]!);
      if (!remote || !this.#asks(m)) {
        assertEquals(options, undefined);
        continue;
      }
      assertEquals([options?.envid, options?.requireTls], [`m${m}`, true]);
      assertEquals(
        addresses.map((_, at) => options?.recipients.get(at)?.orcpt),
        addresses.map((one) => `rfc822;${one}`),
      );
    }
    for (const [at, { paragraphs }] of this.world.bounces.entries()) {
      const m = messageOf(paragraphs);
      assertEquals(this.world.askedFor[at]?.options.envid, this.#asks(m) ? `m${m}` : undefined);
    }
    const toTell = new Set(this.toTell);
    assertEquals([...this.told().keys()].filter((address) => !toTell.has(address)), []);
  }

  assertEmpty(): void {
    assertEquals(this.world.files(), {});
    const { messages, running } = this.world.manager.status();
    assertEquals([messages, running, this.world.queue.store.journalSize], [0, { local: 0, remote: 0 }, 0]);
  }
}

/** The message a recipient is of. */
function messageOf(address: string): number {
  return Number(/u([0-9]+)-/.exec(address)![1]);
}

function lifeEnd(disk: FakeDisk, { who }: Life, keeps: Keeps | undefined): FakeDisk {
  return who === "power" && keeps !== undefined ? disk.afterPowerLoss(keeps) : disk.afterCrash();
}

/** Recipients of message `m`, half of them remote, some to a virtual domain. */
function recipientsOf(m: number, count: number): string[] {
  const domains = ["localhost", "r.example", "virt.example", "s.example"];
  return Array.from({ length: count }, (_, n) => `u${m}-${n}@${domains[n % domains.length]}`);
}
