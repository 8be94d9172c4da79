/**
 * One client's session with its mailbox: what was marked, and the answers to commands, piece by piece. The messages are
 * those of its beginning; what other programs do meanwhile shows when a message is asked for.
 * @module
 */
import { fromOctets, toOctets } from "../lib/octets.ts";
import { parseCommand } from "../lib/pop3/command.ts";
import { ContentEncoder } from "../lib/pop3/content.ts";
import { listing } from "../lib/pop3/listing.ts";
import { type MailboxView, onCommand, replies } from "../lib/pop3/transaction.ts";
import { assertNever } from "../lib/result.ts";
import type { Piece } from "../lib/wire/pop3_protocol.ts";
import type { Maildir, OpenMessage } from "./maildir.ts";
import { type MessageFile, seen, type Snapshot } from "./snapshot.ts";

/** Octets of a file read at once; a piece is twice as long at the most. */
const readBytes = 32 * 1024;
/** Files removed or moved in one go, before others have their turn. */
const sliceFiles = 200;

/** What a session came to at its QUIT. */
export interface Update {
  readonly deleted: number;
  /** Moved from new to cur. */
  readonly seen: number;
  /** Marked, and still there. */
  readonly failed: number;
}

export interface SessionOptions {
  readonly maildir: Maildir;
  readonly snapshot: Snapshot;
  /** How many of the snapshot's messages there are in this session. */
  readonly count: number;
  readonly breathe: () => Promise<void>;
  /** Called once, when QUIT has been carried out. */
  readonly onUpdate: (update: Update) => void;
}

export class Session implements MailboxView {
  readonly #options: SessionOptions;
  /** By number, from 1. */
  readonly #deleted = new Set<number>();
  /** Where messages were found that had moved; undefined: gone. */
  readonly #moved = new Map<number, MessageFile | undefined>();
  readonly #totalBytes: number;
  #deletedBytes = 0;
  #lastDeleted = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    let bytes = 0;
    for (let message = 1; message <= options.count; message++) bytes += options.snapshot.file(message).sizeBytes;
    this.#totalBytes = bytes;
  }

  get count(): number {
    return this.#options.count;
  }

  get remainingBytes(): number {
    return this.#totalBytes - this.#deletedBytes;
  }

  get lastDeleted(): number {
    return this.#lastDeleted;
  }

  sizeBytes(message: number): number {
    return this.#options.snapshot.file(message).sizeBytes;
  }

  uid(message: number): string {
    return this.#options.snapshot.uid(message);
  }

  isDeleted(message: number): boolean {
    return this.#deleted.has(message);
  }

  /** The answer to a line of the client's, as octets for the network. Throws what the disk says where a file breaks off. */
  async *answer(line: Uint8Array): AsyncGenerator<Piece, void, undefined> {
    const step = onCommand(parseCommand(fromOctets(line)), this);
    switch (step.kind) {
      case "reply":
        return yield whole(step.reply);
      case "delete":
        this.#delete(step.message);
        return yield whole(step.reply);
      case "reset":
        this.#deleted.clear();
        this.#deletedBytes = this.#lastDeleted = 0;
        return yield whole(step.reply);
      case "list":
        return yield* inPieces(listing(step.of, this));
      case "retrieve": {
        using message = this.#open(step.message);
        if (message === undefined) return yield whole(replies.cannotOpen);
        return yield* inPieces(contentOf(message, step.bodyLines));
      }
      case "update": {
        const update = await this.#update();
        this.#options.onUpdate(update);
        return yield { ...whole(update.failed > 0 ? replies.cannotUnlink : replies.ok), ends: true };
      }
      default:
        return assertNever(step);
    }
  }

  #delete(message: number): void {
    this.#deleted.add(message);
    this.#deletedBytes += this.sizeBytes(message);
    this.#lastDeleted = Math.max(this.#lastDeleted, message);
  }

  #open(message: number): OpenMessage | undefined {
    return this.#with(message, (file) => this.#options.maildir.open(file));
  }

  /** Does `work` with the message's file, wherever another reader has moved it meanwhile; undefined: it is gone. */
  #with<T>(message: number, work: (file: MessageFile) => T | undefined): T | undefined {
    const { maildir, snapshot } = this.#options;
    const file = this.#moved.has(message) ? this.#moved.get(message) : snapshot.file(message);
    if (file === undefined) return undefined;
    const done = work(file);
    if (done !== undefined) return done;
    // Where most readers put what was new; it saves a look at all the names.
    const guess = file.folder === "new" ? seen(file) : undefined;
    const doneThere = guess === undefined ? undefined : work(guess);
    const found = doneThere === undefined ? maildir.locate(file) : guess;
    this.#moved.set(message, found);
    return doneThere ?? (found === undefined ? undefined : work(found));
  }

  /** Removes what is marked and moves the rest of new to cur. Never stops in between. */
  async #update(): Promise<Update> {
    const { maildir, snapshot, breathe } = this.#options;
    const update = { deleted: 0, seen: 0, failed: 0 };
    let touched = 0;
    for (let message = 1; message <= this.count; message++) {
      const isDeleted = this.#deleted.has(message);
      const file = snapshot.file(message);
      if (!isDeleted && file.folder === "cur") continue;
      try {
        if (!isDeleted) update.seen += maildir.move(file, seen(file)) ? 1 : 0;
        // One that is gone already is as well.
        else update.deleted += this.#with(message, (file) => maildir.remove(file) || undefined) === true ? 1 : 0;
      } catch {
        // Whatever the disk says: the client is told, and the message is there the next time.
        if (isDeleted) update.failed++;
      }
      if (++touched % sliceFiles === 0) await breathe();
    }
    return update;
  }
}

function whole(reply: string): Piece {
  return { octets: toOctets(reply), last: true, ends: false };
}

/** Which of several pieces is the last one shows when there is no other. */
function* inPieces(pieces: Iterable<Uint8Array>): Generator<Piece, void, undefined> {
  let held: Uint8Array | undefined;
  for (const octets of pieces) {
    if (held !== undefined) yield { octets: held, last: false, ends: false };
    held = octets;
  }
  if (held !== undefined) yield { octets: held, last: true, ends: false };
}

function* contentOf(message: OpenMessage, bodyLines: number | undefined): Generator<Uint8Array, void, undefined> {
  const encoder = new ContentEncoder(bodyLines);
  const buffer = new Uint8Array(readBytes);
  yield encoder.begin();
  while (!encoder.isDone) {
    const chunk = message.read(buffer);
    if (chunk.length === 0) break;
    const octets = encoder.push(chunk);
    if (octets.length > 0) yield octets;
  }
  yield encoder.end();
}
