/**
 * Which messages stand in a journal, read while everything runs: one that is gone a moment later was delivered.
 * @module
 */
import type { Home } from "../../../../config/home.ts";
import { ifThere } from "../../disk/if_there.ts";
import { journalMarks, journalSegment } from "../layout.ts";
import { isMarked, type JournalRecord, recordsOf } from "./record.ts";

/** The records that are not done. Holds one segment at a time; a record is valid until the next. Throws when the journal is closed to us. */
export function* liveRecords(home: Home): Generator<JournalRecord, void, undefined> {
  for (const { name } of Deno.readDirSync(home.queue("journal"))) {
    if (!/^[1-9][0-9]{0,4}$/.test(name)) continue;
    const marks = readMarks(home, Number(name));
    for (const { record, index } of recordsOf(Deno.readFileSync(journalSegment(home, Number(name))))) {
      if (!isMarked(marks, index, record.generation)) yield record;
    }
  }
}

/** None where the segment is just being made. */
function readMarks(home: Home, segment: number): Uint8Array {
  return ifThere(() => Deno.readFileSync(journalMarks(home, segment))) ?? new Uint8Array(0);
}
