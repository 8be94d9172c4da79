/**
 * `deno task doctor DOMAIN [--home DIR] [--ip ADDRESS[,ADDRESS]] [--no-fetch] [--json]`: what is published about a domain that this
 * host takes or sends mail for, what is missing there, and the records that would make it good. Exit codes: 0 all is good,
 * 1 there is something to do, 111 nothing that is known, but not all could be asked; 100 wrong usage.
 * @module
 */
import { homeAt } from "../config/home.ts";
import { isAddress, isDomain } from "../config/values.ts";
import { fetchPolicy } from "../components/mta-sts/fetch.ts";
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { whileShown } from "./cli/progress.ts";
import { askerOf } from "./doctor/ask.ts";
import { examine } from "../components/lib/doctor/examine.ts";
import { exitCodeOf, type Finding } from "../components/lib/doctor/finding.ts";
import { readSite } from "./doctor/site.ts";
import { fail } from "./fail.ts";
import { formatTable } from "./table.ts";

/** A policy's host that is slow is slow for others, too. */
const fetchMs = 15_000;

/** Text from the DNS as a terminal may have it. */
function harmless(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

function* describe(found: readonly Finding[]): Generator<string, void, undefined> {
  yield formatTable(found.map(({ topic, state, subject, why }) => [state, topic, harmless(subject), harmless(why)]));
  const pasted = [...new Set(found.flatMap(({ paste = [] }) => paste))];
  if (pasted.length === 0) return;
  yield "";
  yield "Records that are missing or other ones than they should be:";
  yield "";
  for (const line of pasted) yield harmless(line);
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("doctor"), argv);
  if (args === undefined) return;
  const [word] = args._;
  const domain = String(word ?? "").toLowerCase().replace(/\.$/, "");
  if (!isDomain(domain)) failUsage(commandOf("doctor"), "expected one domain (A-labels)");
  const ips = args["ip"] === undefined ? [] : String(args["ip"]).split(",");
  const wrong = ips.find((ip) => !isAddress(ip));
  if (wrong !== undefined) fail(`--ip: no address: ${harmless(wrong)}`);
  const site = readSite(homeAt(String(args["home"] ?? "var")), domain, ips);
  if (!site.ok) {
    console.error(site.error.map(harmless).join("\n"));
    Deno.exit(111);
  }
  const { nameservers, trustAd, stsPort: port, privateAddresses } = site.value;
  const ask = askerOf(nameservers, trustAd);
  const options = { resolve: ask, port, privateAddresses, authorities: undefined, limitMs: fetchMs };
  const asking = {
    ask,
    fetchPolicy: args["no-fetch"] === true ? undefined : (domain: string) => fetchPolicy(domain, options),
    nowMs: Date.now(),
  };
  const found = await whileShown(`asking about ${domain}`, () => examine(domain, site.value, asking));
  if (args["json"] === true) console.log(JSON.stringify({ domain, findings: found }, undefined, 2));
  else for (const line of describe(found)) console.log(inWords(line));
  Deno.exit(exitCodeOf(found));
}

if (import.meta.main) await main(Deno.args);
