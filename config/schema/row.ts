/** What is known of one control file. @module */
import type { Parse } from "../values.ts";

/** One control file. `fromMe` computes the default from control/me, as qmail's "(me)" does. */
export interface Row<T> {
  readonly parse: Parse<T>;
  /** What of the text is shown to people; absent: all of it. */
  readonly shown?: (text: string) => string;
  /** `parse` gets the file's octets as an octet string, for it is no text. */
  readonly octets?: true;
  readonly default?: T;
  readonly fromMe?: (me: string) => T;
  /** Shown where the default is not a plain value. */
  readonly defaultText?: string;
  readonly usedBy: readonly string[];
  readonly doc: string;
}

/** A row, checked where it stands. */
export function row<T>(value: Row<T>): Row<T> {
  return value;
}
