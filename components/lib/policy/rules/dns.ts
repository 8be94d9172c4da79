/**
 * Rules that ask the DNS: helocheck, mfdnscheck, dnsbl. None of them is asked about clients that are no strangers, or about
 * the postmaster.
 * @module
 */
import { reverseName } from "../../../../config/ip/reverse_name.ts";
import { decodeUtf8 } from "../../address/parse_domain.ts";
import { isQueryName } from "../../dns/name.ts";
import { nodeUrl } from "../../process/builtin.ts";
import { listedBy } from "../listed.ts";
import type { DnsAnswer, Oracles, Soon } from "../oracles.ts";
import { defer, type Finding, pass, type RcptAsked, refuse, type Rule, soon } from "../rule.ts";

const exempt = pass("not asked about this client, or not for the postmaster");

const none: DnsAnswer = { kind: "none" };

/** A lookup of a name that came from a client: what cannot be a name in the DNS is not there. */
function ask(name: string, type: "A" | "AAAA" | "MX" | "PTR", oracles: Oracles): Soon<DnsAnswer> {
  // In an address of SMTPUTF8 the name is UTF-8; the DNS has it in ASCII (RFC 6531 §3.2).
  const ascii = /^[ -~]*$/.test(name) ? name : nodeUrl().domainToASCII(decodeUtf8(name) ?? "");
  return isQueryName(ascii) ? oracles.dns(ascii, type) : none;
}

/** Whether a host of that name can be reached: "none" when it has neither A nor AAAA. */
function addressOfHost(name: string, oracles: Oracles): Soon<DnsAnswer> {
  return soon(ask(name, "A", oracles), (a) => {
    if (a.kind === "answers") return a;
    return soon(ask(name, "AAAA", oracles), (aaaa) => aaaa.kind === "none" && a.kind === "failure" ? a : aaaa);
  });
}

/** Whether mail can be sent there: it has an MX, or an address instead. */
function mailHost(domain: string, oracles: Oracles): Soon<DnsAnswer> {
  return soon(ask(domain, "MX", oracles), (mx) => {
    if (mx.kind === "answers") return mx;
    return soon(addressOfHost(domain, oracles), (host) => host.kind === "none" && mx.kind === "failure" ? mx : host);
  });
}

/** What HELO said, by the letters of s/qmail's HELOCHECK, which goes over the control file. Trouble with DNS passes. */
export const helocheck: Rule = ({ controls }) => {
  const good = pass("nothing against what HELO said");
  const missing = refuse("helocheck", "550 5.7.1 sorry, i want a HELO/EHLO greeting with your name");
  const unknown = refuse("helocheck", "550 5.7.1 sorry, your HELO/EHLO greeting is no name in the DNS");
  const other = refuse("helocheck", "550 5.7.1 sorry, your HELO/EHLO greeting is not your name in the DNS");
  const asWanted = (answer: DnsAnswer): Finding => answer.kind === "none" ? unknown : good;
  return {
    rcpt: ({ client, trusted, postmaster }, oracles) => {
      const wanted = client.environment.get("HELOCHECK") ?? controls.helocheck;
      if (wanted === "") return good;
      if (trusted || postmaster) return exempt;
      const { helo } = client;
      if (helo === "") return missing;
      if (wanted === "!") return good;
      // An address literal has no name to be looked up.
      if (helo.startsWith("[")) return good;
      const name = helo.endsWith(".") ? helo.slice(0, -1) : helo;
      if (wanted === "A") return soon(addressOfHost(name, oracles), asWanted);
      if (wanted === "M") return soon(mailHost(name, oracles), asWanted);
      const reverse = wanted === "=" ? reverseName(client.ip) : undefined;
      if (reverse === undefined) return good;
      return soon(ask(reverse, "PTR", oracles), (ptr) => {
        if (ptr.kind === "failure") return good;
        return ptr.kind === "answers" && ptr.records.some(({ value }) => value === name.toLowerCase()) ? good : other;
      });
    },
  };
};

/**
 * The sender's domain. `nullmx`: one that says it takes no mail sends none either (RFC 7505 §4.2). `1`: moreover it must
 * have an MX or an address. MFDNSCHECK in the client's environment means `1`.
 */
export const mfdnscheck: Rule = ({ controls }) => {
  const unasked = pass("not asked");
  const good = pass("nothing against the sender's domain");
  const nullMx = refuse("null-mx", "550 5.7.27 sorry, your envelope sender's domain takes no mail");
  const absent = refuse("mfdnscheck", "553 5.1.8 sorry, your envelope sender domain must exist");
  const unsure = defer("mfdnscheck-unsure", "451 4.4.3 sorry, i can't look for your envelope sender's domain now");
  return {
    rcpt: ({ client, trusted, mail, postmaster }, oracles) => {
      const wanted = client.environment.has("MFDNSCHECK") ? "1" : controls.mfdnscheck;
      if (wanted === "0" || mail.sender.kind === "null") return unasked;
      if (trusted || postmaster) return exempt;
      const { domain } = mail.sender.mailbox;
      if (domain.startsWith("[")) return unasked;
      const findingOf = (answer: DnsAnswer): Finding => {
        if (answer.kind === "answers") return answer.records.every(({ value }) => value === "") ? nullMx : good;
        if (wanted === "nullmx") return good;
        return answer.kind === "none" ? absent : unsure;
      };
      return soon(wanted === "1" ? mailHost(domain, oracles) : ask(domain, "MX", oracles), findingOf);
    },
  };
};

/**
 * DNS block lists. RBLSMTPD in the client's environment goes over them, as rblsmtpd's callers know it: empty, nothing is
 * refused; a text refuses for now, with "-" in front for good. DNSBLSKIP asks no list.
 */
export const dnsbl: Rule = ({ controls, isAllowlisted }) => {
  const unlisted = pass("on no list");
  const unasked = pass("no list for this client");
  const allowed = pass("on an allow list");
  const unsure = defer("dnsbl-unsure", "451 4.7.1 sorry, i can't look for your address in the lists i use now");
  const { dnsbllist, dnsblfailclosed } = controls;
  const look = ({ client }: RcptAsked, oracles: Oracles): Soon<Finding> => {
    const lists = dnsbllist.filter(({ entrances }) => entrances.includes(client.entrance));
    if (lists.length === 0) return unasked;
    return soon(listedBy(client.ip, lists, oracles), ({ list, failed }) => {
      if (list === undefined) return failed && dnsblfailclosed ? unsure : unlisted;
      const text = list.text?.replaceAll("%IP%", client.ip) ?? `sorry, ${client.ip} is listed in ${list.zone}`;
      return list.permanent ? refuse("dnsbl", `553 5.7.1 ${text}`) : defer("dnsbl", `451 4.7.1 ${text}`);
    });
  };
  return {
    rcpt: (asked, oracles) => {
      const { client, trusted, postmaster } = asked;
      const told = client.environment.get("RBLSMTPD");
      if (dnsbllist.length === 0 && told === undefined) return unasked;
      if (trusted || postmaster) return exempt;
      if (told !== undefined) return toldBy(told) ?? unasked;
      if (client.environment.has("DNSBLSKIP")) return unasked;
      return soon(isAllowlisted(client, oracles), (isAllowed) => isAllowed ? allowed : look(asked, oracles));
    },
  };
};

const longestText = 300;

function toldBy(text: string): Finding | undefined {
  const permanent = text.startsWith("-");
  const shown = text.slice(permanent ? 1 : 0, longestText).replace(/[^ -~]/g, "?");
  if (text === "") return undefined;
  return permanent ? refuse("rblsmtpd", `553 5.7.1 ${shown}`) : defer("rblsmtpd", `451 4.7.1 ${shown}`);
}
