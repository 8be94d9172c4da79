/**
 * The TXT record at `_dmarc.DOMAIN` (RFC 9989 §4.7): its tags, whom it wants reports to be sent to, and what is wrong with it.
 * @module
 */
import { addressOfMailto } from "../reports/mailto.ts";
import { err, ok, type Result } from "../result.ts";

/** One record, by tag; values without the blanks around them. */
export interface DmarcRecord {
  readonly tags: ReadonlyMap<string, string>;
}

/** Where an aggregate report goes. */
export interface ReportUri {
  readonly address: string;
  /** Of the report as it is in the mail; absent: any size (RFC 7489 §6.2). */
  readonly mostBytes?: number;
}

/** Of one domain: RFC 9989 §4.7 asks for two at least. */
export const mostReportUris = 5;

function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Whether a TXT record means to be DMARC's. */
export function isDmarc(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(;|$)/.test(text);
}

/**
 * A record's tags; of one that stands twice the first counts.
 *
 * @example
 * ```ts
 * import { parseDmarcRecord } from "./record.ts";
 * parseDmarcRecord("v=DMARC1; p=none"); // ok: tags v → "DMARC1", p → "none"
 * ```
 */
export function parseDmarcRecord(text: string): Result<DmarcRecord, string> {
  if (!isDmarc(text)) return err("it does not begin with v=DMARC1");
  const tags = new Map<string, string>();
  for (const part of text.split(";")) {
    if (trimmed(part) === "") continue;
    const [, name, value] = /^[ \t]*([a-zA-Z]+)[ \t]*=(.*)$/s.exec(part) ?? [];
    if (name === undefined) return err(`${JSON.stringify(trimmed(part))} is no tag`);
    if (!tags.has(name.toLowerCase())) tags.set(name.toLowerCase(), trimmed(value!));
  }
  return ok({ tags });
}

/** The one record among a name's texts; undefined where there is none, or more than one (RFC 9989 §4.10). */
export function findDmarcRecord(texts: readonly string[]): DmarcRecord | undefined {
  const [text, ...more] = texts.filter(isDmarc);
  if (text === undefined || more.length > 0) return undefined;
  const parsed = parseDmarcRecord(text);
  return parsed.ok ? parsed.value : undefined;
}

const units: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** The addresses of an `rua`, each once; what is no `mailto:` is passed over. */
export function reportUrisOf({ tags }: DmarcRecord): readonly ReportUri[] {
  const found = new Map<string, ReportUri>();
  for (const part of (tags.get("rua") ?? "").split(",")) {
    const [, uri = "", size, unit = ""] = /^(.*?)(?:!([0-9]{1,15})([kmgt]?))?$/is.exec(trimmed(part)) ?? [];
    const address = addressOfMailto(uri);
    if (address === undefined || found.has(address)) continue;
    const mostBytes = size === undefined ? {} : { mostBytes: Number(size) * units[unit.toLowerCase()]! };
    found.set(address, { address, ...mostBytes });
  }
  return [...found.values()].slice(0, mostReportUris);
}
