/**
 * A milter of the tests' own: answers each command as it is told to, and keeps what it heard. It has its own idea of
 * packets, so that an error in the client's is seen.
 * @module
 */
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

/** A letter and its data (octet strings). */
export type Said = readonly [letter: string, data: string];

/** What is answered to a command: whole packets as octet strings, by {@link answer}, or anything else. */
export type Script = (letter: string, data: string) => string;

export function number(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function answer(letter: string, data = ""): string {
  return number(1 + data.length) + letter + data;
}

/** Takes all that is offered but what `steps` leaves out: version 6, every action. */
export function negotiates(steps = 0, actions = 0x1ff, version = 6): string {
  return answer("O", number(version) + number(actions) + number(steps));
}

/** "continue" to all; `special` first. */
export function script(special: Partial<Record<string, string>> = {}): Script {
  return (letter) => {
    const own = special[letter];
    if (own !== undefined) return own;
    if (letter === "O") return negotiates();
    return letter === "D" || letter === "Q" ? "" : answer("c");
  };
}

export class ScriptedMilter {
  readonly heard: Said[] = [];
  readonly #script: Script;
  #held = "";

  constructor(script: Script) {
    this.#script = script;
  }

  /** Takes octets; answers those to send back. */
  push(octets: Uint8Array): Uint8Array {
    this.#held += fromOctets(octets);
    let out = "";
    while (this.#held.length >= 4) {
      const length = [0, 1, 2, 3].reduce((sum, at) => sum * 256 + this.#held.charCodeAt(at), 0);
      if (this.#held.length < 4 + length) break;
      const said: Said = [this.#held[4]!, this.#held.slice(5, 4 + length)];
      this.#held = this.#held.slice(4 + length);
      this.heard.push(said);
      out += this.#script(...said);
    }
    return toOctets(out);
  }

  /** Letters of the commands heard, without macros. */
  get letters(): string {
    return this.heard.map(([letter]) => letter).filter((letter) => letter !== "D").join("");
  }
}
