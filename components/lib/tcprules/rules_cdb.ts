/**
 * Rules as a cdb file, octet for octet as tcprules writes it: under the key of each rule `D␀` where it denies, then
 * `+NAME=value␀` for each variable.
 * @module
 */
import type { CdbRecord } from "../cdb/maker.ts";
import { cdbBytes, cdbRecords } from "../cdb/reader.ts";
import { fromOctets, toOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";
import { type KeyedRule, variableDefect } from "./parse_rules.ts";

/** The records, in the rules' order. */
export function* ruleRecords(rules: Iterable<KeyedRule>): Generator<CdbRecord, void, undefined> {
  for (const { key, deny, variables } of rules) {
    const data = (deny ? "D\0" : "") + variables.map(([name, value]) => `+${name}=${value}\0`).join("");
    yield { key: toOctets(key), data: toOctets(data) };
  }
}

/** The rules of a whole file. Error: what is wrong with it. */
export function readRules(file: Uint8Array): Result<readonly KeyedRule[], string> {
  const records = cdbRecords(cdbBytes(file));
  if (!records.ok) return err(`expected a cdb file as tcprules writes it; ${records.error}`);
  const rules: KeyedRule[] = [];
  for (const { key, data } of records.value) {
    const rule = parseData(fromOctets(key), fromOctets(data));
    if (!rule.ok) return rule;
    rules.push(rule.value);
  }
  return ok(rules);
}

function parseData(key: string, data: string): Result<KeyedRule, string> {
  // What follows the last NUL is nothing, as for tcpserver.
  const parts = data.split("\0").slice(0, -1);
  const variables: [string, string][] = [];
  for (const part of parts) {
    if (!part.startsWith("+")) continue;
    const equals = part.indexOf("=");
    const [name, value] = [part.slice(1, Math.max(equals, 1)), part.slice(equals + 1)];
    const wrong = variableDefect(name, value);
    if (wrong !== undefined) return err(`expected ${wrong}, got ${JSON.stringify(part)} under ${JSON.stringify(key)}`);
    variables.push([name, value]);
  }
  return ok({ key, deny: parts.some((part) => part.startsWith("D")), variables });
}
