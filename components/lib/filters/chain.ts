/**
 * control/filters: who looks at a message on its way into the queue, by the way it came in. A line for each way, the
 * filters in the order in which they get the message:
 *
 * ```text
 * smtp: verify rspamd=pass /usr/local/bin/own-scanner
 * submission: sign
 * ```
 *
 * Behind a name stands what happens to a message when the filter is away, hangs, dies or has no room left: `=451` (the
 * client is to try again; so it is where nothing stands) or `=pass` (the message goes on as if nobody had looked).
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { isProgramPath } from "../tcprules/variables.ts";

/** Ways in: the servers' by the words of control/listeners, programs in bin/, and forwards of qmail-local's. */
export const ways = ["smtp", "submission", "submissions", "lmtp", "qmtp", "qmqp", "local", "forward"] as const;
export type Way = (typeof ways)[number];

/** Filters that are components: each has a socket of its name. */
export const filterNames = ["verify", "sign", "arcseal", "rspamd", "clamd", "milter", "custom"] as const;
export type FilterName = (typeof filterNames)[number];

export type Trouble = "pass" | "451";

/** One filter in a chain: a component's name, or a program in qmail-queue's place by its path. */
export interface Hop {
  readonly name: string;
  readonly onTrouble: Trouble;
}
export type Chain = readonly Hop[];
export type Filters = ReadonlyMap<Way, Chain>;

/** Each may take its time, and a client waits ten minutes for all of them (RFC 5321 §4.5.3.2.6). */
export const mostHops = 8;

export function isFilterName(name: string): name is FilterName {
  return (filterNames as readonly string[]).includes(name);
}

/** One word of a chain. */
export function parseHop(word: string): Result<Hop, string> {
  const [, name = "", onTrouble = "451"] = /^(.*?)(?:=(pass|451))?$/s.exec(word) ?? [];
  if (!isFilterName(name) && !(name.startsWith("/") && isProgramPath(name))) {
    return err(
      `expected one of ${filterNames.join(", ")} or the plain absolute path of a program, got ${quoted(word)}`,
    );
  }
  return ok({ name, onTrouble: onTrouble as Trouble });
}

export function formatHop({ name, onTrouble }: Hop): string {
  return `${name}=${onTrouble}`;
}

/** A text of control/filters. A way said twice, a filter twice in one chain, and chains that are too long are errors. */
export function parseFilters(text: string): Result<Filters, string> {
  const filters = new Map<Way, Chain>();
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const way = ways.find((one) => one === line.slice(0, colon).trim());
    if (colon < 0 || way === undefined) {
      return err(`expected a line "WAY: NAME ..." with ${ways.join(", ")}, got ${quoted(line)}`);
    }
    if (filters.has(way)) return err(`expected one line for ${way}, got another`);
    const chain = parseChain(line.slice(colon + 1).split(/[ \t]+/).filter((word) => word !== ""), way);
    if (!chain.ok) return chain;
    filters.set(way, chain.value);
  }
  return ok(filters);
}

function parseChain(words: readonly string[], way: Way): Result<Chain, string> {
  if (words.length > mostHops) return err(`expected at most ${mostHops} filters for ${way}, got ${words.length}`);
  const chain: Hop[] = [];
  for (const word of words) {
    const hop = parseHop(word);
    if (!hop.ok) return hop;
    if (chain.some(({ name }) => name === hop.value.name)) return err(`expected ${hop.value.name} once for ${way}`);
    chain.push(hop.value);
  }
  // Those ways are any user's, and programs of the operator's are for the servers' account alone.
  if ((way === "local" || way === "forward") && nextSockets(chain).includes("hooks")) {
    return err(`expected no program as the first filter for ${way}: QMAILQUEUE names one there`);
  }
  const other = chain.find(({ name }, at) =>
    isOtherAccounts(name) && nextSockets(chain.slice(at + 1)).includes("hooks")
  );
  if (other !== undefined) return err(`expected no program right behind ${other.name} for ${way}`);
  return ok(chain);
}

/** control/customfilter: the path of a module, in a form that deno's flags and URLs can take. */
export function parseCustomFilter(text: string): Result<string, string> {
  const line = text.trim();
  return /^\/[^\s,%?#]+\.ts$/.test(line) && isProgramPath(line)
    ? ok(line)
    : err(`expected the plain absolute path of a file in TypeScript, got ${quoted(line)}`);
}

/** Filters that are not run by the servers' account, for they have keys to keep: hooks, which runs programs, is out of reach. */
function isOtherAccounts(name: string): boolean {
  return name === "sign" || name === "arcseal";
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

export function chainFor(filters: Filters, way: Way): Chain {
  return filters.get(way) ?? [];
}

/** Whether a chain names it: a component that is a filter has no other use. */
export function isUsed(filters: Filters, name: FilterName): boolean {
  return [...filters.values()].some((chain) => chain.some((hop) => hop.name === name));
}

/** The operator's programs in all chains. */
export function programsOf(filters: Filters): readonly string[] {
  const names = [...filters.values()].flat().map(({ name }) => name);
  return [...new Set(names.filter((name) => !isFilterName(name)))];
}

/** A socket that a message may be handed to. */
export type HopSocket = FilterName | "hooks" | "qmail-queue";

function socketOf({ name }: Hop): HopSocket {
  return isFilterName(name) ? name : "hooks";
}

/** Whom one hands to who has `chain` before him: its first, and those behind as far as each in front may be passed over. */
export function nextSockets(chain: Chain): readonly HopSocket[] {
  const end = chain.findIndex(({ onTrouble }) => onTrouble === "451");
  return end < 0 ? [...chain.map(socketOf), "qmail-queue"] : chain.slice(0, end + 1).map(socketOf);
}

/** Whom a server of these ways hands messages to. */
export function socketsForWays(filters: Filters, of: readonly Way[]): readonly HopSocket[] {
  return unique(of.flatMap((way) => nextSockets(chainFor(filters, way))));
}

/** Whom the filter `name` hands messages to. */
export function socketsBehind(filters: Filters, name: FilterName): readonly HopSocket[] {
  const rests = [...filters.values()].flatMap((chain) => {
    const at = chain.findIndex((hop) => hop.name === name);
    return at < 0 ? [] : [chain.slice(at + 1)];
  });
  return unique(rests.flatMap(nextSockets));
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
