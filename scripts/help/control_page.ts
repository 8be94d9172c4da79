/** The manual page of a control file, from its row of the schema. @module */
import { type ControlFile, type Row, schema } from "../../config/schema.ts";
import { defaultTextOf } from "../config/control_value.ts";
import { lines, list, type Page, part, text } from "./page.ts";

export function controlPage(file: ControlFile): Page {
  const row = schema[file] as Row<unknown>;
  const isBinary = file.endsWith(".cdb");
  return {
    name: file,
    section: 5,
    does: `control file of ${row.usedBy[0] ?? "dqmail"}`,
    parts: [
      ...part("DESCRIPTION", text(row.doc)),
      ...part(
        "FILE",
        list([
          ["control/" + file, "below the home; one that is not there means the default"],
          ["default", defaultTextOf(row)],
          ["used by", row.usedBy.join(", ")],
        ]),
        text(
          isBinary
            ? "A cdb file, made by a program of bin/."
            : "Lines whose first character is # are comments in files that hold a list. A malformed file stops the start, or the reload, and the message names the file, the value and what was expected.",
        ),
        text(
          row.shown === undefined
            ? ""
            : 'It may hold a secret: programs show it masked, and "dqmail config set" gives it an owner and a mode that keep it.',
        ),
      ),
      ...part(
        "EXAMPLES",
        lines(
          `dqmail config get ${file}`,
          ...(isBinary ? [] : [`dqmail config set ${file} ... --reload`, `dqmail config set ${file} --default`]),
        ),
      ),
    ],
    seeAlso: ["config", ...row.usedBy.slice(0, 6)],
  };
}
