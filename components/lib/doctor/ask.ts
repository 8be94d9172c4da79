/**
 * Whom the doctor asks.
 * @module
 */
import type { RecordType, ResolveReply } from "../wire/resolver_protocol.ts";

/** Never rejects. */
export type Ask = (name: string, type: RecordType) => Promise<ResolveReply>;

/** The values of an answer. */
export function valuesOf({ records }: ResolveReply): readonly string[] {
  return records.map(({ value }) => value);
}
