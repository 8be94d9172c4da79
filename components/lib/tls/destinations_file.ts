/**
 * control/tlsdestinations (s/qmail's name): what TLS mail for a domain has to have. A line is
 * `key:level option option …`:
 *
 * - the key is a domain, `.domain` for all names below it, or `*` for all others; in lower or upper case;
 * - the level is none, may (the default), encrypt (whoever answers), verify (with a certificate that fits) or dane;
 * - `implicit`: TLS from the first octet on; and for verify, each as often as wanted: `name=` a name the certificate may
 *   be for instead of the exchanger's, `fingerprint=` the SHA-256 of the server's certificate, `authority=` the SHA-256 of
 *   one that stands above it and is shown with it.
 *
 * Of s/qmail's marks in front of a key those are taken that mean one of these: `!` none, `-`, `+` and `-*`, `+*` encrypt,
 * `=`, `~` and `*` verify, and `%key:=SHA-256` a fingerprint; without a mark or a level: verify. Unlike s/qmail: its
 * certificate files, cipher lists, depths, ports and sender domains are refused, for they would not be looked at.
 * @module
 */
import { isAddress, isDomain, type Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { listLines } from "../policy/list_lines.ts";
import { err, ok, type Result } from "../result.ts";
import { defaultTlsWish, type TlsLevel, tlsLevels, type TlsWish } from "./client_policy.ts";

/** By domain in lower case, `.suffix`, or `*`. */
export type TlsDestinations = ReadonlyMap<string, TlsWish>;

/**
 * Reads the file; the last of equal keys wins.
 *
 * @example
 * ```ts
 * import { parseTlsDestinations } from "./destinations_file.ts";
 * parseTlsDestinations("example.org:verify name=*.mail.example\n.example.net:encrypt\n!old.example:\n");
 * ```
 */
export const parseTlsDestinations: Parse<TlsDestinations> = (text) => {
  const destinations = new Map<string, TlsWish>();
  for (const line of listLines(text)) {
    const read = parseLine(line);
    if (!read.ok) return err(`expected ${read.error}, got ${JSON.stringify(line)}`);
    destinations.set(read.value.key, read.value.wish);
  }
  return ok(destinations);
};

/**
 * The wish for mail to `domain` (lower-cased): that of its whole name, then of each suffix, then of `*`, else the default.
 * `authorities`: the value of control/tlsclientca.
 */
export function tlsWishOf(
  destinations: TlsDestinations,
  domain: string,
  authorities: readonly string[] | "built in" = "built in",
): TlsWish {
  const wish = find(destinations, domain) ?? defaultTlsWish;
  return authorities === "built in" ? wish : { ...wish, authorities };
}

function find(destinations: TlsDestinations, domain: string): TlsWish | undefined {
  if (destinations.size === 0) return undefined;
  const whole = destinations.get(domain);
  if (whole !== undefined) return whole;
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    const wish = destinations.get(domain.slice(dot));
    if (wish !== undefined) return wish;
  }
  return destinations.get("*");
}

interface Line {
  readonly key: string;
  readonly wish: TlsWish;
}

const markLevels: ReadonlyMap<string, TlsLevel> = new Map([
  ["!", "none"],
  ["-", "encrypt"],
  ["+", "encrypt"],
  ["=", "verify"],
  ["~", "verify"],
  ["%", "verify"],
]);

function parseLine(line: string): Result<Line, string> {
  const { mark, key, value } = cut(line);
  const domain = lowerCaseAscii(key);
  if (!isKey(domain)) return err("a domain, .domain or *, and a colon in front of the level");
  const [first = "", ...others] = value.split(/[ \t]+/).filter((word) => word !== "");
  const marked = markLevels.get(mark);
  if (mark === "%") return keyed(domain, wishOf("verify", [first.replace(/^=/, "fingerprint="), ...others]));
  const level = tlsLevels.find((one) => one === first);
  if (marked !== undefined) {
    return value === "" ? keyed(domain, wishOf(marked, [])) : err(`nothing behind the colon of a key with ${mark}`);
  }
  if (level !== undefined) return keyed(domain, wishOf(level, others));
  return first === ""
    ? keyed(domain, wishOf("verify", []))
    : err(`a level of ${tlsLevels.join(", ")} (no files, ciphers or ports are taken)`);
}

function keyed(key: string, wish: Result<TlsWish, string>): Result<Line, string> {
  return wish.ok ? ok({ key, wish: wish.value }) : wish;
}

/** Address literals hold colons of their own. */
function cut(line: string): { readonly mark: string; readonly key: string; readonly value: string } {
  const mark = markLevels.has(line[0] ?? "") ? line[0]! : "";
  const rest = line.slice(mark.length);
  const from = rest.startsWith("[") ? rest.indexOf("]") : 0;
  const colon = rest.indexOf(":", Math.max(from, 0));
  return colon < 0 ? { mark, key: "", value: "" } : { mark, key: rest.slice(0, colon), value: rest.slice(colon + 1) };
}

function isKey(key: string): boolean {
  if (key === "*") return true;
  if (key.startsWith("[") && key.endsWith("]")) return isAddress(key.slice(1, -1).replace(/^ipv6:/, ""));
  return isDomain(key.startsWith(".") ? key.slice(1) : key);
}

function wishOf(level: TlsLevel, words: readonly string[]): Result<TlsWish, string> {
  const values = (name: string) =>
    words.filter((word) => word.startsWith(`${name}=`)).map((word) => lowerCaseAscii(word.slice(name.length + 1)));
  const digests = (name: string) => values(name).map((value) => value.replaceAll(":", ""));
  const names = values("name");
  const [fingerprints, anchors] = [digests("fingerprint"), digests("authority")];
  const implicit = words.includes("implicit");
  const strange = words.find((word) => word !== "implicit" && !/^(name|fingerprint|authority)=/.test(word));
  if (strange !== undefined) return err(`implicit, name=, fingerprint= or authority= behind the level`);
  if (names.some((name) => !isDomain(name.replace(/^\*\./, "")))) return err("a host's name behind name=");
  if ([...fingerprints, ...anchors].some((digest) => !/^[0-9a-f]{64}$/.test(digest))) {
    return err("a SHA-256, 64 hex digits, as a certificate's fingerprint");
  }
  if (level !== "verify" && names.length + fingerprints.length + anchors.length > 0) {
    return err("name=, fingerprint= and authority= behind verify only");
  }
  if (fingerprints.length > 0 && names.length + anchors.length > 0) {
    return err("fingerprint= alone, for it says it all");
  }
  if (level === "none" && implicit) return err("no TLS, or TLS from the first octet on, not both");
  return ok({
    level,
    implicit,
    names,
    fingerprints,
    ...(anchors.length === 0 ? {} : { anchors }),
    isDefault: false,
  });
}
