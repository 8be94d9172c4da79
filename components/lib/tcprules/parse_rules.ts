/**
 * The text that tcprules reads (ucspi-tcp's interface): lines `address:allow` or `address:deny`, then any number of
 * `,NAME="value"`, where any character may stand for the quotes. Blank lines and those that begin with `#` are nothing.
 *
 * An address is `1.2.3.4`; a prefix that ends in a dot; either with a range in one place (`1.2.3.37-53`, `10.2-3.`); a
 * network (`10.0.0.0/8`, `2001:db8::/32`); an IPv6 address; `=host.name`, `=.suffix`, `=`; one of these behind `user@`;
 * or nothing, which is everybody. Octet strings.
 *
 * Unlike ucspi-tcp: an address that could never match is an error, for a rule that refuses nobody looks like one that
 * does.
 * @module
 */
import { formatIp } from "../../../config/ip/format_ip.ts";
import { firstAddress, type IpNetwork, parseClientNetwork } from "../../../config/ip/network.ts";
import { canonicalIp, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { err, ok, type Result } from "../result.ts";

/** What a matching rule does. */
export interface Rule {
  readonly deny: boolean;
  /** In their order; of one name the last counts. */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

/** A rule under one key of the cdb file. */
export interface KeyedRule extends Rule {
  readonly key: string;
}

/** The rules by key, in the order of the lines, ranges and networks written out. Error: the line, and what was expected. */
export function parseRules(text: string): Result<readonly KeyedRule[], string> {
  const rules: KeyedRule[] = [];
  // A network is written out in prefixes, which another line may name as well: the narrower one comes first.
  const networks: { readonly bits: number; readonly rule: KeyedRule }[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.replace(/[ \t\r]+$/, "");
    if (line === "" || line.startsWith("#")) continue;
    const parsed = parseLine(line);
    if (!parsed.ok) return err(`expected ${parsed.error}, got ${JSON.stringify(line)}`);
    const { keys, bits, rule } = parsed.value;
    for (const key of keys) {
      if (bits === undefined) rules.push({ key, ...rule });
      else networks.push({ bits, rule: { key, ...rule } });
    }
  }
  networks.sort((a, b) => b.bits - a.bits);
  return ok([...rules, ...networks.map(({ rule }) => rule)]);
}

interface Line {
  readonly keys: readonly string[];
  /** Of a network. */
  readonly bits: number | undefined;
  readonly rule: Rule;
}

function parseLine(line: string): Result<Line, string> {
  // An IPv6 address has colons of its own.
  const found = /:(allow|deny)(?=,|$)/.exec(line);
  if (found === null) return err("address:allow or address:deny");
  const address = parseAddress(line.slice(0, found.index));
  if (address === undefined) {
    return err(
      "an IP address, a prefix that ends in a dot, a range, a network, =host or nothing in front of the colon",
    );
  }
  const variables = parseVariables(line.slice(found.index + found[0].length));
  if (!variables.ok) return variables;
  return ok({ ...address, rule: { deny: found[1] === "deny", variables: variables.value } });
}

function parseVariables(text: string): Result<Rule["variables"], string> {
  const variables: [string, string][] = [];
  for (let at = 0; at < text.length;) {
    const equals = text.indexOf("=", at);
    const name = text.slice(at + 1, Math.max(equals, at));
    const quote = text[equals + 1];
    const end = quote === undefined || equals < 0 ? -1 : text.indexOf(quote, equals + 2);
    if (text[at] !== "," || end < 0) return err('any number of ,NAME="value" behind allow or deny');
    const value = text.slice(equals + 2, end);
    const wrong = variableDefect(name, value);
    if (wrong !== undefined) return err(wrong);
    variables.push([name, value]);
    at = end + 1;
  }
  return ok(variables);
}

/** What was expected of a variable instead; undefined: it is as it should be. */
export function variableDefect(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return "a variable's name of letters, digits and _";
  if (value.length > 4096 || /[\0\n]/.test(value)) return "a value without NUL or line end, of at most 4096 octets";
  return undefined;
}

/** The keys that an address stands for; undefined where it could never match. */
function parseAddress(
  text: string,
): { readonly keys: readonly string[]; readonly bits: number | undefined } | undefined {
  const at = text.lastIndexOf("@");
  const [info, place] = [text.slice(0, at + 1), text.slice(at + 1)];
  if (at === 0) return undefined;
  if (place.includes("/")) {
    const network = info === "" ? networkKeys(place) : undefined;
    return network === undefined ? undefined : { keys: network.keys, bits: network.bits };
  }
  const keys = placeKeys(place);
  // Only whole addresses and names are looked up with somebody's name in front.
  if (info !== "" && keys?.some((key) => key === "" || key.endsWith(".") || key === "=" || key.startsWith("=."))) {
    return undefined;
  }
  return keys === undefined ? undefined : { keys: keys.map((key) => info + key), bits: undefined };
}

function placeKeys(place: string): readonly string[] | undefined {
  if (place === "") return [""];
  if (place.startsWith("=")) return /^=[^ \t]*$/.test(place) ? [place] : undefined;
  if (place.includes(":")) return parseIpv6(place) === undefined ? undefined : [canonicalIp(place)];
  const keys = rangeKeys(place);
  return keys?.every(isIpv4OrPrefix) ? keys : undefined;
}

const octet = "(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])";
const ipv4OrPrefix = new RegExp(`^(?:(?:${octet}\\.){1,3}|(?:${octet}\\.){3}${octet})$`);

function isIpv4OrPrefix(key: string): boolean {
  return ipv4OrPrefix.test(key);
}

/** `10.2-3.` is `10.2.` and `10.3.`. */
function rangeKeys(place: string): readonly string[] | undefined {
  const found = /^((?:[0-9]{1,3}\.)*)([0-9]{1,3})-([0-9]{1,3})(\..*)?$/.exec(place);
  if (found === null) return [place];
  const [bottom, top] = [Number(found[2]), Number(found[3])];
  if (top > 255 || bottom > top) return undefined;
  return Array.from({ length: top - bottom + 1 }, (_, more) => `${found[1]}${bottom + more}${found[4] ?? ""}`);
}

/** A network's key; of IPv4 the prefixes and addresses that it consists of, for these any tcpserver looks up. */
function networkKeys(text: string): { readonly keys: readonly string[]; readonly bits: number } | undefined {
  const network = parseClientNetwork(text);
  if (network === undefined) return undefined;
  const { address: { kind, octets: parts }, bits } = network;
  if (kind === "ipv6") return { keys: [networkKey(network)], bits };
  // Octets that are whole, and how many values the next one takes.
  const whole = Math.floor(bits / 8);
  const prefix = parts.slice(0, whole).map((part) => `${part}.`).join("");
  if (bits % 8 === 0 && whole > 0) return { keys: [whole === 4 ? prefix.slice(0, -1) : prefix], bits };
  const count = 2 ** (8 - (bits % 8));
  const first = parts[whole]! - parts[whole]! % count;
  const keys = Array.from({ length: count }, (_, more) => `${prefix}${first + more}${whole === 3 ? "" : "."}`);
  return { keys, bits };
}

/** `network/bits`, the bits behind it cleared. */
export function networkKey(network: IpNetwork): string {
  return `${formatIp(firstAddress(network))}/${network.bits}`;
}
