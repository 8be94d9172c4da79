/**
 * A segment of the journal with messages in it, as qmail-queue writes them, for those who read it.
 * @module
 */
import { dirname } from "@std/path";
import { headBytes, putRecord } from "../../components/lib/queue/journal/record.ts";
import { journalSegment } from "../../components/lib/queue/layout.ts";
import type { JournalPlace } from "../../components/lib/wire/queue_protocol.ts";
import type { Home } from "../../config/home.ts";

/** Writes segment 1 with these contents, serials counted from 1; answers where each stands. */
export function putSegment(home: Home, contents: readonly Uint8Array[]): JournalPlace[] {
  const octets = new Uint8Array(contents.reduce((sum, { length }) => sum + headBytes + length, 0));
  const places: JournalPlace[] = [];
  let at = 0;
  for (const [index, content] of contents.entries()) {
    const serial = index + 1;
    const end = putRecord(octets, at, { generation: 1, serial, id: serial, birthSeconds: 0 }, new Uint8Array(), [
      content,
    ]);
    places.push({ serial, segment: 1, offset: at, bytes: end - at });
    at = end;
  }
  const path = journalSegment(home, 1);
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeFileSync(path, octets);
  return places;
}
