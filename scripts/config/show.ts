/**
 * `dqmail config show|get`: what is in the control files, for people.
 * @module
 */
import { mostColumns, wrap } from "../cli/wrap.ts";
import type { ControlValue } from "./control_value.ts";

/** Some text that a terminal takes for nothing but text. */
export function harmless(text: string): string {
  return text.replace(/[^\n\t -~]/gu, "?");
}

/** The lines that count, as the file's readers see them. */
function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "" && !line.startsWith("#"));
}

/** One file's paragraph. */
export function formatControl(control: ControlValue): string {
  const { file, doc, usedBy, defect } = control;
  const [first, ...more] = valueLines(control);
  return harmless([
    `${file} = ${first ?? "(empty)"}`,
    ...more.map((line) => `${" ".repeat(file.length)}   ${line}`),
    ...(control.isSet ? [`    default: ${control.default}`] : []),
    ...(defect === undefined ? [] : [`    MALFORMED: ${defect}`]),
    wrap(doc, mostColumns, 4),
    wrap(`Used by ${usedBy.join(", ")}.`, mostColumns, 4),
  ].join("\n"));
}

function valueLines({ isSet, hidden, text = "", default: byDefault }: ControlValue): readonly string[] {
  if (hidden === true) return ["(not for you to read)"];
  return isSet ? linesOf(text) : [`${byDefault}   (default)`];
}

/** What `config get` prints of a file: its text, or the default where it is not there. */
export function formatValue({ isSet, text = "", default: byDefault }: ControlValue): string {
  return harmless(isSet ? text.replace(/\n+$/, "") : byDefault);
}
