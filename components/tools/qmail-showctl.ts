/**
 * qmail-showctl: prints how this qmail is made, and for each control file its value and its meaning, by the rows of
 * config/schema.ts. Exit codes: 0, 111.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { ifThere } from "../lib/disk/if_there.ts";
import { fromOctets } from "../lib/octets.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { print, runTool } from "../lib/process/tool.ts";
import type { Home } from "../../config/home.ts";
import { type ControlFile, type Row, schema } from "../../config/schema.ts";

/** Some text that a terminal takes for nothing but text. */
function harmless(text: string): string {
  return text.replace(/[^\n\t -~]/gu, "?");
}

function defaultOf(row: Row<unknown>, me: string): string {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.fromMe !== undefined) return String(row.fromMe(me));
  if (Array.isArray(row.default) || row.default instanceof Map) return "none";
  return row.default === false ? "0" : String(row.default);
}

/** A file's lines without comments, as its readers see them. */
function valueOf(text: string): string {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "" && !line.startsWith("#")).join(
    ", ",
  );
}

/** One control file's paragraph; `text`: what is in it (an octet string where the row says so), undefined where it is absent. */
export function describeControl(file: ControlFile, text: string | undefined, me: string): string {
  const row = schema[file] as Row<unknown>;
  const shown = (text: string) =>
    file.endsWith(".cdb") ? `(${text.length} octets.)` : valueOf(row.shown?.(text) ?? text) || "(Empty.)";
  const value = text === undefined ? `(Default.) ${defaultOf(row, me)}` : shown(text);
  const parsed = text === undefined ? undefined : row.parse(text);
  const wrong = parsed?.ok === false ? `Malformed: ${parsed.error}.\n` : "";
  return harmless(`\n${file}: ${value}\n${wrong}${row.doc}\n`);
}

/** The same, and a word on a file that is not for everybody: control/srssecret, say. */
function describeReadable(file: ControlFile, read: () => string | undefined, me: string): string {
  try {
    return describeControl(file, read(), me);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return harmless(`\n${file}: (Not for you to read.)\n${schema[file].doc}\n`);
  }
}

/** A file that no row names. */
export function describeUnknown(file: string): string {
  return harmless(`\n${file}: I have no idea what this file does.\n`);
}

/** Files that qmail's own programs or scripts around it keep in control/, and this one reads nowhere else. */
const companions = new Map([["morercpthosts", "morercpthosts.cdb"]]);

function* describe(home: Home): Generator<string, void, undefined> {
  yield `qmail home directory: ${home.dir}.\nuser-ext delimiter: -.\nsubdirectory split: ${home.queueSplit}.\n`;
  const files = (Object.keys(schema) as ControlFile[]).sort();
  const read = (file: string) => ifThere(() => Deno.readTextFileSync(home.control(file)));
  const readControl = (file: ControlFile) =>
    (schema[file] as Row<unknown>).octets === true
      ? ifThere(() => fromOctets(Deno.readFileSync(home.control(file))))
      : read(file);
  const me = valueOf(read("me") ?? "");
  for (const file of files) yield describeReadable(file, () => readControl(file), me);
  const others = Array.from(Deno.readDirSync(home.control("")), ({ name }) => name).sort()
    .filter((name) => !(name in schema) && !name.startsWith("."));
  for (const name of others) yield describeUnknown(name);
  for (const [text, cdb] of companions) {
    const [made, changed] = [cdb, text].map((file) =>
      ifThere(() => Deno.statSync(home.control(file)).mtime?.getTime())
    );
    if (changed !== undefined && (made === undefined || made < changed)) {
      yield `\nOops! ${cdb} is ${made === undefined ? "missing" : `older than ${text}`}: run qmail-newmrh.\n`;
    }
  }
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-showctl", () => print(describe(parseHomeArgs(args))));
}
