/**
 * The formats of todo, info, local and remote, record by record: for files too large to be parsed whole.
 * @module
 */
import { RecordSplitter } from "./record_splitter.ts";

/** Folders whose files have a format. */
export const formattedDirs = ["todo", "info", "local", "remote"] as const;
export type FormattedDir = (typeof formattedDirs)[number];

/** Records before the recipients, by letter. */
const heads: Readonly<Record<FormattedDir, string>> = { todo: "upF", info: "F", local: "", remote: "" };
const recipientLetters: Readonly<Record<FormattedDir, string>> = { todo: "T", info: "", local: "TD", remote: "TD" };

/** What is wrong with a file of `dir` that has these pieces; `undefined` when nothing is. */
export function formatDefect(dir: FormattedDir, pieces: Iterable<Uint8Array>): string | undefined {
  const splitter = new RecordSplitter();
  const head = heads[dir];
  let records = 0;
  for (const piece of pieces) {
    for (const record of splitter.push(piece)) {
      const letter = record[0] ?? "";
      const want = head[records++] ?? recipientLetters[dir];
      if (letter === "" || !want.includes(letter)) {
        return `record ${records} begins with ${JSON.stringify(letter)}, not with ${
          want.split("").join(" or ") || "none"
        }`;
      }
      if ((letter === "u" || letter === "p") && !/^[0-9]{1,15}$/.test(record.slice(1))) {
        return `record ${records} is not a number`;
      }
    }
  }
  if (splitter.defect !== undefined) return splitter.defect;
  return records < Math.max(head.length, 1) ? "there are records missing" : undefined;
}
