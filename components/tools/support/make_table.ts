/**
 * Writing a cdb file that the caller names: fastforward's table for setforward and newaliases, rules for tcprules.
 * @module
 */
import { type Instruction, tableRecords } from "../../lib/aliases/table.ts";
import type { CdbRecord } from "../../lib/cdb/maker.ts";
import { writeCdb } from "../../lib/cdb/files.ts";
import type { Result } from "../../lib/result.ts";

/**
 * Makes the file anew beside its place and puts it there, so that a reader has the old one or the new one. Throws what
 * the system says, and for what could not be parsed; the table in place stays then.
 */
export function makeTable(instructions: Result<readonly Instruction[], string>, cdb: string, tmp: string): void {
  if (!instructions.ok) throw new Error(instructions.error);
  makeCdb(tableRecords(instructions.value), cdb, tmp);
}

/** The same for any records. */
export function makeCdb(records: Iterable<CdbRecord>, cdb: string, tmp: string): void {
  // What another attempt left may be longer.
  const file = Deno.openSync(tmp, { write: true, create: true, truncate: true, mode: 0o644 });
  try {
    writeCdb(file, records);
  } finally {
    file.close();
  }
  Deno.renameSync(tmp, cdb);
}
