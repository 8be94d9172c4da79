/**
 * Where mail goes by a list of the kind that .forward and /etc/aliases hold (sendmail's syntax): addresses, `|program`,
 * `/file`, `:include:/file`, separated by commas or line ends, in any of the quotings in use. All octet strings.
 * @module
 */
import { rewriteAddressList } from "../address/address_list.ts";
import { formatEnvelopeAddress } from "../address/format_tokens.ts";
import { type Token, tokenize } from "../address/token.ts";
import { err, ok, type Result } from "../result.ts";

export type Destination =
  /** Unquoted, as an envelope has it; `final`: written with a backslash in front, not to be looked up any further. */
  | { readonly kind: "address"; readonly address: string; readonly final: boolean }
  /** For `/bin/sh -c`. */
  | { readonly kind: "program"; readonly command: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "include"; readonly path: string };

const blank = /^[ \t\r]+|[ \t\r]+$/g;

/**
 * All destinations in their order; none for a text of blanks and comments (`#` as a line's first octet). Error: the entry
 * that is none of them, as it was written.
 *
 * @example
 * ```ts
 * import { parseDestinations } from "./destinations.ts";
 * parseDestinations('\\amy, "|vacation amy"\n'); // amy, final, and the program "vacation amy"
 * ```
 */
export function parseDestinations(text: string): Result<Destination[], string> {
  const destinations: Destination[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    for (const entry of splitEntries(line)) {
      const parsed = parseEntry(entry);
      if (parsed === undefined) return err(entry);
      destinations.push(...parsed);
    }
  }
  return ok(destinations);
}

/** The parts between commas that stand in no quotes, comment or angle brackets; without blanks around, and none empty. */
function splitEntries(line: string): string[] {
  const entries: string[] = [];
  let entry = "";
  let quoted = false;
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const octet = line[at]!;
    if (octet === "\\") {
      entry += octet + (line[++at] ?? "");
      continue;
    }
    // In a command a parenthesis is the shell's.
    const isAddress = !/^[ \t]*"?[|/:]/.test(entry);
    if (octet === '"') quoted = !quoted;
    else if (!quoted && isAddress && (octet === "(" || octet === "<")) depth++;
    else if (!quoted && isAddress && (octet === ")" || octet === ">")) depth--;
    if (octet !== "," || quoted || depth > 0) entry += octet;
    else {
      entries.push(entry);
      entry = "";
      depth = 0;
    }
  }
  return [...entries, entry].map((entry) => entry.replace(blank, "")).filter((entry) => entry !== "");
}

function parseEntry(entry: string): Destination[] | undefined {
  const text = unquoteWhole(entry);
  if (text === undefined) return undefined;
  const include = /^:include:[ \t]*(.*)$/is.exec(text);
  if (include !== null) return include[1] === "" ? undefined : [{ kind: "include", path: include[1]! }];
  if (text.startsWith("|")) {
    // Some write |"command" for "|command".
    const command = unquoteWhole(text.slice(1).replace(blank, "")) ?? text.slice(1).replace(blank, "");
    return command === "" ? undefined : [{ kind: "program", command }];
  }
  if (text.startsWith("/")) return [{ kind: "file", path: text }];
  return parseAddresses(entry);
}

/** The text in one pair of quotes around all of it, escapes undone; other text as it is; undefined without the end. */
function unquoteWhole(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  const found = /^"((?:[^"\\]|\\.)*)"(.*)$/s.exec(text);
  if (found === null) return undefined;
  // A quoted local part, or a name in front of an address.
  return found[2] === "" ? found[1]!.replace(/\\(.)/gs, "$1") : text;
}

function parseAddresses(entry: string): Destination[] | undefined {
  const tokens = tokenize(entry);
  if (tokens === undefined) return undefined;
  const addresses: string[] = [];
  const list = rewriteAddressList(tokens, (address) => {
    addresses.unshift(formatEnvelopeAddress(withoutRoute(address)));
    return address;
  });
  if (!list.ok || addresses.some((address) => address === "")) return undefined;
  const final = entry.startsWith("\\");
  return addresses.map((address) => ({ kind: "address", address, final }));
}

/** `@a,@b:c@d` is `c@d` (RFC 5321 §4.1.1.3 has a server ignore the route). */
function withoutRoute(address: readonly Token[]): readonly Token[] {
  if (address[0]?.kind !== "@") return address;
  const colon = address.findLastIndex((token) => token.kind === ":");
  return colon < 0 ? address : address.slice(colon + 1);
}
