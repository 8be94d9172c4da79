/**
 * A `.qmail` file as instructions (qmail's interface, dot-qmail). One a line; blanks and tabs at a line's end go, those
 * at its beginning count. Text is an octet string. A line ends at its first NUL, as every line did in C.
 * @module
 */

export type Instruction =
  /** Path as written: absolute, or relative to the home. */
  | { readonly kind: "mbox"; readonly path: string }
  /** Path as written, with the `/` at its end. */
  | { readonly kind: "maildir"; readonly path: string }
  /** For `/bin/sh -c`. */
  | { readonly kind: "program"; readonly command: string }
  | { readonly kind: "forward"; readonly address: string }
  /** `+list`: from here on only forwards are allowed. */
  | { readonly kind: "list" };

export type QmailFile =
  /** Nothing in it: the default delivery, and an x bit means nothing. */
  | { readonly kind: "empty" }
  /** Its first line is blank: somebody has not finished it. */
  | { readonly kind: "blank" }
  /** What to do, in order; nothing at all where there are only comments. */
  | { readonly kind: "instructions"; readonly instructions: readonly Instruction[] };

/**
 * Reads the text of a `.qmail` file, or of control/defaultdelivery. Never fails.
 *
 * @example
 * ```ts
 * import { parseQmailFile } from "./parse_qmail_file.ts";
 * parseQmailFile("# mine\n./Maildir/\n&amy@example.org\n");
 * // { kind: "instructions", instructions: [{ kind: "maildir", path: "./Maildir/" },
 * //   { kind: "forward", address: "amy@example.org" }] }
 * ```
 */
export function parseQmailFile(text: string): QmailFile {
  if (text === "") return { kind: "empty" };
  const instructions: Instruction[] = [];
  const lines = text.split("\n");
  // What follows the last line's end is no line.
  if (lines.at(-1) === "") lines.pop();
  for (const [at, raw] of lines.entries()) {
    const line = cutAtNul(withoutTrailingBlanks(raw));
    if (line === "" && at === 0) return { kind: "blank" };
    const instruction = parseLine(line);
    if (instruction !== undefined) instructions.push(instruction);
  }
  return { kind: "instructions", instructions };
}

/** No expression: one that looks for blanks at the end takes a time that grows with the square of their number. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(0, end);
}

function cutAtNul(line: string): string {
  const at = line.indexOf("\0");
  return at < 0 ? line : line.slice(0, at);
}

function parseLine(line: string): Instruction | undefined {
  switch (line[0]) {
    case undefined:
    case "#":
      return undefined;
    case ".":
    case "/":
      return { kind: line.endsWith("/") ? "maildir" : "mbox", path: line };
    case "|":
      return { kind: "program", command: line.slice(1) };
    case "+":
      return line === "+list" ? { kind: "list" } : undefined;
    case "&":
      return { kind: "forward", address: line.slice(1) };
    default:
      return { kind: "forward", address: line };
  }
}

/**
 * Whether a program will be started if nothing fails before. `forwardOnly`: the file's x bit is set, which bars programs
 * from its first line on, as `+list` does from its own.
 */
export function startsProgram(instructions: readonly Instruction[], forwardOnly: boolean): boolean {
  if (forwardOnly) return false;
  const list = instructions.findIndex(({ kind }) => kind === "list");
  return instructions.slice(0, list < 0 ? undefined : list).some(({ kind }) => kind === "program");
}

/** `path` of an instruction, made absolute; `home` without a `/` at its end. A `/` at the path's end goes. */
export function absolutePath(home: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${home}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Whether an absolute path, without `.` and `..` in it, lies below `home`. */
export function liesBelow(home: string, path: string): boolean {
  return path.startsWith(`${home}/`);
}

/**
 * Why these instructions are not followed for a virtual mailbox, or undefined. All of these belong to one user id: a
 * program of one could read the mail of all, and so could a path that leads out of the home.
 */
export function virtualDefect(home: string, instructions: readonly Instruction[]): string | undefined {
  for (const instruction of instructions) {
    if (instruction.kind === "program") return "a program line";
    const hasPath = instruction.kind === "mbox" || instruction.kind === "maildir";
    if (hasPath && !isNowhere(instruction.path) && !liesBelow(home, absolutePath(home, instruction.path))) {
      return "a path outside the mailbox's home";
    }
  }
  return undefined;
}

/** The one file outside every home that is allowed: it takes a message and keeps nothing. */
export function isNowhere(path: string): boolean {
  return path === "/dev/null";
}
