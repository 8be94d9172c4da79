/**
 * users/assign, and the records of users/cdb made from it: which account is responsible for which local parts, set down
 * by the administrator. `=local:…` is for one local part, `+beginning:…` for all that begin so; a line that begins with a
 * dot ends the file.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import { decodeUtf8, lowerCaseAscii } from "../address/parse_domain.ts";
import type { CdbRecord } from "../cdb/maker.ts";
import { type CdbSource, findInCdb } from "../cdb/reader.ts";
import { err, ok, type Result } from "../result.ts";
import { type Controlled, parseId } from "./account.ts";

/** Fields of a record, joined with NUL in users/cdb. */
const fieldCount = 6;

interface Assignment {
  readonly key: string;
  readonly data: string;
  /** The last octet of a beginning that is not empty. */
  readonly wildchar: string | undefined;
}

/** Errors: what was expected. The line's own case is kept in the data, not in the key. */
function parseLine(line: string): Result<Assignment, string> {
  const colon = line.indexOf(":");
  if (colon < 1) return err("expected = or + in front of a local part, and a colon behind it");
  if (line.includes("\0")) return err("expected no NUL");
  const fields = line.slice(colon + 1).split(":");
  // Six colons: what follows the last is not looked at.
  if (fields.length <= fieldCount) return err("expected user:uid:gid:home:dash:extension: behind the local part");
  const isWildcard = line.startsWith("+");
  const local = lowerCaseAscii(line.slice(1, colon));
  return ok({
    key: isWildcard ? `!${local}` : `!${local}\0`,
    data: fields.slice(0, fieldCount).join("\0"),
    wildchar: isWildcard ? local.at(-1) : undefined,
  });
}

/**
 * The records of users/cdb, in the file's order, with the set of wildcards' last octets under the empty key as the last.
 * `text` is an octet string. Errors: the first defect, with its line's number.
 */
export function compileAssign(text: string): Result<readonly CdbRecord[], string> {
  const records: CdbRecord[] = [];
  const wildchars = new Set<string>();
  const lines = text.split("\n");
  // What follows the last line end is no line.
  const last = lines.length - 1;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith(".")) {
      records.push({ key: toOctets(""), data: toOctets([...wildchars].join("")) });
      return ok(records);
    }
    if (index === last) break;
    const parsed = parseLine(line);
    if (!parsed.ok) return err(`line ${index + 1}: ${parsed.error}`);
    const { key, data, wildchar } = parsed.value;
    records.push({ key: toOctets(key), data: toOctets(data) });
    if (wildchar !== undefined) wildchars.add(wildchar);
  }
  return err(`line ${last + 1}: expected a line with a dot at the end`);
}

/**
 * Whose mail `local` (an octet string) is by users/cdb: the record of its own, else that of its longest beginning, whose
 * extension then goes on with the rest of `local`. `undefined`: nobody's there. Errors: what is wrong with the file;
 * then nothing is known.
 */
export function findAssigned(cdb: CdbSource, local: string): Result<Controlled | undefined, string> {
  const wildchars = findInCdb(cdb, toOctets(""));
  if (!wildchars.ok) return wildchars;
  // Written by qmail-newu into every file: without it, it is another kind of file.
  if (wildchars.value === undefined) return err("there is no set of wildcards");
  const lastOctets = fromOctets(wildchars.value);
  const lower = lowerCaseAscii(local);
  const simple = findInCdb(cdb, toOctets(`!${lower}\0`));
  if (!simple.ok) return simple;
  if (simple.value !== undefined) return parseRecord(fromOctets(simple.value), "");
  for (let length = lower.length; length >= 0; length--) {
    if (length > 0 && !lastOctets.includes(lower[length - 1]!)) continue;
    const found = findInCdb(cdb, toOctets(`!${lower.slice(0, length)}`));
    if (!found.ok) return found;
    if (found.value !== undefined) return parseRecord(fromOctets(found.value), local.slice(length));
  }
  return ok(undefined);
}

function parseRecord(data: string, rest: string): Result<Controlled, string> {
  const fields = data.split("\0");
  const [user = "", uidText = "", gidText = "", homeOctets = "", dash = "", extension = ""] = fields;
  const [uid, gid, home] = [parseId(uidText), parseId(gidText), decodeUtf8(homeOctets)];
  if (fields.length !== fieldCount || uid === undefined || gid === undefined || !home?.startsWith("/")) {
    return err("a record is not user, uid, gid, home, dash and extension");
  }
  return ok({ user, uid, gid, home, dash, extension: `${extension}${rest}` });
}
