/**
 * The SPF record (RFC 7208): whether there is one, what it costs, how it ends, and whether it lets this host's addresses
 * send.
 * @module
 */
import { txtLine } from "../dkim/keys.ts";
import { Lookups } from "../mailauth/lookups.ts";
import { checkSpf } from "../mailauth/spf.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import type { Site } from "./site.ts";

const spf = findings("SPF");

/** RFC 7208 §4.6.4. */
const mostTerms = 10;
/** For all addresses, so that no record can keep anybody busy. */
const mostQuestions = 60;

function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

/** What a check would cost at the worst, so far. */
interface Cost {
  /** Terms that ask the DNS, those of what is included too. */
  terms: number;
  /** Why a check cannot come to an end. */
  readonly broken: string[];
  isSilent: boolean;
}

const asking = ["include", "a", "mx", "ptr", "exists", "redirect"];

/** Adds what the record `text` costs; `path`: the domains that led to it. Stops where it is too much. */
async function addCost(cost: Cost, text: string, ask: Ask, path: readonly string[]): Promise<void> {
  for (const term of text.split(/ +/).slice(1)) {
    const [, mechanism = "", value = ""] = /^[-+~?]?([a-z]+)(?:[:=/](.*))?$/i.exec(term) ?? [];
    const name = mechanism.toLowerCase();
    if (!asking.includes(name)) continue;
    cost.terms++;
    if (cost.terms > mostTerms) return;
    // What a macro stands for is different for each message.
    if ((name !== "include" && name !== "redirect") || value.includes("%")) continue;
    const domain = value.toLowerCase();
    const reply = await ask(domain, "TXT");
    const [record, ...more] = valuesOf(reply).filter(isSpf);
    if (reply.status === "temporary") cost.isSilent = true;
    else if (record === undefined || more.length > 0) {
      cost.broken.push(`${domain} has ${record === undefined ? "no record" : "several records"}`);
    } else if (path.includes(domain)) cost.broken.push(`${domain} leads to itself`);
    else await addCost(cost, record, ask, [...path, domain]);
  }
}

export async function examineSpf(domain: string, site: Site, ask: Ask): Promise<readonly Finding[]> {
  const own = site.addresses.map((address) => `${address.includes(":") ? "ip6" : "ip4"}:${address}`);
  const wanted = [txtLine(domain, ["v=spf1", "mx", ...own, "-all"].join(" "))];
  const reply = await ask(domain, "TXT");
  if (reply.status === "temporary") return [spf.unsure(domain, "no name server gave an answer")];
  const [text, ...more] = valuesOf(reply).filter(isSpf);
  if (text === undefined) return [spf.missing(domain, "nobody can tell who may send its mail", wanted)];
  if (more.length > 0) return [spf.wrong(domain, `${more.length + 1} records; there has to be one (RFC 7208 §4.5)`)];

  const found = [...await examineCost(domain, text, ask), endOf(domain, text)];
  if (site.addresses.length === 0) {
    return [...found, spf.unsure(domain, "the address that mail leaves from is not known; name it")];
  }
  const lookups = new Lookups({ resolve: ask, most: mostQuestions, signal: AbortSignal.timeout(60_000) });
  for (const ip of site.addresses) {
    const { result } = await checkSpf(
      { ip, helo: site.helo, sender: `postmaster@${domain}`, receiver: site.me },
      lookups,
    );
    const term = `${ip.includes(":") ? "ip6" : "ip4"}:${ip}`;
    if (result === "pass") found.push(spf.good(ip, `may send mail of ${domain}`));
    else if (result === "temperror") found.push(spf.unsure(ip, "no name server gave an answer"));
    else if (result === "permerror") found.push(spf.wrong(ip, `the record cannot be used: ${JSON.stringify(text)}`));
    else {
      const better = text.replace(/^v=spf1/i, `$& ${term}`);
      found.push(spf.wrong(ip, `mail leaves from it, and the record says ${result}`, [txtLine(domain, better)]));
    }
  }
  return found;
}

async function examineCost(domain: string, text: string, ask: Ask): Promise<readonly Finding[]> {
  const cost: Cost = { terms: 0, broken: [], isSilent: false };
  await addCost(cost, text, ask, [domain]);
  const { terms, broken, isSilent } = cost;
  if (terms > mostTerms) {
    return [
      spf.wrong(domain, `more than ${mostTerms} terms that ask the DNS: a check ends in an error (RFC 7208 §4.6.4)`),
    ];
  }
  if (broken.length > 0) return [spf.wrong(domain, `${broken.join("; ")} (RFC 7208 §5.2)`)];
  if (isSilent) return [spf.unsure(domain, "no name server knew all that the record leads to")];
  return [spf.good(domain, `one record, ${terms} of ${mostTerms} lookups`)];
}

function endOf(domain: string, text: string): Finding {
  const terms = text.toLowerCase().trimEnd().split(/ +/);
  const all = terms.find((term) => /^[-+~?]?all$/.test(term));
  if (all === undefined) {
    return terms.some((term) => term.startsWith("redirect="))
      ? spf.good(domain, "the record ends in another's")
      : spf.wrong(domain, "the record does not end in -all or ~all: it forbids nobody", [
        txtLine(domain, `${text} -all`),
      ]);
  }
  const behind = terms.slice(terms.indexOf(all) + 1).filter((term) => !term.includes("="));
  if (behind.length > 0) return spf.wrong(domain, `nothing behind ${all} counts: ${behind.join(" ")}`);
  if (all === "-all" || all === "~all") return spf.good(domain, `the record ends in ${all}`);
  return spf.wrong(domain, `the record ends in ${all}: it forbids nobody`, [
    txtLine(domain, text.replace(/[?+]?all\b/i, "-all")),
  ]);
}
