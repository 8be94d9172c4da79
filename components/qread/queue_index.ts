/**
 * What is kept of every message in the queue to sort and filter by: some 150 octets each. It knows nothing of files; looks
 * at the queue (feeder.ts) put in what they find, and take out what one of them did not find any more.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { Block, blockSlots, copySlot, flag, prefixOf } from "./columns.ts";
import { IdTable } from "./id_table.ts";
import { nextSecondsOf, type Observed } from "./observed.ts";
import { OctetPool } from "./octet_pool.ts";

/** Octets of one message's addresses that are kept. */
export const mostTextOf = 2048;
/** Octets of all messages' addresses together, beyond which only senders are kept. */
const mostText = 100 * 1024 * 1024;
const latest = 2 ** 32 - 1;

/** One slot: a block, and where in it. */
export interface Slot {
  readonly block: Block;
  readonly at: number;
}

export interface IndexOptions {
  readonly mostTextBytes?: number;
}

export class QueueIndex {
  readonly #blocks: Block[] = [];
  readonly #slots = new IdTable();
  readonly #pool = new OctetPool();
  readonly #mostText: number;
  #size = 0;
  /** From 1 to 255, round and round. */
  #look = 1;

  constructor({ mostTextBytes = mostText }: IndexOptions = {}) {
    this.#mostText = mostTextBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Octets of memory the arrays take. */
  get bytes(): number {
    return this.#blocks.length * blockSlots * 46 + this.#slots.bytes + this.#pool.bytes;
  }

  get pool(): OctetPool {
    return this.#pool;
  }

  /** Blocks with the number of slots in use, which are the first ones. */
  *blocks(): Generator<{ readonly block: Block; readonly used: number }, void, undefined> {
    for (const [at, block] of this.#blocks.entries()) {
      const used = Math.min(blockSlots, this.#size - at * blockSlots);
      if (used > 0) yield { block, used };
    }
  }

  find(id: number): Slot | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : this.#slot(slot);
  }

  #slot(slot: number): Slot {
    return { block: this.#blocks[Math.floor(slot / blockSlots)]!, at: slot % blockSlots };
  }

  /** Another look at the queue begins. */
  beginLook(): void {
    this.#look = this.#look % 255 + 1;
  }

  /** The look found it as it is known. */
  touch({ block, at }: Slot): void {
    block.look[at] = this.#look;
  }

  /** Adds a message, or replaces what is known of one. */
  put(observed: Observed): void {
    const { id, sender, birthSeconds, sizeBytes, localSeconds, remoteSeconds, fresh, journal } = observed;
    const known = this.find(id);
    if (known !== undefined) this.#pool.remove(known.block.text[known.at]!, known.block.textLength[known.at]!);
    const slot = known ?? this.#add(id);
    const { block, at } = slot;
    const { text, senderLength, isCut } = this.#textOf(observed);
    block.id[at] = id;
    block.born[at] = bounded(birthSeconds);
    block.next[at] = bounded(nextSecondsOf(observed));
    block.size[at] = bounded(sizeBytes);
    block.sender[at] = prefixOf(lowerCaseAscii(sender));
    block.flags[at] = (fresh ? flag.fresh : 0) | (journal ? flag.journal : 0) | (isCut ? flag.cut : 0);
    block.localSeconds[at] = bounded(localSeconds);
    block.remoteSeconds[at] = bounded(remoteSeconds);
    block.text[at] = this.#pool.add(text);
    block.textLength[at] = text.length;
    block.senderLength[at] = senderLength;
    this.touch(slot);
  }

  #add(id: number): Slot {
    const slot = this.#size++;
    if (slot === this.#blocks.length * blockSlots) this.#blocks.push(new Block());
    this.#slots.set(id, slot);
    return this.#slot(slot);
  }

  #textOf({ sender, recipients, local, remote }: Observed): { text: string; senderLength: number; isCut: boolean } {
    const most = this.#pool.liveBytes < this.#mostText ? mostTextOf : 0;
    // A sender is never longer than the queue's format allows, but a file may hold anything.
    const short = sender.slice(0, mostTextOf);
    let text = `${short}\0`;
    let kept = 0;
    for (const recipient of recipients) {
      if (text.length + recipient.length >= most) break;
      text += `${recipient}\0`;
      kept++;
    }
    const all = local.left + local.done + remote.left + remote.done;
    return { text: lowerCaseAscii(text), senderLength: short.length, isCut: kept < all };
  }

  remove(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    const { block, at } = this.#slot(slot);
    this.#pool.remove(block.text[at]!, block.textLength[at]!);
    this.#slots.delete(id);
    // The last one takes its place.
    const last = this.#slot(--this.#size);
    if (this.#size !== slot) {
      copySlot(last.block, last.at, block, at);
      this.#slots.set(block.id[at]!, slot);
    }
    if (this.#blocks.length > Math.ceil(this.#size / blockSlots) + 1) this.#blocks.pop();
  }

  /** Takes out those that this look did not find, some at a time: yields in between. */
  *removeUnseen(): Generator<void, void, undefined> {
    let looked = 0;
    // From the end: what takes the place of one that goes has been looked at.
    for (let slot = this.#size - 1; slot >= 0; slot--) {
      if (slot < this.#size) {
        const { block, at } = this.#slot(slot);
        if (block.look[at] !== this.#look) this.remove(block.id[at]!);
      }
      if (++looked % 1000 === 0) yield;
    }
  }

  /** Gathers the addresses out of memory of which little is needed any more; yields in between. */
  *compact(): Generator<void, void, undefined> {
    const sparse = this.#pool.sparse();
    if (sparse.size === 0) return;
    for (let slot = 0; slot < this.#size; slot++) {
      const { block, at } = this.#slot(slot);
      if (this.#pool.isIn(block.text[at]!, sparse)) {
        block.text[at] = this.#pool.move(block.text[at]!, block.textLength[at]!);
      }
      if (slot % 1000 === 0) yield;
    }
  }
}

function bounded(value: number): number {
  return Math.min(Math.max(Math.floor(value), 0), latest);
}
