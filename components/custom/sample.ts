/**
 * A filter to begin one's own with. It has no right to anything: no file, no network, no program; what it can do is say
 * what becomes of the message it is given.
 *
 * Copy it to a place that qmaild can read, write its path into control/customfilter, and `custom` into control/filters
 * where it is to look. One file; import of others only types (`import type`), which leave nothing to be read.
 * @module
 */
import type { FilterMessage, Verdict } from "../lib/filters/filter.ts";

/** Refuses what asks for it in its subject, and says in a field of its own what it has seen. */
export function judge({ client, content }: FilterMessage): Promise<Verdict> {
  const end = endOfHeader(content);
  // Octet by octet: who has asked for a subject in UTF-8 compares octets as well.
  const header = Array.from(content.subarray(0, Math.min(end, longestHeader)), (octet) => String.fromCharCode(octet))
    .join("");
  if (/^subject:[ \t]*refuse me/im.test(header)) {
    return Promise.resolve({ kind: "refuse", code: 31, text: "Dyou asked for it (#5.7.1)" });
  }
  const field = `X-Custom-Filter: ${content.length} octets by way of ${client?.entrance ?? "a program"}\n`;
  return Promise.resolve({ kind: "pass", header: new TextEncoder().encode(field) });
}

const longestHeader = 64 * 1024;
const lineFeed = 0x0a;

/** Where the empty line is; the whole content where there is none. */
function endOfHeader(content: Uint8Array): number {
  for (let at = content.indexOf(lineFeed); at >= 0; at = content.indexOf(lineFeed, at + 1)) {
    if (content[at + 1] === lineFeed) return at;
  }
  return content.length;
}
