/**
 * control/tcp.smtp and control/tcp.smtp.cdb: the rules for SMTP connections, as text or as tcprules made them of it.
 * Variables that the server knows have to have values it can use: each program that a rule names is granted by name.
 * @module
 */
import { toOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";
import { type KeyedRule, parseRules } from "./parse_rules.ts";
import { readRules } from "./rules_cdb.ts";
import { TcpRules } from "./tcp_rules.ts";
import { knownVariableDefect } from "./variables.ts";

/** An octet string: the text of tcp.smtp. */
export function parseTcpSmtp(text: string): Result<TcpRules, string> {
  return compiled(parseRules(text));
}

/** An octet string: the octets of tcp.smtp.cdb. */
export function parseTcpSmtpCdb(octets: string): Result<TcpRules, string> {
  return compiled(readRules(toOctets(octets)));
}

function compiled(rules: Result<readonly KeyedRule[], string>): Result<TcpRules, string> {
  if (!rules.ok) return rules;
  for (const { variables } of rules.value) {
    for (const [name, value] of variables) {
      const wrong = knownVariableDefect(name, value);
      if (wrong !== undefined) return err(`expected ${wrong}, got ${JSON.stringify(value)}`);
    }
  }
  return ok(new TcpRules(rules.value));
}

/** The rules in force: the text where it is there, else the compiled ones. */
export function tcpRulesOf(controls: {
  readonly "tcp.smtp": TcpRules | "absent";
  readonly "tcp.smtp.cdb": TcpRules | "absent";
}): TcpRules | undefined {
  const [text, compiled] = [controls["tcp.smtp"], controls["tcp.smtp.cdb"]];
  if (text !== "absent") return text;
  return compiled === "absent" ? undefined : compiled;
}
