/**
 * What is known of a command beside what it does: from this come its help, its manual page, shell completion, and the
 * check of its command line.
 * @module
 */

/** One `--name`, with a value or without. */
export interface Option {
  /** Without `--`. */
  readonly name: string;
  /** What its value is called in the usage (`DIR`); absent: it has none. */
  readonly value?: string;
  /** What the value may be, where that is one of a few words or a path. */
  readonly takes?: readonly string[] | "folder" | "file";
  /** The words behind the command that it belongs to; absent: all of them. */
  readonly of?: readonly string[];
  readonly does: string;
}

/** A word behind a command that says what to do: `list` of `dqmail queue list`. */
export interface Word {
  readonly name: string;
  /** What comes behind it, as the usage has it. */
  readonly then?: string;
  readonly does: string;
}

/** A command line that can be copied. */
export interface Example {
  readonly line: string;
  /** What it does, where the line does not say so. */
  readonly does?: string;
}

export interface Command {
  readonly name: string;
  /** One line for lists, without a full stop. */
  readonly does: string;
  /** What comes behind the name, a line for each form. */
  readonly usage: readonly string[];
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly options: readonly Option[];
  readonly words?: readonly Word[];
  /** How many words may stand behind a command that has none of `words`; absent: any number. */
  readonly mostWords?: number;
  /** What else may stand behind the command, for completion. */
  readonly arguments?: "topics" | "controls" | readonly string[];
  readonly examples: readonly Example[];
  /** What it ends with. */
  readonly codes: readonly (readonly [code: number, means: string])[];
  /** It works on a home: it may be told which by DQMAIL_HOME. */
  readonly hasHome: boolean;
  /** There is no `deno task` of that name. */
  readonly noTask?: true;
}

export const homeOption: Option = { name: "home", value: "DIR", takes: "folder", does: "the home; default var" };

export const jsonOption: Option = { name: "json", does: "prints JSON" };

/** `--name VALUE` or `--name`. */
export function formatOption({ name, value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** The options that a word of the command takes; all of them for a command without words. */
export function optionsOf({ options }: Command, word: string | undefined): readonly Option[] {
  return options.filter(({ of }) => of === undefined || (word !== undefined && of.includes(word)));
}
