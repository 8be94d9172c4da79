/**
 * An operator's word on single messages: tried now, held, released, expired, deleted. Decides what each of them means
 * where the message stands just then; the manager's hands carry it out, in the one process that moves messages, so there
 * is nobody to race with but its own deliveries.
 *
 * What is said stands in the files before it is answered, so that a restart keeps it: the times of the channels' files,
 * and info's for a lifetime that is over. Deliveries that run end and are recorded; what has not been started is taken back.
 * A first attempt is written down for that (S5).
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { describeError } from "../lib/log/log.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import type { Action, ActionResult, Selection } from "../lib/wire/control_protocol.ts";
import type { JournalMessage } from "./arrivals.ts";
import { isDone } from "./dispatcher.ts";
import { type Message, newMessage } from "./message.ts";
import { heldSeconds } from "../lib/queue/held.ts";
import type { Store } from "./store.ts";

/** What the manager does for a command. */
export interface CommandHands {
  nowSeconds(): number;
  lifetimeSeconds(): number;
  /** The message in memory of this number. */
  message(id: number): Message | undefined;
  /** Settles when its move, or the decision on its end, that is under way is over; undefined: none is. */
  busy(message: Message): Promise<void> | undefined;
  /** Begins the first attempt of this one if it waits for that. */
  beginNow(id: number): void;
  /** The next attempt of one that waits is due then: its file says so, and the retry queue. Throws what the disk says. */
  reschedule(id: number, channel: Channel, atSeconds: number): void;
  /** One that waits has no next attempt any more. */
  unschedule(id: number, channel: Channel): void;
  /** Takes back what has not been started; who is left is tried then. */
  takeBack(message: Message, atSeconds: number): void;
  /** Has the message stand in info, local and remote, and ends its passes of which nothing runs. */
  putDown(message: Message, written: () => void): Promise<void>;
  /** From here on a deferral of this message is a failure. */
  expire(message: Message): void;
  /** A message that waited ends: `message.deleted` is set. */
  finish(message: Message): Promise<void>;
  /** A first attempt of which nothing runs ends: `message.deleted` is set. */
  finishFirst(message: Message): Promise<void>;
}

/** What there is in memory, for {@link Commands.find}. */
export interface InMemory {
  readonly messages: Iterable<Message>;
  /** First attempts that have not begun: in the journal, and numbers in todo. */
  readonly journal: Iterable<JournalMessage>;
  readonly todo: Iterable<number>;
}

type Answer = Omit<ActionResult, "message">;

function done(detail: string): Answer {
  return { done: true, gone: false, detail };
}

function refused(detail: string): Answer {
  return { done: false, gone: false, detail };
}

const gone: Answer = { done: false, gone: true, detail: "no such message" };
const atItsEnd: Answer = { done: false, gone: true, detail: "is at its end already" };
const held: Answer = refused("is held; release it first");

/** Messages looked at before everything else has its turn. */
const sliceMessages = 200;

export class Commands {
  readonly #store: Store;
  readonly #hands: CommandHands;
  /** One command after the other, for each message. */
  readonly #turns = new Map<number, Promise<unknown>>();

  constructor(store: Store, hands: CommandHands) {
    this.#store = store;
    this.#hands = hands;
  }

  /** Carries out `action`; says what was done. */
  async act(action: Action, id: number): Promise<ActionResult> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(() => this.#act(action, id)).catch((error): Answer => refused(describeError(error)));
    this.#turns.set(id, turn);
    const answer = await turn;
    if (this.#turns.get(id) === turn) this.#turns.delete(id);
    return { message: id, ...answer };
  }

  async #act(action: Action, id: number): Promise<Answer> {
    if (this.#hands.message(id) === undefined) this.#hands.beginNow(id);
    let message = this.#hands.message(id);
    for (
      let busy = message && this.#hands.busy(message);
      busy !== undefined;
      busy = message && this.#hands.busy(message)
    ) {
      await busy;
      message = this.#hands.message(id);
    }
    // From here to the first wait of each action nothing else happens to it.
    if (message === undefined) return await this.#onWaiting(action, id);
    if (message.stage === "ending") return this.#onEnding(action, message);
    if (message.deleted) return this.#onDeleted(action, message);
    switch (action) {
      case "retry":
        return this.#retry(message);
      case "hold":
        return await this.#hold(message);
      case "release":
        return this.#release(message);
      case "expire":
        return await this.#expire(message);
      case "delete":
        return await this.#delete(message);
    }
  }

  // --- nothing runs for it

  async #onWaiting(action: Action, id: number): Promise<Answer> {
    const now = this.#hands.nowSeconds();
    if (this.#store.mtime("info", id) === undefined) {
      return this.#store.inTodo(id) ? refused("its files in the queue cannot be read; see the log") : gone;
    }
    const left = this.#left(id);
    if (left.length === 0) return atItsEnd;
    const isHeld = this.#isHeld(id, left);
    switch (action) {
      case "retry":
        if (isHeld) return held;
        for (const channel of left) this.#hands.reschedule(id, channel, now);
        return done("due now");
      case "hold":
        // The retry queue learns of it when the time comes that it has: see Manager.
        for (const channel of left) this.#store.setNextAttempt(id, channel, heldSeconds);
        return done(isHeld ? "is held already" : "held");
      case "release":
        if (!isHeld) return refused("is not held");
        for (const channel of left) this.#hands.reschedule(id, channel, now);
        return done("released; due now");
      case "expire":
        this.#store.setBirth(id, this.#expiredBirth());
        for (const channel of left) this.#hands.reschedule(id, channel, now);
        return done("its last attempt is due now");
      case "delete": {
        // A crash in between leaves a message that is held: it sends nothing, and can be deleted again.
        for (const channel of left) this.#store.setNextAttempt(id, channel, heldSeconds);
        const message = newMessage({ id, birthSeconds: 0, sender: "", place: undefined }, "split");
        message.deleted = true;
        for (const channel of left) this.#hands.unschedule(id, channel);
        await this.#hands.finish(message);
        return done("deleted");
      }
    }
  }

  #onEnding(action: Action, message: Message): Answer {
    if (action !== "delete") return atItsEnd;
    // Where qmail-queue takes no bounce, this ends the waiting for it.
    message.deleted = true;
    return done("was at its end; a bounce that is on its way already is not called back");
  }

  // --- deliveries run, or wait for their turn

  #retry(message: Message): Answer {
    const { id, passes } = message;
    const waiting = this.#waiting(message);
    if (this.#isHeld(id, waiting) || isHeldMeanwhile(message)) return held;
    for (const channel of waiting) this.#hands.reschedule(id, channel, this.#hands.nowSeconds());
    return done(passes.size === 0 ? "due now" : "is being delivered");
  }

  async #hold(message: Message): Promise<Answer> {
    for (const pass of message.passes.values()) pass.nextSeconds = heldSeconds;
    this.#hands.takeBack(message, heldSeconds);
    const running = runningOf(message);
    await this.#hands.putDown(message, () => this.#holdFiles(message.id));
    if (isFirst(message)) return refused("qmail-send is ending; hold it again when it is back");
    return done(running === 0 ? "held" : `held; ${deliveries(running)} already running`);
  }

  #release(message: Message): Answer {
    const { id, passes } = message;
    const now = this.#hands.nowSeconds();
    const waiting = this.#waiting(message);
    if (!this.#isHeld(id, waiting) && !isHeldMeanwhile(message)) return refused("is not held");
    for (const [channel, pass] of passes) {
      pass.nextSeconds = now;
      if (this.#store.mtime(channel, id) !== undefined) this.#store.setNextAttempt(id, channel, now);
    }
    for (const channel of waiting) this.#hands.reschedule(id, channel, now);
    return done("released; due now");
  }

  async #expire(message: Message): Promise<Answer> {
    const { id } = message;
    const now = this.#hands.nowSeconds();
    // Who was deferred already in this attempt has one more; what is still to come of it is the last.
    this.#hands.expire(message);
    for (const pass of message.passes.values()) pass.nextSeconds = now;
    await this.#hands.putDown(message, () => {
      this.#store.setBirth(id, this.#expiredBirth());
      for (const channel of this.#waiting(message)) this.#hands.reschedule(id, channel, now);
    });
    if (isFirst(message)) return refused("qmail-send is ending; expire it again when it is back");
    return done("its last attempt runs");
  }

  async #delete(message: Message): Promise<Answer> {
    message.deleted = true;
    for (const channel of this.#waiting(message)) this.#hands.unschedule(message.id, channel);
    for (const pass of message.passes.values()) pass.nextSeconds = heldSeconds;
    this.#hands.takeBack(message, heldSeconds);
    const running = runningOf(message);
    if (running === 0 && isFirst(message)) await this.#hands.finishFirst(message);
    // After a crash it would be held, not tried: it was to go.
    else await this.#hands.putDown(message, () => this.#holdFiles(message.id));
    return done(running === 0 ? "deleted" : goes(running));
  }

  /** Its other channels have no next attempt any more. */
  #onDeleted(action: Action, message: Message): Answer {
    const detail = goes(runningOf(message));
    return action === "delete" ? done(detail) : refused(`is deleted; ${detail}`);
  }

  // --- which ones

  /**
   * The messages of `selection`: in memory (part 0), or in folder `part - 1` of info. Those of the journal and of todo
   * are in memory: a message on its way from there into info is met once or twice, and never missed.
   */
  async find(part: number, selection: Selection, memory: InMemory, breathe: () => Promise<void>): Promise<number[]> {
    const found: number[] = [];
    let looked = 0;
    const look = async (id: number, matches: () => boolean) => {
      if (matches()) found.push(id);
      if (++looked % sliceMessages === 0) await breathe();
    };
    if (part > 0) {
      for (const id of await this.#store.list("info", part - 1)) {
        await look(id, () => this.#matchesFiles(id, selection));
      }
      return found;
    }
    for (const message of [...memory.messages]) await look(message.id, () => this.#matchesActive(message, selection));
    for (const { id, sender, recipients } of [...memory.journal]) {
      await look(id, () => matches(selection, sender, () => recipients));
    }
    for (const id of [...memory.todo]) await look(id, () => this.#matchesTodo(id, selection));
    return found;
  }

  #matchesActive(message: Message, selection: Selection): boolean {
    const { id, sender, stage, passes } = message;
    if (stage === "ending") return false;
    return matches(selection, sender, () => [
      ...[...passes.values()].flatMap(({ recipients }) => recipients.filter((recipient) => !isDone(recipient))).map((
        { address },
      ) => address),
      ...this.#waiting(message).flatMap((channel) => this.#addressesLeft(id, channel)),
    ]);
  }

  #matchesTodo(id: number, selection: Selection): boolean {
    if (isEverything(selection)) return true;
    const todo = this.#store.readTodo(id);
    return todo?.ok === true && matches(selection, todo.value.sender, () => todo.value.recipients);
  }

  #matchesFiles(id: number, selection: Selection): boolean {
    if (isEverything(selection)) return true;
    try {
      const sender = selection.sender === undefined ? "" : this.#store.readSender(id);
      if (typeof sender !== "string" && !sender.ok) return false;
      return matches(
        selection,
        typeof sender === "string" ? sender : sender.value,
        () => channels.flatMap((channel) => this.#addressesLeft(id, channel)),
      );
    } catch {
      // It went while it was looked at.
      return false;
    }
  }

  #addressesLeft(id: number, channel: Channel): string[] {
    const records = this.#store.readChannel(id, channel);
    return records.ok ? records.value.map(({ address }) => address) : [];
  }

  // --- common

  /** Channels with recipients left. */
  #left(id: number): Channel[] {
    return channels.filter((channel) => this.#store.mtime(channel, id) !== undefined);
  }

  /** Those of a message in memory for which no attempt runs. */
  #waiting({ id, stage, passes }: Message): Channel[] {
    return stage === "split" ? this.#left(id).filter((channel) => !passes.has(channel)) : [];
  }

  #isHeld(id: number, waiting: readonly Channel[]): boolean {
    return waiting.some((channel) => (this.#store.mtime(channel, id) ?? 0) >= heldSeconds);
  }

  #holdFiles(id: number): void {
    for (const channel of this.#left(id)) this.#store.setNextAttempt(id, channel, heldSeconds);
  }

  /** A birth so long ago that the lifetime is over. */
  #expiredBirth(): number {
    return Math.max(0, this.#hands.nowSeconds() - this.#hands.lifetimeSeconds() - 1);
  }
}

function isFirst({ stage }: Message): boolean {
  return stage === "journal" || stage === "todo";
}

/** Deliveries begun and not reported. */
function runningOf({ passes }: Message): number {
  return [...passes.values()].reduce((sum, pass) => sum + pass.left, 0);
}

function isHeldMeanwhile({ passes }: Message): boolean {
  return [...passes.values()].some(({ nextSeconds }) => nextSeconds >= heldSeconds);
}

function goes(running: number): string {
  return running === 1 ? "goes when the delivery that runs has ended" : `goes when ${running} deliveries have ended`;
}

function deliveries(count: number): string {
  return count === 1 ? "1 delivery" : `${count} deliveries`;
}

function isEverything({ sender, domain }: Selection): boolean {
  return sender === undefined && domain === undefined;
}

function matches(selection: Selection, sender: string, left: () => readonly string[]): boolean {
  if (selection.sender !== undefined && !same(selection.sender, sender)) return false;
  const { domain } = selection;
  return domain === undefined || left().some((address) => same(address.slice(address.lastIndexOf("@") + 1), domain));
}

function same(a: string, b: string): boolean {
  return lowerCaseAscii(a) === lowerCaseAscii(b);
}
