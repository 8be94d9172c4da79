/**
 * Lines as splogger gives them to syslog (its interface): `SECONDS.MICROSECONDS text`, and where a line is longer than a
 * syslog can be trusted with, the rest in further ones with the same time and `+` for the blank.
 * @module
 */

export type SyslogPriority = "alert" | "warning" | "info";

export interface SyslogLine {
  readonly priority: SyslogPriority;
  readonly line: string;
}

/** Octets of the text in one of them at the most. */
const mostOctets = 800;
const lf = 10;

/** Takes its input in pieces of any size. */
export class SyslogLines {
  readonly #now: () => number;
  #stamp = "";
  #priority: SyslogPriority = "info";
  #text = "";
  /** Whether the text at hand goes on with a line of which a part has left. */
  #goesOn = false;

  /** `now` answers microseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  push(piece: Uint8Array): SyslogLine[] {
    const lines: SyslogLine[] = [];
    for (const octet of piece) {
      if (octet === lf) {
        lines.push(...this.end());
        continue;
      }
      if (this.#text === "" && !this.#goesOn) this.#stamp = stampOf(this.#now());
      if (this.#text.length === mostOctets) {
        lines.push(this.#take());
        this.#goesOn = true;
      }
      this.#text += octet < 32 || octet > 126 ? "?" : String.fromCharCode(octet);
    }
    return lines;
  }

  /** What is left of a line that has no end, or has come to it; a blank one is none. */
  end(): SyslogLine[] {
    const lines = this.#text.trim() === "" ? [] : [this.#take()];
    this.#text = "";
    this.#goesOn = false;
    return lines;
  }

  #take(): SyslogLine {
    const text = this.#text;
    this.#text = "";
    if (this.#goesOn) return { priority: this.#priority, line: `${this.#stamp}+${text}` };
    this.#priority = text.startsWith("alert:") ? "alert" : text.startsWith("warning:") ? "warning" : "info";
    return { priority: this.#priority, line: `${this.#stamp} ${text}` };
  }
}

function stampOf(microseconds: number): string {
  return `${Math.floor(microseconds / 1_000_000)}.${String(microseconds % 1_000_000).padStart(6, "0")}`;
}
