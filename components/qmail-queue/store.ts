/**
 * Where messages go: small ones into the journal; the text of larger ones into mess and their envelope into the journal;
 * those with very many recipients, and those for which the journal has no room, straight into qmail's layout. Also the way
 * from the one into the other.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { type Invocation, queueReceived } from "../lib/message/received.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { formatTodo, parseTodo } from "../lib/queue/envelope.ts";
import { envelopePart } from "../lib/queue/journal/record.ts";
import { queueFile } from "../lib/queue/layout.ts";
import { parseMessageOptions } from "../lib/queue/message_options.ts";
import {
  type EnvelopeFields,
  type JournalMessage,
  mostFirstAttempt,
  type Origin,
  smallMessageBytes,
} from "../lib/wire/queue_protocol.ts";
import { Draft } from "./draft.ts";
import { type LayoutDir, ofLayout, removeFiles } from "./finish_moves.ts";
import type { Store } from "./intake.ts";
import type { Entry, NewRecord } from "./journal/entry.ts";
import type { Journal } from "./journal/journal.ts";

/** Told of messages that are on stable storage. */
export interface Notify {
  todo(id: number): void;
  journal(message: JournalMessage): void;
}

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

/** A text for the journal. */
interface Text extends Pick<NewRecord, "birthSeconds" | "content" | "mess"> {
  /** Of all of it. */
  readonly sizeBytes: number;
}

/** A message that has its number in the log, and nothing else yet. */
interface Arrival {
  readonly serial: number;
  readonly qp: number;
  readonly unixSeconds: number;
  readonly received: Uint8Array;
}

export class QueueStore implements Store {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #journal: Journal;
  readonly #notify: Notify;
  /** Numbers of mess files that are being written. */
  readonly #writing = new Set<number>();
  /** Under way, by serial. */
  readonly #moves = new Map<number, Promise<boolean>>();
  #arrivals = 0;
  acceptedMessages = 0;
  acceptedBytes = 0;
  refusedMessages = 0;

  constructor(disk: Disk, home: Home, journal: Journal, notify: Notify) {
    this.#disk = disk;
    this.#home = home;
    this.#journal = journal;
    this.#notify = notify;
  }

  /** Of `ids`, those that nobody writes, nor will for a message of the journal: this process is the only one that could. */
  abandoned(ids: readonly number[]): number[] {
    const kept = new Set(this.#journal.entries().map(({ id }) => id));
    return ids.filter((id) => !this.#writing.has(id) && !kept.has(id));
  }

  // --- in

  async accept(envelope: EnvelopeFields, content: Uint8Array): Promise<number> {
    const arrival = this.#arrive(envelope.origin, envelope.uid);
    await this.#take(arrival, envelope, content);
    this.acceptedBytes += content.length;
    return arrival.qp;
  }

  #take(arrival: Arrival, envelope: EnvelopeFields, content: Uint8Array): Promise<void> {
    const { qp, unixSeconds, received } = arrival;
    if (content.length > smallMessageBytes || envelope.recipients.length > mostFirstAttempt) {
      return this.#commit(this.#begin(arrival, [content]), qp, envelope);
    }
    const sizeBytes = received.length + content.length;
    const whole = { birthSeconds: unixSeconds, sizeBytes, content: [received, content], mess: undefined };
    // Where there is no room for a small one, there is none for its envelope.
    return this.#append(whole, qp, envelope) ?? this.#commit(this.#begin(arrival, [content]), qp, envelope, false);
  }

  begin(origin: Origin, uid: number): { draft: Draft; qp: number } {
    const arrival = this.#arrive(origin, uid);
    return { draft: this.#begin(arrival, []), qp: arrival.qp };
  }

  write(draft: Draft, content: Uint8Array): void {
    draft.write(content);
    this.acceptedBytes += content.length;
  }

  commit(draft: Draft, qp: number, envelope: EnvelopeFields): Promise<void> {
    return this.#commit(draft, qp, envelope);
  }

  abort(draft: Draft): void {
    draft.abort();
    this.#writing.delete(draft.id);
  }

  onTrouble(error: unknown): void {
    this.refusedMessages++;
    logEvent("refused", { reason: describeError(error) });
  }

  #arrive(origin: Origin, uid: number): Arrival {
    const serial = ++this.#arrivals;
    // Unlike qmail: one process serves all, so the "qp" that ties log lines together counts on from its process id.
    const qp = firstOwnQp + serial;
    const unixSeconds = Math.floor(Date.now() / 1000);
    return {
      serial,
      qp,
      unixSeconds,
      received: toOctets(queueReceived({ qp, how: invocation(origin, uid), unixSeconds })),
    };
  }

  /** Settles when the record is on stable storage; rejects with what the disk says. Undefined: there is no room for it. */
  #append(
    { birthSeconds, sizeBytes, content, mess }: Text,
    qp: number,
    { uid, sender, recipients, options }: EnvelopeFields,
  ): Promise<void> | undefined {
    const beside = {
      options: options === undefined ? undefined : toOctets(options),
      messBytes: mess === undefined ? undefined : sizeBytes,
    };
    const envelope = envelopePart(formatTodo({ uid, qp, sender, recipients }), beside);
    const appended = this.#journal.append({ birthSeconds, envelope, content, mess });
    return appended?.then((entry) => {
      this.acceptedMessages++;
      const { serial, id } = entry;
      this.#notify.journal({
        serial,
        id,
        place: placeOf(entry),
        birthSeconds,
        sizeBytes,
        qp,
        uid,
        sender,
        recipients,
        ...options === undefined ? undefined : { options },
      });
    });
  }

  #begin({ serial, qp, unixSeconds, received }: Arrival, content: readonly Uint8Array[]): Draft {
    const draft = Draft.begin(this.#disk, this.#home, { serial, qp, unixSeconds }, [received, ...content]);
    this.#writing.add(draft.id);
    return draft;
  }

  async #commit(
    draft: Draft,
    qp: number,
    envelope: EnvelopeFields,
    mayBeRecorded = envelope.recipients.length <= mostFirstAttempt,
  ): Promise<void> {
    try {
      if (mayBeRecorded) await this.#commitToJournal(draft, qp, envelope);
      else await this.#commitToLayout(draft, qp, envelope);
    } finally {
      this.#writing.delete(draft.id);
    }
  }

  /** Its text stays in mess, its envelope goes into the journal: one file, not two, and one wait for the folders, not two. */
  async #commitToJournal(draft: Draft, qp: number, envelope: EnvelopeFields): Promise<void> {
    const { id, birthSeconds, beginning } = draft;
    let appended: Promise<void> | undefined;
    try {
      // First, so that wherever the record is, the text is as well: nobody has to look through it after a power loss.
      await draft.keep();
      appended = this.#append(
        { birthSeconds, sizeBytes: draft.sizeBytes, content: [beginning], mess: id },
        qp,
        envelope,
      );
      await appended;
    } catch (error) {
      draft.abort();
      throw error;
    }
    if (appended === undefined) await this.#commitToLayout(draft, qp, envelope);
    else draft.close();
  }

  async #commitToLayout(
    draft: Draft,
    qp: number,
    { uid, sender, recipients, options }: EnvelopeFields,
  ): Promise<void> {
    await draft.commit(formatTodo({ uid, qp, sender, recipients }), options);
    this.acceptedMessages++;
    this.#notify.todo(draft.id);
  }

  // --- the journal's messages

  /** Those that are not done, read back from the journal. */
  *journalMessages(): Generator<JournalMessage, void, undefined> {
    for (const { serial } of this.#journal.entries()) {
      // An earlier qmail-send asked for its move: where it stands is told when that is known.
      const message = this.#moves.has(serial) ? undefined : this.journalMessage(serial);
      if (message !== undefined) yield message;
    }
  }

  /** Whether a message of the journal has yet to be done. */
  isInJournal(serial: number): boolean {
    return this.#journal.find(serial) !== undefined;
  }

  /** One of them; undefined when it is done, or cannot be read: it stays then, the next start of either side tries again. */
  journalMessage(serial: number): JournalMessage | undefined {
    const entry = this.#journal.find(serial);
    if (entry === undefined) return undefined;
    try {
      const { envelope, options: octets, content, birthSeconds, messBytes } = this.#journal.read(entry);
      const todo = parseTodo(envelope);
      if (!todo.ok) throw new Error(todo.error);
      const options = octets && fromOctets(octets);
      // A later version's: nobody here would do what its sender asked for.
      const parsed = options === undefined ? undefined : parseMessageOptions(options);
      if (parsed?.ok === false) throw new Error(`options: ${parsed.error}`);
      return {
        ...{ serial, id: entry.id, place: placeOf(entry), birthSeconds, ...todo.value },
        sizeBytes: messBytes ?? content.length,
        ...options === undefined ? undefined : { options },
      };
    } catch (error) {
      logEvent("unreadable", { message: entry.id, reason: describeError(error) });
      return undefined;
    }
  }

  done(serials: readonly number[]): void {
    for (const serial of serials) {
      const entry = this.#journal.find(serial);
      if (entry === undefined) continue;
      // Its mark failed when it had moved: it was delivered from the journal, and must not be from the layout as well.
      if (this.#journal.hasMoved(entry)) this.#remove(entry.id, ofLayout);
      else if (entry.inMess) this.#remove(entry.id, ["mess"]);
    }
    // Behind the text: a record without one is of a message that is done.
    this.#journal.done(serials);
  }

  #remove(id: number, dirs: readonly LayoutDir[]): void {
    try {
      removeFiles(this.#disk, this.#home, id, dirs);
    } catch (error) {
      logEvent("unremoved", { message: id, reason: describeError(error) });
    }
  }

  /** Whether new messages may go into the journal. */
  set accepting(accepting: boolean) {
    this.#journal.accepting = accepting;
  }

  get journalSize(): number {
    return this.#journal.size;
  }

  /** qmail-send is here again, and may not have heard what the journal asked of it. */
  askAgain(): void {
    this.#journal.askAgain();
  }

  /** Puts a message of the journal into the layout (state S4); settles with whether it is there. */
  move(serial: number, id: number): Promise<boolean> {
    // Asked twice, over an old connection and a new one: both get the one answer.
    const running = this.#moves.get(serial);
    if (running !== undefined) return running;
    const moved = this.#move(serial, id).finally(() => this.#moves.delete(serial));
    this.#moves.set(serial, moved);
    return moved;
  }

  async #move(serial: number, id: number): Promise<boolean> {
    const entry = this.#journal.find(serial);
    // Asked again, for the answer was lost.
    if (entry === undefined) return this.#disk.stat(queueFile(this.#home, "todo", id)) !== undefined;
    // Known to qmail-send under another number: it is told of this one.
    if (entry.id !== id || this.#writing.has(id)) return false;
    this.#writing.add(entry.id);
    try {
      if (!this.#journal.hasMoved(entry)) {
        const { envelope, options, content, birthSeconds } = this.#journal.read(entry);
        const draft = entry.inMess
          ? Draft.ofMess(this.#disk, this.#home, entry.id, birthSeconds, content)
          : Draft.adopt(this.#disk, this.#home, this.#journal.numbers.path(entry.id), birthSeconds, content);
        await draft.commit(envelope, options && fromOctets(options));
      }
      await this.#journal.moved(entry);
      return true;
    } catch (error) {
      logEvent("unmoved", { message: entry.id, reason: describeError(error) });
      return false;
    } finally {
      this.#writing.delete(entry.id);
    }
  }
}

function placeOf({ serial, segment, offset, bytes }: Entry): JournalMessage["place"] {
  return { serial, segment, offset, bytes };
}
