/**
 * cdb files on disk: reading one by pieces, and putting a new one in the place of the old, so that whoever reads meanwhile
 * has one of them whole.
 * @module
 */
import { ifThere } from "../disk/if_there.ts";
import { readAt } from "../disk/read_at.ts";
import { err, ok, type Result } from "../result.ts";
import { CdbMaker, type CdbRecord } from "./maker.ts";
import type { CdbSource } from "./reader.ts";
import { headerBytes } from "./hash.ts";

/** A cdb file, open. */
export class CdbFile implements CdbSource, Disposable {
  readonly #file: Deno.FsFile;
  readonly sizeBytes: number;

  /** Throws what opening says. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { read: true });
    this.sizeBytes = this.#file.statSync().size;
  }

  readAt(offset: number, count: number): Uint8Array {
    return readAt(this.#file, offset, count);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

const pieceBytes = 64 * 1024;

/** Gathers small writes. */
class Output {
  readonly #file: Deno.FsFile;
  readonly #piece = new Uint8Array(pieceBytes);
  #filled = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  write(octets: Uint8Array): void {
    if (this.#filled + octets.length > pieceBytes) this.flush();
    if (octets.length > pieceBytes) return this.#writeAll(octets);
    this.#piece.set(octets, this.#filled);
    this.#filled += octets.length;
  }

  flush(): void {
    this.#writeAll(this.#piece.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #writeAll(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) at += this.#file.writeSync(octets.subarray(at));
  }
}

/**
 * Writes the records into the open and empty `file`, and has all of it on stable storage. Throws what writing says, what
 * `records` throws, and CdbTooLarge.
 */
export function writeCdb(file: Deno.FsFile, records: Iterable<CdbRecord>): void {
  const maker = new CdbMaker();
  const output = new Output(file);
  output.write(new Uint8Array(headerBytes));
  for (const record of records) output.write(maker.add(record));
  const { tables, header } = maker.finish();
  for (const table of tables) output.write(table);
  output.flush();
  file.seekSync(0, Deno.SeekMode.Start);
  output.write(header);
  output.flush();
  file.syncSync();
}

/** Where it went wrong, in the words of qmail's programs, and what the system said. */
export interface CdbFailure {
  readonly step: "open" | "write" | "move";
  readonly cause: unknown;
}

/**
 * Puts a cdb file of these records in the place of `path`: it is written as `fresh` and moved when all of it is on stable
 * storage. Callers see to it that two never do so at once.
 */
export function replaceCdb(path: string, fresh: string, records: readonly CdbRecord[]): Result<undefined, CdbFailure> {
  let step: CdbFailure["step"] = "open";
  try {
    // Not written over: the folder's owner may have put a link there that leads elsewhere.
    ifThere(() => Deno.removeSync(fresh));
    using file = Deno.openSync(fresh, { write: true, createNew: true, mode: 0o644 });
    step = "write";
    writeCdb(file, records);
    step = "move";
    Deno.renameSync(fresh, path);
    return ok(undefined);
  } catch (cause) {
    return err({ step, cause });
  }
}
