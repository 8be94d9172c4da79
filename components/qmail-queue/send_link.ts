/**
 * qmail-queue's connection to qmail-send: tells of new messages, many at a time, and does what qmail-send asks for.
 * @module
 */
import { setImmediate } from "node:timers";
import type { Home } from "../../config/home.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { Rests } from "../lib/process/rests.ts";
import { Client } from "../lib/wire/client.ts";
import type { Frame } from "../lib/wire/frame.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { type JournalMessage, parseSendRequest, type SendRequest } from "../lib/wire/queue_protocol.ts";
import type { Entry } from "./journal/entry.ts";
import type { Notify, QueueStore } from "./store.ts";

type MoveRequest = Extract<SendRequest, { op: "move" }>;

/**
 * Messages that come so soon after others are told of together, and are on their way together: qmail-send, the spawner and
 * who delivers wake once for all of them, and their mailboxes share syncs.
 */
const tellRestMs = 10;
/** Messages of the journal in one frame, when all are told again. */
const toldAtOnce = 100;

export class SendLink implements Notify {
  readonly #client: Client;
  readonly #store: () => QueueStore;
  readonly #moves = new Set<Promise<void>>();
  #todo: number[] = [];
  #entries: JournalMessage[] = [];
  /** Behind the answer to who brought the message: to wake qmail-send takes a while. */
  readonly #telling = new Rests(tellRestMs, () => this.#tell(), setImmediate);
  #stopped = false;

  /** Asks nothing of the store before {@link start}. */
  constructor(home: Home, store: () => QueueStore) {
    this.#store = store;
    this.#client = new Client(home.socket("qmail-send"), {
      onOpen: (pipe) => void this.#tellAll(pipe),
      onClose: () => void this.#connect(),
      onFrame: (frame, pipe) => this.#take(frame, pipe),
      onError: (error) => logEvent("garbage", { socket: "qmail-send", reason: describeError(error) }),
    });
  }

  start(): void {
    void this.#connect();
  }

  todo(id: number): void {
    this.#todo.push(id);
    this.#telling.ask();
  }

  journal(message: JournalMessage): void {
    this.#entries.push(message);
    this.#telling.ask();
  }

  /** The room of these in the journal is needed. */
  vacate(entries: readonly Entry[]): void {
    // It can let go only of what it has heard of.
    this.#telling.now();
    this.#client.pipe?.send({
      op: "vacate",
      serials: entries.map(({ serial }) => serial),
      messages: entries.map(({ id }) => id),
    });
  }

  /** Settles when no message is being moved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#telling.now();
    this.#client.close();
    await Promise.all(this.#moves);
  }

  #connect(): Promise<void> {
    return this.#stopped ? Promise.resolve() : this.#client.stayConnected();
  }

  /** What is said while qmail-send is away is not kept: it hears of all there is when it is back. */
  #tell(): void {
    const messages = this.#todo;
    // One that was told of on a new connection meanwhile may be done, and forgotten by qmail-send.
    const entries = this.#entries.filter(({ serial }) => this.#store().isInJournal(serial));
    this.#todo = [];
    this.#entries = [];
    const { pipe } = this.#client;
    if (messages.length > 0) pipe?.send({ op: "todo", messages });
    if (entries.length > 0) pipe?.send({ op: "journal", entries });
  }

  /** It looks through todo by itself; the journal it cannot read. */
  async #tellAll(pipe: Pipe): Promise<void> {
    this.#store().askAgain();
    let entries: JournalMessage[] = [];
    for (const message of this.#store().journalMessages()) {
      entries.push(message);
      if (entries.length < toldAtOnce) continue;
      pipe.send({ op: "journal", entries });
      entries = [];
      await pipe.drained();
      if (pipe.closed) return;
    }
    pipe.send({ op: "journal", entries });
  }

  #take(frame: Frame, pipe: Pipe): void {
    const request: SendRequest = parseSendRequest(frame);
    switch (request.op) {
      case "writing":
        return pipe.send({ op: "abandoned", messages: this.#store().abandoned(request.messages) });
      case "done":
        this.#store().done(request.serials);
        return pipe.send({ op: "settled", serials: request.serials });
      case "move": {
        const { serial, message } = request;
        const moved = this.#store().move(serial, message).then((ok) => this.#tellMoved(pipe, request, ok)).finally(() =>
          this.#moves.delete(moved)
        );
        return void this.#moves.add(moved);
      }
      case "accepting":
        this.#store().accepting = request.accepting;
    }
  }

  /** To whoever is there: a qmail-send that was started meanwhile has not been told of this message. */
  #tellMoved(pipe: Pipe, { serial, message }: MoveRequest, ok: boolean): void {
    if (!pipe.closed) return pipe.send({ op: "moved", serial, ok });
    if (ok) return this.todo(message);
    const inJournal = this.#store().journalMessage(serial);
    if (inJournal !== undefined) this.journal(inJournal);
  }
}
