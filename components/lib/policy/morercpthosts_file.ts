/**
 * control/morercpthosts.cdb: more of rcpthosts than one wants to keep in a text, as qmail-newmrh makes it.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { headerBytes } from "../cdb/hash.ts";
import { cdbBytes, type CdbSource } from "../cdb/reader.ts";
import { toOctets } from "../octets.ts";
import { err, ok } from "../result.ts";

/** Takes the file's octets as an octet string. What is damaged inside is found when it is looked into. */
export const parseMorercpthosts: Parse<CdbSource | "none"> = (octets) => {
  if (octets.length < headerBytes) return err(`expected a cdb file, got ${octets.length} octets`);
  return ok(cdbBytes(toOctets(octets)));
};
