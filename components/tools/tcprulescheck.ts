/**
 * tcprulescheck CDB [IP [HOST [INFO]]]: says what tcpserver and the SMTP server would do with a client, by the rules in a
 * cdb file. What is not on the command line is TCPREMOTEIP, TCPREMOTEHOST and TCPREMOTEINFO. Exit codes: 0, 100 called
 * wrongly, 111.
 * @module
 */
import { utf8Octets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { readRules } from "../lib/tcprules/rules_cdb.ts";
import { type Peer, TcpRules } from "../lib/tcprules/tcp_rules.ts";
import { writeOctets } from "./support/input.ts";
import { say } from "./support/run_program.ts";

/** What is printed, in ucspi-tcp's words. Octet strings. */
export function formatDecision(rules: TcpRules, peer: Peer): string {
  const found = rules.find(peer);
  if (found === undefined) return "default:\nallow connection\n";
  const { key, rule: { deny, variables } } = found;
  if (deny) return `rule ${key}:\ndeny connection\n`;
  const set = variables.map(([name, value]) => `set environment variable ${name}=${value}\n`);
  return `rule ${key}:\n${set.join("")}allow connection\n`;
}

async function check(cdb: string, peer: Peer): Promise<void> {
  const rules = readRules(Deno.readFileSync(cdb));
  if (!rules.ok) throw new Error(rules.error);
  await writeOctets(Deno.stdout, formatDecision(new TcpRules(rules.value), peer));
}

if (import.meta.main) {
  const [ip, host, info, cdb, ...more] = Deno.args;
  if (cdb === undefined) {
    await say("tcprulescheck: usage: tcprulescheck rules.cdb [ ip [ host [ info ] ] ]");
    Deno.exit(100);
  }
  const pick = (at: number, variable: string | undefined) => utf8Octets(more[at] || variable || "") || undefined;
  await runTool(
    "tcprulescheck",
    () => check(cdb, { ip: pick(0, ip) ?? "0.0.0.0", host: pick(1, host), info: pick(2, info) }),
  );
}
