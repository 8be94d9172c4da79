/**
 * A filter as a question about one slot of the index, quick enough to be asked a million times for a page.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import type { QueueFilter } from "../lib/wire/qread_protocol.ts";
import { type Block, flag } from "./columns.ts";
import { stateOf } from "./observed.ts";
import type { OctetPool } from "./octet_pool.ts";
import { OctetSearch } from "./octet_search.ts";
import { PoolSearch } from "./pool_search.ts";

export type SlotTest = (block: Block, at: number) => boolean;

/** Undefined: all match. The test is valid as long as nothing is put into the pool or taken out. */
export function compileFilter(filter: QueueFilter, pool: OctetPool, nowSeconds: number): SlotTest | undefined {
  const { sender, recipient, domain, state, text } = filter;
  const tests: SlotTest[] = [];
  if (state !== undefined) {
    tests.push((block, at) => stateOf((block.flags[at]! & flag.fresh) !== 0, block.next[at]!, nowSeconds) === state);
  }
  if (sender !== undefined) {
    const search = new OctetSearch(lowerCaseAscii(sender));
    tests.push((block, at) => {
      const place = block.text[at]!;
      const from = pool.offsetOf(place);
      return search.is(pool.chunkOf(place), from, from + block.senderLength[at]!);
    });
  }
  // Each recipient stands between two NULs, of which the first ends the sender or the one before.
  if (recipient !== undefined) tests.push(recipientTest(`\0${recipient}\0`, pool));
  if (domain !== undefined) tests.push(recipientTest(`@${domain}\0`, pool));
  if (text !== undefined && text !== "") tests.push(textTest(text, pool));
  if (tests.length <= 1) return tests[0];
  return (block, at) => tests.every((test) => test(block, at));
}

/** Whether a filter looks at recipients, of which the index may not have all. */
export function looksAtRecipients({ recipient, domain, text }: QueueFilter): boolean {
  return recipient !== undefined || domain !== undefined || (text !== undefined && text !== "");
}

function recipientTest(needle: string, pool: OctetPool): SlotTest {
  const search = new PoolSearch(pool, lowerCaseAscii(needle));
  return (block, at) => search.isAt(block.text[at]!, block.senderLength[at]!, block.textLength[at]!);
}

function textTest(text: string, pool: OctetPool): SlotTest {
  const search = new PoolSearch(pool, lowerCaseAscii(text));
  const id = /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : -1;
  return (block, at) => block.id[at] === id || search.isAt(block.text[at]!, 0, block.textLength[at]!);
}
