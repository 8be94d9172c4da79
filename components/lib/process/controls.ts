/**
 * A component's own control files, read at the start and again on SIGHUP.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { readControlsOf } from "../../../config/read.ts";
import type { Controls } from "../../../config/schema.ts";
import { CannotStart } from "./component.ts";

/** Holds the current values; `reload` swaps them whole or not at all. */
export class ControlValues {
  readonly #home: Home;
  readonly #component: string;
  #current: Controls;

  /** Throws {@link CannotStart} when a file is malformed. */
  constructor(home: Home, component: string) {
    this.#home = home;
    this.#component = component;
    const read = readControlsOf(home, component);
    if (!read.ok) throw new CannotStart(read.error.join("; "));
    this.#current = read.value;
  }

  get current(): Controls {
    return this.#current;
  }

  /** Answers what is wrong; then the old values stay. */
  reload(): readonly string[] {
    const read = readControlsOf(this.#home, this.#component);
    if (!read.ok) return read.error;
    this.#current = read.value;
    return [];
  }
}
