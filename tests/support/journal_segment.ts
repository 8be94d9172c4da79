/**
 * A segment of the journal with messages in it, as qmail-queue writes them, for those who read it.
 * @module
 */
import { dirname } from "@std/path";
import { envelopePart, headBytes, markBytes, putRecord } from "../../components/lib/queue/journal/record.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { journalMarks, journalSegment } from "../../components/lib/queue/layout.ts";
import type { JournalPlace } from "../../components/lib/wire/queue_protocol.ts";
import type { Home } from "../../config/home.ts";

/** Writes segment 1 with one record, of a message whose text stands in mess. */
export function putLarge(home: Home, id: number, text: Uint8Array): JournalPlace {
  const envelope = envelopePart(toOctets("u1\0p1\0Famy@a.example\0Tbob@b.example\0"), {
    options: undefined,
    messBytes: text.length,
  });
  const octets = new Uint8Array(4096);
  const head = { generation: 1, serial: 1, id, birthSeconds: 1 };
  const bytes = putRecord(octets, 0, head, envelope, [text.subarray(0, 10)]);
  writeSegment(home, octets);
  Deno.writeFileSync(journalMarks(home, 1), new Uint8Array(markBytes));
  return { serial: 1, segment: 1, offset: 0, bytes };
}

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
  writeSegment(home, octets);
  return places;
}

function writeSegment(home: Home, octets: Uint8Array): void {
  const path = journalSegment(home, 1);
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeFileSync(path, octets);
}
