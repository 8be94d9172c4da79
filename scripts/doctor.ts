/**
 * `deno task doctor DOMAIN [--home DIR] [--ip ADDRESS[,ADDRESS]] [--no-fetch] [--json]`: what is published about a domain that this
 * host takes or sends mail for, what is missing there, and the records that would make it good. Exit codes: 0 all is good,
 * 1 there is something to do, 111 nothing that is known, but not all could be asked; 100 wrong usage.
 * @module
 */
import ipaddr from "ipaddr.js";
import { parseArgs } from "@std/cli/parse-args";
import { homeAt } from "../config/home.ts";
import { isDomain } from "../config/values.ts";
import { fetchPolicy } from "../components/mta-sts/fetch.ts";
import { askerOf } from "./doctor/ask.ts";
import { examine } from "./doctor/examine.ts";
import { exitCodeOf, type Finding } from "./doctor/finding.ts";
import { readSite } from "./doctor/site.ts";
import { fail } from "./fail.ts";
import { formatTable } from "./table.ts";

const help = `Usage: deno task doctor DOMAIN [--home DIR] [--ip ADDRESS[,ADDRESS]] [--no-fetch] [--json]

Asks the DNS what is published about DOMAIN (MX and their addresses, SPF, DKIM, DMARC, MTA-STS, TLS-RPT, TLSA) and about the
addresses that mail leaves from (PTR), and holds it against the control files, keys and certificate of the dqmail in DIR
(default var). Missing records are printed as lines for a zone file.

  --ip ADDRESS   mail leaves from it; default: those of control/domainips and outgoingip,
                 else the public ones of this machine, else what the DNS has for control/me
  --no-fetch     does not fetch the MTA-STS policy (over https)

Ends with 0 (all is good), 1 (something to do) or 111 (not all could be asked).`;

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

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    unknown: (arg) => arg.startsWith("-") ? fail(`unknown option ${harmless(arg)}; --help says more`) : true,
    string: ["home", "ip"],
    boolean: ["json", "help", "no-fetch"],
  });
  if (args["help"] === true) return console.log(help);
  const [word, ...more] = args._;
  const domain = String(word ?? "").toLowerCase().replace(/\.$/, "");
  if (more.length > 0 || !isDomain(domain)) fail("expected one domain (A-labels); --help says more");
  const ips = args["ip"] === undefined ? [] : String(args["ip"]).split(",");
  const wrong = ips.find((ip) => !ipaddr.isValid(ip));
  if (wrong !== undefined) fail(`--ip: no address: ${harmless(wrong)}`);
  const site = readSite(homeAt(String(args["home"] ?? "var")), domain, ips);
  if (!site.ok) {
    console.error(site.error.map(harmless).join("\n"));
    Deno.exit(111);
  }
  const { nameservers, trustAd, stsPort: port, privateAddresses } = site.value;
  const ask = askerOf(nameservers, trustAd);
  const options = { resolve: ask, port, privateAddresses, authorities: undefined, limitMs: fetchMs };
  const found = await examine(domain, site.value, {
    ask,
    fetchPolicy: args["no-fetch"] === true ? undefined : (domain) => fetchPolicy(domain, options),
    nowMs: Date.now(),
  });
  if (args["json"] === true) console.log(JSON.stringify({ domain, findings: found }, undefined, 2));
  else for (const line of describe(found)) console.log(line);
  Deno.exit(exitCodeOf(found));
}

if (import.meta.main) await main();
