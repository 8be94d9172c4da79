/** Whose mail is taken, and for whom. @module */
import type { CdbSource } from "../../components/lib/cdb/reader.ts";
import { parsePlugins, type Plugins } from "../../components/lib/hooks/plugins_file.ts";
import { parseDnsLists } from "../../components/lib/policy/dns_lists_file.ts";
import { parseMorercpthosts } from "../../components/lib/policy/morercpthosts_file.ts";
import { parsePolicyOrder, ruleNames } from "../../components/lib/policy/order_file.ts";
import { noPatterns, parsePatternList } from "../../components/lib/policy/pattern_list.ts";
import { parseRateLimits } from "../../components/lib/policy/rate_limits_file.ts";
import { parseSenderLogins } from "../../components/lib/policy/senderlogins_file.ts";
import { parseProgram } from "../../components/lib/tcprules/variables.ts";
import { parseDomains, parseFlag, parseNetworks, parseOneOf, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const rules = {
  allowclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Addresses and networks whose clients are held up by no greetdelay, DNS list, greylist or rate of clients.",
  }),
  badhelo: row({
    parse: parsePatternList,
    default: noPatterns,
    defaultText: "none",
    usedBy: ["qmail-smtpd"],
    doc: "Names in HELO or EHLO that nobody's mail is taken with: as in badmailfrom.",
  }),
  badmailfrom: row({
    parse: parsePatternList,
    default: noPatterns,
    defaultText: "none",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Senders refused: user@domain, @domain, patterns with *, ? and [a-z]; ! or ? in front: never refused; + at the end: only of clients that may not relay. Unlike the collections of patches: no regular expressions; unlike s/qmail: no ~, - and =.",
  }),
  badrcptto: row({
    parse: parsePatternList,
    default: noPatterns,
    defaultText: "none",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Recipients refused: as in badmailfrom.",
  }),
  brtlimit: row({
    parse: parseWholeNumber("recipients"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Recipients refused in one connection, after which it is closed (BRTLIMIT); 0 means no limit.",
  }),
  dnsallowlist: row({
    parse: parseDnsLists,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "DNS lists whose clients are held up by no dnsbllist or greylist; lines as in dnsbllist.",
  }),
  dnsblfailclosed: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "1: while a list of dnsbllist gives no answer, and no other lists the client, its mail is refused for now.",
  }),
  dnsbllist: row({
    parse: parseDnsLists,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "DNS lists whose clients are refused, a zone a line: 451, with - in front 553; behind a blank the entrances (smtp,submission,...; default smtp), behind a | the text, with %IP% for the address.",
  }),
  greetdelay: row({
    parse: parseWholeNumber("seconds", 0, 240),
    default: 0,
    usedBy: ["qmail-smtpd"],
    doc: "How long the greeting waits for strangers (SMTPD_GREETDELAY); who speaks before it is refused.",
  }),
  greylist: row({
    parse: parseWholeNumber("seconds", 0, 86_400),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "How long a message of a stranger waits whose sender, recipient and client were not seen before; 0: no greylisting.",
  }),
  helocheck: row<"" | "!" | "A" | "M" | "=">({
    parse: parseOneOf("!", "A", "M", "="),
    default: "",
    defaultText: "anything",
    usedBy: ["qmail-smtpd"],
    doc:
      "What HELO or EHLO of a stranger must be (HELOCHECK): ! there; A with an address in the DNS; M with an MX or address; = the client's own name.",
  }),
  maxrcpt: row({
    parse: parseWholeNumber("recipients"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Recipients of one message (MAXRECIPIENTS, DISABLE_MAXRCPT); 0 means no limit. RFC 5321 asks for 100 at least.",
  }),
  mfdnscheck: row<"0" | "nullmx" | "1">({
    parse: parseOneOf("0", "nullmx", "1"),
    default: "0",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "nullmx: strangers' senders whose domain takes no mail are refused (RFC 7505); 1 (MFDNSCHECK): so are those whose domain has no MX and no address.",
  }),
  "morercpthosts.cdb": row<CdbSource | "none">({
    parse: parseMorercpthosts,
    default: "none",
    octets: true,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "More of rcpthosts, as qmail-newmrh makes it; read again with the other files. Unlike qmail: it counts without a rcpthosts too.",
  }),
  policy: row({
    parse: parsePolicyOrder,
    default: ruleNames,
    defaultText: ruleNames.join(", "),
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Which rules are asked, in which order: a name a line; one that is absent, or has - in front, is not asked; relay must be there. It is not eMPF's file of that name.",
  }),
  ratelimits: row({
    parse: parseRateLimits,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      'How much is taken in what time: lines "who limit/time what", as client 100/h, login 50/10m recipients; who: client (a stranger\'s address), sender, login; what: messages (default), recipients, connections.',
  }),
  rcptcheck: row({
    parse: parseProgram,
    default: "",
    defaultText: "none",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Program that is asked about each recipient (RCPTCHECK, where tcp.smtp sets none): SENDER and RECIPIENT in its environment, exit code 100 refuses it, 111 and 120 mean later, others take it. A plain path, absolute or below the home; it runs as qmaild.",
  }),
  rcpthosts: row({
    parse: parseDomains(true),
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "admin"],
    doc:
      'Domains accepted from clients that may not relay; ".example.org" for all below it. Unlike qmail: absent means none.',
  }),
  rejectnullsenders: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "1: strangers' mail from <> is refused for now (REJECTNULLSENDERS), the postmaster's excepted. Against RFC 5321: bounces are lost with it.",
  }),
  rejectrelaytest: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "1: strangers' recipients with !, % or @ in the local part are refused.",
  }),
  relayclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Addresses and networks that may relay (RELAYCLIENT for every connection from there).",
  }),
  senderlogins: row({
    parse: parseSenderLogins,
    default: new Map(),
    usedBy: ["qmail-smtpd"],
    doc: "Senders that a login may use beside its own: login:address, login:@domain, login:*.",
  }),
  smtpplugins: row<Plugins>({
    parse: parsePlugins,
    octets: true,
    default: new Map(),
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "hooks"],
    doc:
      "Plug-ins of qmail-spp: sections [connection], [helo], [mail], [rcpt], [data], [auth], a program's path or :command for /bin/sh a line. They run as qmaild, without a network of the mail server's, 30 seconds each at the most; for clients whose environment has NOSPP none does.",
  }),
  tarpitcount: row({
    parse: parseWholeNumber("recipients"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Recipients of a stranger, refused ones of its connection included, after which each reply waits for tarpitdelay (TARPITCOUNT); 0: none waits.",
  }),
  tarpitdelay: row({
    parse: parseWholeNumber("seconds", 0, 999),
    default: 5,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "See tarpitcount (TARPITDELAY); 240 at the most, 999: refused instead.",
  }),
} as const;
