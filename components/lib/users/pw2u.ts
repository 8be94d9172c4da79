/**
 * From passwd(5) to users/assign, by the rules of qmail-pw2u: an account gets mail for its name and for `name-anything`,
 * or for other names, and hands names on to sub-users; alias gets what is nobody's.
 * @module
 */
import { decodeUtf8, lowerCaseAscii } from "../address/parse_domain.ts";
import { err, ok, type Result } from "../result.ts";
import { parseId } from "./account.ts";
import type { HomeOwner } from "./system_passwd.ts";

export interface Pw2uOptions {
  /** `owned`: accounts without a home of their own are left out; `present`: a missing home ends it; `any`: not looked at. */
  readonly homes: "owned" | "present" | "any";
  /** Whether names with capitals count. */
  readonly capitals: boolean;
  /** Between a name and its extension; "" for no extensions. */
  readonly delimiter: string;
  /** In front of the extension in the names of `.qmail` files. */
  readonly dash: "-" | "-/";
}

export const defaultPw2uOptions: Pw2uOptions = { homes: "owned", capitals: false, delimiter: "-", dash: "-" };

/** The files beside users/assign, as octet strings; undefined for one that is not there. */
export interface Pw2uFiles {
  readonly include: string | undefined;
  readonly exclude: string | undefined;
  readonly mailnames: string | undefined;
  readonly subusers: string | undefined;
  readonly append: string | undefined;
}

interface User {
  readonly name: string;
  /** `:user:uid:gid:home:`, which every line has. */
  readonly middle: string;
}

/** As qmail reads control files: without blanks at the ends, blank lines and comments. */
function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/[ \t]+$/, "")).filter((line) =>
    line !== "" && !line.startsWith("#")
  );
}

function names(text: string | undefined): ReadonlySet<string> | undefined {
  return text === undefined ? undefined : new Set(linesOf(text).map(lowerCaseAscii));
}

/** Names by account: what stands behind the first colon; the last line of an account counts. */
function mailnamesOf(text: string | undefined): ReadonlyMap<string, string> {
  const pairs = linesOf(text ?? "").filter((line) => line.includes(":")).map((line) => {
    const colon = line.indexOf(":");
    return [lowerCaseAscii(line.slice(0, colon)), line.slice(colon + 1)] as const;
  });
  return new Map(pairs);
}

/**
 * The text of users/assign for `passwd`; all are octet strings. Errors: why there is none, in qmail's words.
 *
 * @example
 * ```ts
 * import { defaultPw2uOptions, pw2u } from "./pw2u.ts";
 * const none = { include: undefined, exclude: undefined, mailnames: undefined, subusers: undefined, append: undefined };
 * pw2u("alias:x:7:8::/q/alias:\n", none, { ...defaultPw2uOptions, homes: "any" }, () => "absent");
 * // { ok: true, value: "+:alias:7:8:/q/alias:-::\n=alias:alias:7:8:/q/alias:::\n+alias-:alias:7:8:/q/alias:-::\n.\n" }
 * ```
 */
export function pw2u(
  passwd: string,
  files: Pw2uFiles,
  options: Pw2uOptions,
  ownerOf: HomeOwner,
): Result<string, string> {
  const [include, exclude, mailnames] = [names(files.include), names(files.exclude), mailnamesOf(files.mailnames)];
  const users = new Map<string, User>();
  let text = "";
  for (const line of passwd.split("\n")) {
    const read = userOf(line, options, ownerOf, (name) => include?.has(name) !== false && exclude?.has(name) !== true);
    if (!read.ok) return read;
    const user = read.value;
    if (user === undefined) continue;
    users.set(lowerCaseAscii(user.name), user);
    text += linesFor(user, mailnames.get(lowerCaseAscii(user.name)) ?? user.name, options);
  }
  if (!users.has("alias")) return err("unable to find alias user");
  for (const line of linesOf(files.subusers ?? "")) {
    const [sub, name, prefix] = line.split(":");
    if (sub === undefined || name === undefined || prefix === undefined) continue;
    const user = users.get(lowerCaseAscii(name));
    if (user === undefined) return err(`unable to find ${name} user for subuser`);
    text += subuserLines(sub, prefix, user, options);
  }
  const append = files.append ?? "";
  return ok(`${text}${append}${append === "" || append.endsWith("\n") ? "" : "\n"}.\n`);
}

/** The account of one line, if it is to get mail. */
function userOf(
  line: string,
  { homes, capitals }: Pw2uOptions,
  ownerOf: HomeOwner,
  isWanted: (name: string) => boolean,
): Result<User | undefined, string> {
  const fields = line.split(":");
  const [name = "", , uidText = "", gidText = "", , home = ""] = fields;
  const [uid, gid] = [parseId(uidText), parseId(gidText)];
  if (fields.length < 7 || name === "" || uid === undefined || uid === 0 || gid === undefined) return ok(undefined);
  if (!capitals && /[A-Z]/.test(name)) return ok(undefined);
  if (!isWanted(lowerCaseAscii(name))) return ok(undefined);
  if (homes !== "any") {
    const path = decodeUtf8(home);
    const owner = path === undefined ? "absent" : ownerOf(path);
    if (owner === "unsure" || (owner === "absent" && homes === "present")) return err(`unable to stat ${home}`);
    if (owner !== uid) return ok(undefined);
  }
  return ok({ name, middle: `:${name}:${uid}:${gid}:${home}:` });
}

function linesFor({ name, middle }: User, mailnames: string, { delimiter, dash }: Pw2uOptions): string {
  const own = mailnames.split(":").filter((mailname) => mailname !== "").map((mailname) =>
    `=${mailname}${middle}::\n${delimiter === "" ? "" : `+${mailname}${delimiter}${middle}${dash}::\n`}`
  );
  // What is nobody's comes to alias.
  return `${name === "alias" ? `+${middle}${dash}::\n` : ""}${own.join("")}`;
}

function subuserLines(sub: string, prefix: string, { middle }: User, { delimiter, dash }: Pw2uOptions): string {
  const own = `=${sub}${middle}${dash}:${prefix}:\n`;
  return delimiter === "" ? own : `${own}+${sub}${delimiter}${middle}${dash}:${prefix}${delimiter}:\n`;
}
