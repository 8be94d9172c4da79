/**
 * Messages open for delivery, each once however many of its deliveries are under way: a bulk message has its text looked
 * up and its beginning read once, not ten thousand times.
 *
 * For one connection of qmail-send's. It has nothing delivered of a message that is gone, so a number means one message
 * there while a delivery of it is under way. A qmail-send that was started meanwhile has a connection of its own: for it
 * the number may be another message's.
 * @module
 */
import type { JournalPlace } from "../wire/queue_protocol.ts";
import type { MessageText } from "./message_file.ts";

/** Opens a message. Throws what the system says, or an Error for what is no message. */
export type OpenMessage = (id: number, place: JournalPlace | undefined) => MessageText;

export class SharedMessages {
  readonly #open: OpenMessage;
  readonly #shared = new Map<string, SharedMessage>();

  constructor(open: OpenMessage) {
    this.#open = open;
  }

  /** As {@link OpenMessage}; who has it closes it, once. */
  open(id: number, place: JournalPlace | undefined): MessageText {
    // A serial never comes back; one that has moved into the layout is asked for without it.
    const key = `${id} ${place?.serial}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known.share();
    const shared = new SharedMessage(this.#open(id, place), () => this.#shared.delete(key));
    this.#shared.set(key, shared);
    return shared;
  }
}

class SharedMessage implements MessageText {
  readonly sizeBytes: number;
  readonly #text: MessageText;
  readonly #onLast: () => void;
  #users = 1;
  #first: Uint8Array | undefined;

  constructor(text: MessageText, onLast: () => void) {
    this.#text = text;
    this.sizeBytes = text.sizeBytes;
    this.#onLast = onLast;
  }

  share(): this {
    this.#users++;
    return this;
  }

  read(offset: number): Uint8Array {
    if (offset > 0) return this.#text.read(offset);
    this.#first ??= this.#text.read(0);
    return this.#first;
  }

  close(): void {
    if (--this.#users > 0) return;
    this.#onLast();
    this.#text.close();
  }
}
