/**
 * The TXT record at `_mta-sts.DOMAIN` (RFC 8461 §3.1), which says that a domain has a policy, and by its id whether that
 * has changed.
 * @module
 */

const field = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([\x21-\x3a\x3c\x3e-\x7e]+)$/;

/**
 * The id in a domain's TXT records; undefined where there is no policy: records that are none of MTA-STS do not count, and
 * of those that are there has to be one, without a mistake.
 *
 * @example
 * ```ts
 * import { parseStsRecords } from "./record.ts";
 * parseStsRecords(["v=STSv1; id=20260101;", "some=thing"]); // "20260101"
 * parseStsRecords(["v=STSv1; id=1;", "v=STSv1; id=2;"]); // undefined
 * ```
 */
export function parseStsRecords(texts: readonly string[]): string | undefined {
  const [text, ...others] = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text));
  if (text === undefined || others.length > 0) return undefined;
  const parts = text.split(";").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
  // A ";" behind the last field ends it, and begins none.
  if (parts.at(-1) === "") parts.pop();
  let id: string | undefined;
  for (const part of parts.slice(1)) {
    const [, name, value = ""] = field.exec(part) ?? [];
    if (name === undefined) return undefined;
    if (name !== "id") continue;
    if (id !== undefined || !isPolicyId(value)) return undefined;
    id = value;
  }
  return id;
}

/** Whether a record may have this for its id. */
export function isPolicyId(text: string): boolean {
  return /^[A-Za-z0-9]{1,32}$/.test(text);
}
