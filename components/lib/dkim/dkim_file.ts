/**
 * control/dkim: whose mail is signed, and with which keys.
 *
 * ```text
 * example.org: r202601 e202601 r202607@2026-07-01 e202607@2026-07-01
 * ```
 *
 * A selector with a day signs from that day on (UTC); of each algorithm the one whose day has come last does. So the next
 * key's record can be published long before it is used, and the last one's stays until no signature of it is under way.
 * @module
 */
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { err, ok, type Result } from "../result.ts";

export interface Selector {
  /** What stands in front of `._domainkey` in the DNS, lower-cased. */
  readonly name: string;
  /** First day it signs, as `2026-07-01`; "": always. */
  readonly from: string;
}

/** Selectors by domain (lower-cased), in the file's order. */
export type DkimDomains = ReadonlyMap<string, readonly Selector[]>;

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Whether `text` is made of labels: part of a path and of a name in the DNS, so nothing else may be. */
export function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split(".").every((one) => label.test(one));
}

function isDay(text: string): boolean {
  const at = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  return at !== undefined && !isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** Reads the file's text. A domain or selector said twice is an error. */
export function parseDkimDomains(text: string): Result<DkimDomains, string> {
  const domains = new Map<string, readonly Selector[]>();
  for (const raw of text.split("\n")) {
    const line = lowerCaseAscii(raw.trim());
    if (line === "" || line.startsWith("#")) continue;
    const [, domain = "", words = ""] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    const selectors = words.split(/[ \t]+/).map((word): Selector => {
      const at = word.indexOf("@");
      return at < 0 ? { name: word, from: "" } : { name: word.slice(0, at), from: word.slice(at + 1) || "no day" };
    });
    const isGood = isDnsName(domain) &&
      selectors.every(({ name, from }, at) =>
        isDnsName(name) && (from === "" || isDay(from)) && selectors.findIndex((one) => one.name === name) === at
      );
    if (!isGood) return err(`expected "domain: selector selector@YYYY-MM-DD ...", got ${JSON.stringify(raw)}`);
    if (domains.has(domain)) return err(`expected each domain once, got ${JSON.stringify(domain)} again`);
    domains.set(domain, selectors);
  }
  return ok(domains);
}

/** One line of the file, without its end. */
export function formatDkimLine(domain: string, selectors: readonly Selector[]): string {
  return `${domain}: ${selectors.map(({ name, from }) => from === "" ? name : `${name}@${from}`).join(" ")}`;
}

/**
 * The file's text with another line for `domain`, at its place or at the end; comments and all other lines stay.
 * To be given texts that {@link parseDkimDomains} takes.
 */
export function withDomain(text: string, domain: string, selectors: readonly Selector[]): string {
  const fresh = formatDkimLine(domain, selectors);
  const lines = text.split("\n");
  const at = lines.findIndex((line) => lowerCaseAscii(line.split(":", 1)[0]!.trim()) === domain);
  if (at >= 0) return [...lines.slice(0, at), fresh, ...lines.slice(at + 1)].join("\n");
  return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${fresh}\n`;
}
