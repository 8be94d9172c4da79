/**
 * control/shaping: how fast deliveries go to which site, and how much a young sender may send.
 *
 * ```
 * *: concurrency=20 rate=0 backoff=60..3600
 * gmail.com: concurrency=10 rate=100/m
 * .example.org: rate=1/s start=2
 * warmup example.net from 2026-11-01: 50/d 100/d 200/d 500/d
 * warmup default from 2026-11-01: 1000/d 5000/d
 * ```
 *
 * A line's name is a site, a domain, `.domain` for all below it, or `*`. What a line leaves out is as `*` says, what that
 * leaves out as {@link defaultRules}. A domain that a line names is paced by that line, on its own, whatever its site.
 * @module
 */
import { isDomain, type Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { listLines } from "../policy/list_lines.ts";
import { err, ok, type Result } from "../result.ts";

/** So many in so long a time. */
export interface Rate {
  readonly count: number;
  readonly perSeconds: number;
}

/** How deliveries to one site are paced. */
export interface SiteRules {
  /** Deliveries under way at once at the most; Infinity: no limit of its own. */
  readonly concurrency: number;
  /** How many there are at first. */
  readonly start: number;
  /** Deliveries that may begin; undefined: as many as do. */
  readonly rate: Rate | undefined;
  /** The first pause after `failures` setbacks in a row, and the longest: each is twice the one before. Undefined: none. */
  readonly backoff: { readonly leastSeconds: number; readonly mostSeconds: number } | undefined;
  readonly failures: number;
  /** After so long without a delivery it is begun with `start` again; 0: never. */
  readonly idleSeconds: number;
}

/** How much mail of one sender's domain may leave, day by day. */
export interface WarmUpSchedule {
  /** Midnight UTC of the first day, in ms since 1970. */
  readonly fromMs: number;
  /** Deliveries of each day; after the last day there is no limit. */
  readonly amounts: readonly number[];
}

export interface Shaping {
  /** By domain, `.domain` or site, in lower case. */
  readonly named: ReadonlyMap<string, SiteRules>;
  /** Of everybody else. */
  readonly others: SiteRules;
  /** By the domain of the envelope sender; `default`: of all others. */
  readonly warmUps: ReadonlyMap<string, WarmUpSchedule>;
}

export const defaultRules: SiteRules = {
  concurrency: Infinity,
  start: 5,
  rate: undefined,
  backoff: { leastSeconds: 60, mostSeconds: 3600 },
  failures: 3,
  idleSeconds: 0,
};

export const defaultShaping: Shaping = { named: new Map(), others: defaultRules, warmUps: new Map() };

/** The line that names `name` (lower-cased), itself or by what it lies below; undefined: none does. */
export function namedRules({ named }: Shaping, name: string): SiteRules | undefined {
  if (named.size === 0) return undefined;
  const exact = named.get(name);
  if (exact !== undefined) return exact;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const below = named.get(name.slice(dot));
    if (below !== undefined) return below;
  }
  return undefined;
}

const seconds: ReadonlyMap<string, number> = new Map([["s", 1], ["m", 60], ["h", 3600], ["d", 86_400]]);
const longestSeconds = 86_400;
const mostDays = 366;

type Reader = (value: string) => Partial<SiteRules> | undefined;

/** Each setting: what it looks like, and what it means; undefined: it is not that. */
const settings: ReadonlyMap<string, { readonly form: string; readonly read: Reader }> = new Map([
  ["concurrency", {
    form: "a whole number, 0 for no limit of its own",
    read: (value: string) => whole(value, 0, 1_000_000, (n) => ({ concurrency: n === 0 ? Infinity : n })),
  }],
  ["start", {
    form: "a whole number of at least 1",
    read: (value: string) => whole(value, 1, 1_000_000, (start) => ({ start })),
  }],
  ["rate", {
    form: "a number per time as in 100/m (s, m, h or d), or 0 for none",
    read: (value: string) => value === "0" ? { rate: undefined } : ratePart(value),
  }],
  ["backoff", {
    form: `a range of seconds as in 60..3600 (1 to ${longestSeconds}), or 0 for no pause`,
    read: (value: string) => value === "0" ? { backoff: undefined } : backoffPart(value),
  }],
  ["failures", {
    form: "a whole number from 1 to 1000",
    read: (value: string) => whole(value, 1, 1000, (failures) => ({ failures })),
  }],
  ["idle", {
    form: "a whole number of seconds, 0 for never",
    read: (value: string) => whole(value, 0, 1_000_000_000, (idleSeconds) => ({ idleSeconds })),
  }],
]);

function whole(
  value: string,
  least: number,
  most: number,
  rules: (n: number) => Partial<SiteRules>,
): Partial<SiteRules> | undefined {
  const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : NaN;
  return number >= least && number <= most ? rules(number) : undefined;
}

function parseRate(value: string): Rate | undefined {
  const [, count, unit] = /^([0-9]{1,9})\/([smhd])$/.exec(value) ?? [];
  const perSeconds = seconds.get(unit ?? "");
  return perSeconds === undefined || Number(count) === 0 ? undefined : { count: Number(count), perSeconds };
}

function ratePart(value: string): Partial<SiteRules> | undefined {
  const rate = parseRate(value);
  return rate && { rate };
}

function backoffPart(value: string): Partial<SiteRules> | undefined {
  const [, least, most] = /^([0-9]{1,5})\.\.([0-9]{1,5})$/.exec(value) ?? [];
  const backoff = { leastSeconds: Number(least), mostSeconds: Number(most) };
  const hasSense = backoff.leastSeconds >= 1 && backoff.leastSeconds <= backoff.mostSeconds &&
    backoff.mostSeconds <= longestSeconds;
  return hasSense ? { backoff } : undefined;
}

function parseSettings(words: string): Result<Partial<SiteRules>, string> {
  let rules: Partial<SiteRules> = {};
  const seen = new Set<string>();
  for (const word of words.split(/[ \t]+/)) {
    const equals = word.indexOf("=");
    const name = word.slice(0, Math.max(equals, 0));
    const setting = settings.get(name);
    if (setting === undefined) {
      return err(`expected settings ${[...settings.keys()].join("=, ")}=, got ${JSON.stringify(word)}`);
    }
    const part = setting.read(word.slice(equals + 1));
    if (part === undefined) return err(`expected ${name}= with ${setting.form}, got ${JSON.stringify(word)}`);
    if (seen.has(name)) return err(`expected ${name}= once a line, got ${JSON.stringify(words)}`);
    seen.add(name);
    rules = { ...rules, ...part };
  }
  return ok(rules);
}

/** Midnight UTC; undefined: no date. */
function parseDay(text: string): number | undefined {
  const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  // "2026-02-30" is a day in March to Date.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms;
}

const warmUpForm = '"warmup DOMAIN from YYYY-MM-DD: 50/d 100/d ..."';

function parseWarmUp(line: string): Result<{ readonly key: string; readonly schedule: WarmUpSchedule }, string> {
  const got = `, got ${JSON.stringify(line)}`;
  const [, name, day, words] = /^warmup[ \t]+(\S+)[ \t]+from[ \t]+([0-9-]+):[ \t]+(.+)$/.exec(line) ?? [];
  if (name === undefined || day === undefined || words === undefined) return err(`expected ${warmUpForm}${got}`);
  if (/^[0-9.]+$/.test(name) || name.includes(":")) {
    return err(
      `expected a sender's domain or "default" after warmup, got the address ${JSON.stringify(name)}: ` +
        "which address a message leaves from follows from its sender's domain",
    );
  }
  if (!isDomain(name)) return err(`expected a sender's domain or "default" after warmup${got}`);
  const fromMs = parseDay(day);
  if (fromMs === undefined) return err(`expected the first day as YYYY-MM-DD${got}`);
  const rates = words.split(/[ \t]+/).map(parseRate);
  if (rates.length > mostDays || !rates.every((rate) => rate?.perSeconds === 86_400)) {
    return err(`expected one amount a day as in 50/d, ${mostDays} at the most${got}`);
  }
  return ok({ key: lowerCaseAscii(name), schedule: { fromMs, amounts: rates.map((rate) => rate!.count) } });
}

/** A name in front of a line's colon, lower-cased; undefined: it is none. */
function parseName(name: string): string | undefined {
  const isLiteral = /^\[[0-9A-Fa-f:.]{2,60}\]$/.test(name);
  const isName = name === "*" || isLiteral || isDomain(name.startsWith(".") ? name.slice(1) : name);
  return isName ? lowerCaseAscii(name) : undefined;
}

/** Errors say what was expected, then the line or word. */
export const parseShaping: Parse<Shaping> = (text) => {
  const parts = new Map<string, Partial<SiteRules>>();
  const warmUps = new Map<string, WarmUpSchedule>();
  for (const line of listLines(text)) {
    if (/^warmup[ \t]/.test(line)) {
      const warmUp = parseWarmUp(line);
      if (!warmUp.ok) return warmUp;
      const { key, schedule } = warmUp.value;
      if (warmUps.has(key)) return err(`expected one warmup a domain, got another for ${JSON.stringify(key)}`);
      warmUps.set(key, schedule);
      continue;
    }
    const [, before = "", words = ""] = /^(\S+):[ \t]+(.+)$/.exec(line) ?? [];
    const name = parseName(before);
    if (name === undefined) {
      return err(
        `expected "NAME: setting=value ..." with a site, a domain, .domain or *, or ${warmUpForm}, ` +
          `got ${JSON.stringify(line)}`,
      );
    }
    if (parts.has(name)) return err(`expected one line a name, got another for ${JSON.stringify(name)}`);
    const rules = parseSettings(words);
    if (!rules.ok) return rules;
    parts.set(name, rules.value);
  }
  const others = { ...defaultRules, ...parts.get("*") };
  parts.delete("*");
  return ok({ named: new Map([...parts].map(([name, part]) => [name, { ...others, ...part }])), others, warmUps });
};
