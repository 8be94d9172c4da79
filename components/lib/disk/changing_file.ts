/**
 * A file that others replace while this process runs: read again when it changed, which costs one look each time.
 * @module
 */
import { describeError, log } from "../log/log.ts";
import type { Result } from "../result.ts";

export interface ChangingFileOptions<T> {
  readonly path: string;
  /** As the log has it. */
  readonly name: string;
  /** What to say where there is no such file. */
  readonly absent: T;
  /** Reads it whole, or opens it. Throws what the system says. */
  readonly read: (path: string) => Result<T, string>;
  /** Ends the use of what `read` answered. */
  readonly release?: (value: T) => void;
}

export class ChangingFile<T> {
  readonly #options: ChangingFileOptions<T>;
  #stamp = "";
  #value: T | "unsure";
  #said = "";

  constructor(options: ChangingFileOptions<T>) {
    this.#options = options;
    this.#value = options.absent;
  }

  /** What is in the file as it stands; `unsure` while it cannot be read, which the log tells once. */
  current(): T | "unsure" {
    const { path, absent } = this.#options;
    try {
      const info = Deno.statSync(path);
      const stamp = `${info.ino} ${info.size} ${info.mtime?.getTime()}`;
      if (stamp !== this.#stamp) {
        this.#replace(this.#read());
        this.#stamp = stamp;
      }
    } catch (error) {
      // Anything but that it is not there is trouble that may pass.
      const isAbsent = error instanceof Deno.errors.NotFound;
      this.#replace(isAbsent ? absent : "unsure");
      this.#stamp = "";
      if (isAbsent) this.#said = "";
      else this.complain(describeError(error));
    }
    return this.#value;
  }

  /** Says in the log why the file is of no use; the same not twice while it stays as it is. */
  complain(reason: string): void {
    if (reason !== this.#said) log(`alert: cannot read ${this.#options.name}: ${reason}`);
    this.#said = reason;
  }

  #replace(value: T | "unsure"): void {
    if (value === this.#value) return;
    if (this.#value !== "unsure") this.#options.release?.(this.#value);
    this.#value = value;
  }

  #read(): T | "unsure" {
    const read = this.#options.read(this.#options.path);
    if (!read.ok) {
      this.complain(read.error);
      return "unsure";
    }
    this.#said = "";
    return read.value;
  }
}
