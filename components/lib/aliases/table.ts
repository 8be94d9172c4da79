/**
 * fastforward's table (its interface): what is done with mail for a target, and who gets the bounces of a target's list.
 * A target is `user@host`, `@host` or `user@`. In the cdb file the key of the first is `:` and the target, the data its
 * commands, each ended by NUL; the key of the second `?` and the target, the data an address.
 *
 * Commands: `&address`; `|command` for a shell; `!command` for one with UFLINE, RPLINE and DTLINE in front of the message;
 * `/file` or `./file`, a list of addresses kept elsewhere. All octet strings.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import type { CdbRecord } from "../cdb/maker.ts";
import { type CdbSource, findInCdb } from "../cdb/reader.ts";
import { err, ok, type Result } from "../result.ts";

/** One target's instruction. */
export interface Instruction {
  /** In lower case. */
  readonly target: string;
  readonly commands: readonly string[];
  /** Sender of what is forwarded for this target; undefined: the original one. */
  readonly owner: string | undefined;
}

/** The records of the cdb file. */
export function* tableRecords(instructions: Iterable<Instruction>): Generator<CdbRecord, void, undefined> {
  for (const { target, commands, owner } of instructions) {
    if (owner !== undefined) yield { key: toOctets(`?${target}`), data: toOctets(owner) };
    if (commands.length === 0) continue;
    yield { key: toOctets(`:${target}`), data: toOctets(commands.map((command) => `${command}\0`).join("")) };
  }
}

/** Looks things up in one file. Throws TableError where the file contradicts itself. */
export class Table {
  readonly #source: CdbSource;

  constructor(source: CdbSource) {
    this.#source = source;
  }

  commands(target: string): readonly string[] | undefined {
    return this.#find(`:${target}`)?.split("\0").slice(0, -1);
  }

  owner(target: string): string | undefined {
    return this.#find(`?${target}`);
  }

  #find(key: string): string | undefined {
    const found = findInCdb(this.#source, toOctets(key));
    if (!found.ok) throw new TableError(found.error);
    return found.value === undefined ? undefined : fromOctets(found.value);
  }
}

/** The file is no cdb file, or a damaged one. */
export class TableError extends Error {
  override name = "TableError";
}

const lowerCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/**
 * Reads setforward's table: `target: command, command;` with `#` comments, blanks ignored, a backslash in front of an
 * octet that means nothing. Error: what is wrong, and where.
 */
export function parseTable(text: string): Result<Instruction[], string> {
  const instructions = new Map<string, { commands: string[]; owner: string | undefined }>();
  let [line, target, word] = [1, undefined as string | undefined, ""];
  let words: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const octet = text[at]!;
    if (octet === "\n") line++;
    if (octet === "\0") return err(`a NUL in line ${line}`);
    if (octet === "\\") {
      word += text[++at] ?? "";
      if (text[at] === "\n") line++;
    } else if (octet === "#") at = untilLineEnd(text, at);
    else if (octet === ":" && target === undefined) {
      if (word === "") return err(`a target without a name in line ${line}`);
      [target, word] = [lowerCase(word), ""];
    } else if ((octet === "," || octet === ";") && target !== undefined) {
      if (word !== "") words.push(word);
      word = "";
      if (octet === ",") continue;
      const wrong = addInstruction(instructions, target, words);
      if (wrong !== undefined) return err(`${wrong} in line ${line}`);
      [target, words] = [undefined, []];
    } else if (!" \t\r\n".includes(octet)) word += octet;
  }
  if (target !== undefined || word !== "") return err(`an instruction without ";" at the end`);
  return ok([...instructions].map(([target, instruction]) => ({ target, ...instruction })));
}

/** Index of the octet before the next LF. */
function untilLineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end - 1;
}

function addInstruction(
  instructions: Map<string, { commands: string[]; owner: string | undefined }>,
  target: string,
  words: readonly string[],
): string | undefined {
  const instruction = instructions.get(target) ?? { commands: [], owner: undefined };
  const before = instruction.commands.length;
  const commands: string[] = [];
  for (const word of words) {
    if (word.startsWith("?")) instruction.owner = word.slice(1);
    else if (/^[&|!./]/.test(word)) commands.push(word);
    else if (/^[A-Za-z0-9]/.test(word)) commands.push(`&${word}`);
    else return `an unknown command ${JSON.stringify(word)}`;
  }
  if (before > 0 && commands.length > 0) return `a second instruction for ${target}`;
  instruction.commands.push(...commands);
  instructions.set(target, instruction);
  return undefined;
}

/** A table in the form that {@link parseTable} reads, a line for each. */
export function formatTable(instructions: Iterable<Instruction>): string {
  let text = "";
  for (const { target, commands, owner } of instructions) {
    const words = [...owner === undefined ? [] : [`?${owner}`], ...commands].map(escapeWord);
    text += `${escapeWord(target)}: ${words.join(", ")};\n`;
  }
  return text;
}

function escapeWord(word: string): string {
  return word.replace(/[ \t\r\n\\#:,;]/g, "\\$&");
}

/** All of a cdb file's table, in its order. Errors: not such a file. */
export function readTable(octets: Uint8Array): Result<Instruction[], string> {
  if (octets.length < 2048) return err("the header ends early");
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  // The records end where the first table begins.
  let end = octets.length;
  for (let table = 0; table < 256; table++) end = Math.min(end, view.getUint32(table * 8, true));
  const instructions = new Map<string, Instruction>();
  for (let at = 2048; at < end;) {
    if (at + 8 > end) return err("a record ends early");
    const [keyBytes, dataBytes] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const dataAt = at + 8 + keyBytes;
    if (dataAt + dataBytes > end) return err("a record is longer than the file");
    const [key, data] = [octets.subarray(at + 8, dataAt), octets.subarray(dataAt, dataAt + dataBytes)].map(fromOctets);
    at = dataAt + dataBytes;
    const target = key!.slice(1);
    const known = instructions.get(target) ?? { target, commands: [], owner: undefined };
    if (key!.startsWith("?")) instructions.set(target, { ...known, owner: data! });
    else if (key!.startsWith(":")) instructions.set(target, { ...known, commands: data!.split("\0").slice(0, -1) });
    else return err("a record that is no target");
  }
  return ok([...instructions.values()]);
}
