/**
 * What becomes of each control file of an installation that is taken over. Pure: names and texts in, verdicts out.
 * @module
 */
import { type ControlFile, type Row, schema } from "../../config/schema.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { isCompanion, reasonWithoutEffect, translations } from "./foreign_controls.ts";

export type ControlVerdict =
  /** Read by dqmail with the same meaning. */
  | { readonly file: string; readonly kind: "as it is"; readonly note?: string }
  /** Written into another file; it stays itself. */
  | { readonly file: string; readonly kind: "translated"; readonly to: ControlFile; readonly text: string }
  /** Stays where it is; nothing reads it. */
  | { readonly file: string; readonly kind: "without effect"; readonly why: string }
  /** dqmail would not start with it. */
  | { readonly file: string; readonly kind: "malformed"; readonly why: string };

/** The files in control/ by name; contents are octet strings, undefined for what is no plain file. */
export type ControlTexts = ReadonlyMap<string, string | undefined>;

const decoder = new TextDecoder();

/** Rows that read octets get them; the others text. */
function defectOf(file: ControlFile, octets: string): string | undefined {
  const row = schema[file] as Row<unknown>;
  const parsed = row.parse(row.octets === true ? octets : decoder.decode(toOctets(octets)));
  return parsed.ok ? undefined : parsed.error;
}

function isRow(file: string): file is ControlFile {
  return Object.hasOwn(schema, file);
}

/** Where a file's meaning is not quite what it was, though it is read. */
const differences: Readonly<Partial<Record<ControlFile, string>>> = {
  policy: "here this is the order of the rules at RCPT (eMPF's file of that name means something else)",
};

function judge(file: string, text: string | undefined, there: ControlTexts): ControlVerdict {
  if (isRow(file)) {
    const wrong = text === undefined ? "expected a plain file" : defectOf(file, text);
    const note = differences[file];
    if (wrong !== undefined) return { file, kind: "malformed", why: note === undefined ? wrong : `${wrong}; ${note}` };
    return { file, kind: "as it is", ...note === undefined ? {} : { note } };
  }
  if (isCompanion(file)) return { file, kind: "as it is" };
  const translation = translations.get(file);
  if (translation !== undefined && text !== undefined) {
    const { to } = translation;
    const translated = translation.text(text);
    if (there.has(to)) return { file, kind: "without effect", why: `control/${to} is there, and says it` };
    if (translated !== undefined && defectOf(to, translated) === undefined) {
      return { file, kind: "translated", to, text: translated };
    }
  }
  return { file, kind: "without effect", why: reasonWithoutEffect(file) ?? "nothing here knows this file" };
}

/** One verdict a file, by name. */
export function judgeControls(texts: ControlTexts): readonly ControlVerdict[] {
  return [...texts].sort(([a], [b]) => a < b ? -1 : 1).map(([file, text]) => judge(file, text, texts));
}

/** What is not said by any file, and meant one thing to qmail and means another here. */
export function changedDefaults(texts: ControlTexts): readonly string[] {
  const notes: string[] = [];
  if (!texts.has("rcpthosts")) {
    notes.push(
      "control/rcpthosts is absent: to qmail that meant mail for any domain, from anybody (an open relay); here it means " +
        "that only clients who may relay are heard",
    );
  }
  if (texts.has("morercpthosts") && !texts.has("morercpthosts.cdb")) {
    notes.push("control/morercpthosts is not compiled: run qmail-newmrh");
  }
  return notes;
}
