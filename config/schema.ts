/**
 * Every control file: one row with its reader, default, meaning and users. The reader, `show`, the README's table and
 * the grants come from these rows; nothing else opens `control/`.
 * @module
 */
import type { CdbSource } from "../components/lib/cdb/reader.ts";
import { type Clamd, defaultClamd, parseClamd } from "../components/lib/clamd/clamd_file.ts";
import { type Milter, parseMilters } from "../components/lib/milter/milters_file.ts";
import { defaultRspamd, parseRspamd } from "../components/lib/rspamd/rspamd_file.ts";
import type { ScannerAddress } from "../components/lib/scanners/address.ts";
import { type Filters, parseCustomFilter, parseFilters } from "../components/lib/filters/chain.ts";
import { type DkimDomains, parseDkimDomains } from "../components/lib/dkim/dkim_file.ts";
import { maskSrsSecret, parseSrsSecret } from "../components/lib/srs/secret_file.ts";
import { longestAgeDays } from "../components/lib/srs/stamp.ts";
import { parseDnsLists } from "../components/lib/policy/dns_lists_file.ts";
import { parseMorercpthosts } from "../components/lib/policy/morercpthosts_file.ts";
import { parsePolicyOrder, ruleNames } from "../components/lib/policy/order_file.ts";
import { noPatterns, parsePatternList } from "../components/lib/policy/pattern_list.ts";
import { parseRateLimits } from "../components/lib/policy/rate_limits_file.ts";
import { parseSenderLogins } from "../components/lib/policy/senderlogins_file.ts";
import { parsePlugins, type Plugins } from "../components/lib/hooks/plugins_file.ts";
import { defaultDmarcModes, type DmarcModes, parseDmarcModes } from "../components/lib/mailauth/dmarc_file.ts";
import { defaultShaping, parseShaping, type Shaping } from "../components/lib/shaping/shaping_file.ts";
import { parseTcpSmtp, parseTcpSmtpCdb } from "../components/lib/tcprules/control_files.ts";
import type { TcpRules } from "../components/lib/tcprules/tcp_rules.ts";
import { parseProgram } from "../components/lib/tcprules/variables.ts";
import { parseCheckpassword } from "../components/lib/sasl/checkpassword_file.ts";
import { defaultMechanisms, parseSmtpauth } from "../components/lib/sasl/offered.ts";
import { parseReportFrom } from "../components/lib/reports/from_file.ts";
import { parseAuthorities } from "../components/lib/tls/authorities_file.ts";
import { parseTlsDestinations, type TlsDestinations } from "../components/lib/tls/destinations_file.ts";
import { type DomainIps, parseDomainips, parseOutgoingip } from "../components/lib/routing/local_addresses.ts";
import { maskPasswords, type Routes } from "../components/lib/routing/route.ts";
import {
  parseAuthsenders,
  parseQmtproutes,
  parseSmtproutes,
  type SenderRoutes,
} from "../components/lib/routing/routes_files.ts";
import { defaultUserHomes, parseUserHomes } from "../components/lib/users/user_homes.ts";
import { defaultQueueSplit, mostQueueSplit } from "./home.ts";
import {
  type Listener,
  type Parse,
  parseDomain,
  parseDomains,
  parseFlag,
  parseInstructions,
  parseLine,
  parseListeners,
  parseNetworks,
  parseOneOf,
  parsePort,
  parseServers,
  parseVirtualDomains,
  parseWholeNumber,
} from "./values.ts";

/** One control file. `fromMe` computes the default from control/me, as qmail's "(me)" does. */
export interface Row<T> {
  readonly parse: Parse<T>;
  /** What of the text is shown to people; absent: all of it. */
  readonly shown?: (text: string) => string;
  /** `parse` gets the file's octets as an octet string, for it is no text. */
  readonly octets?: true;
  readonly default?: T;
  readonly fromMe?: (me: string) => T;
  /** Shown where the default is not a plain value. */
  readonly defaultText?: string;
  readonly usedBy: readonly string[];
  readonly doc: string;
}

function row<T>(value: Row<T>): Row<T> {
  return value;
}

/** qmail's ports and submission's, moved to where everybody may listen. */
const loopbackPorts = [["smtp", 2525], ["submission", 2587], ["qmtp", 2209], ["qmqp", 2628], ["pop3", 2110]] as const;
const loopback: readonly Listener[] = [
  ...loopbackPorts.flatMap(([service, port]) => ["127.0.0.1", "::1"].map((host) => ({ service, host, port }))),
  { service: "admin", host: "127.0.0.1", port: 8025 },
];

/** The rows, by file name. */
export const schema = {
  me: row({
    parse: parseDomain,
    usedBy: [
      ...[
        "qmail-smtpd",
        "qmail-qmtpd",
        "qmail-qmqpd",
        "qmail-send",
        "qmail-lspawn",
        "qmail-rspawn",
        "qmail-getpw",
        "auth",
        "qmail-popup",
        "qmail-pop3spawn",
        "admin",
        "tlsrpt",
        "sign",
        "dmarcrpt",
        "milter",
        "verify",
      ],
      ...["qmail-inject", "sendmail", "mailsubj"],
    ],
    defaultText: "none: this file must be there",
    doc: "This host's full name; the default of many others.",
  }),
  allowclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Addresses and networks whose clients are held up by no greetdelay, DNS list, greylist or rate of clients.",
  }),
  arcseal: row({
    parse: parseDomain,
    default: "",
    defaultText: "none: nothing is sealed",
    usedBy: ["sign"],
    doc:
      "Domain of control/dkim whose RSA key seals what the filter arcseal is given (ARC, RFC 8617), such as forwards, after the filter verify has judged it.",
  }),
  authservid: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["verify", "sign"],
    doc:
      "Name under which the filter verify says in Authentication-Results what it found; fields that come in under that name are forged, and removed.",
  }),
  authsenders: row<SenderRoutes>({
    parse: parseAuthsenders,
    shown: maskPasswords,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc:
      "Where a sender's mail goes, whoever the recipients are: user@domain:relay;port|user|password, or @domain:...; the relay written as in smtproutes. Readable for qmailr only.",
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
  bounceformat: row({
    parse: parseOneOf("dsn", "qsbmf"),
    default: "dsn",
    usedBy: ["qmail-send"],
    doc: "Form of a bounce: dsn (RFC 3464, qmail's text as its first part) or qsbmf (qmail's plain form).",
  }),
  bouncefrom: row({
    parse: parseLine,
    default: "MAILER-DAEMON",
    usedBy: ["qmail-send"],
    doc: "Local part of a bounce's From.",
  }),
  bouncehost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-send"],
    doc: "Domain of a bounce's From.",
  }),
  bouncemaxbytes: row<number | "by format">({
    parse: parseWholeNumber("bytes"),
    default: "by format",
    defaultText: "50000; with qsbmf 0",
    usedBy: ["qmail-send"],
    doc:
      "Largest message copied whole into its bounce; of a larger one a dsn has the header, qsbmf as many octets. 0 means no limit.",
  }),
  brtlimit: row({
    parse: parseWholeNumber("recipients"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Recipients refused in one connection, after which it is closed (BRTLIMIT); 0 means no limit.",
  }),
  checkpassword: row({
    parse: parseCheckpassword,
    default: [],
    defaultText: "none: users/passwd is asked",
    usedBy: ["auth", "qmail-smtpd", "qmail-popup"],
    doc:
      "Program, by its absolute path, that says whether a password is right (qmail's checkpassword interface, descriptor 3), and its arguments. It runs as qmailp. With it SCRAM is not on offer.",
  }),
  clamd: row<Clamd>({
    parse: parseClamd,
    default: defaultClamd,
    defaultText: "unix:/run/clamav/clamd.ctl",
    usedBy: ["clamd"],
    doc:
      "Where the clamd listens that the filter clamd asks: address:port or unix:/path; behind it toolarge=refuse, or toolarge=pass (the default), for what is larger than it takes.",
  }),
  concurrencyincoming: row({
    parse: parseWholeNumber("connections", 1, 100_000),
    default: 1000,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc:
      "SMTP connections at once (tcpserver's -c). With more than four fifths of them taken, strangers get less patience; a twentieth more is kept for those who may relay and those whose mail was accepted lately.",
  }),
  concurrencylocal: row({
    parse: parseWholeNumber("deliveries"),
    default: 10,
    usedBy: ["qmail-send", "qmail-lspawn"],
    doc: "Local deliveries under way at once; 0 holds the channel. One account has a quarter of them at the most.",
  }),
  concurrencyperclient: row({
    parse: parseWholeNumber("connections"),
    default: 100,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc:
      "Connections at once from one address (IPv6: from one network of 64 bits) that may not relay; 0 means no limit but concurrencyincoming.",
  }),
  concurrencypop3: row({
    parse: parseWholeNumber("connections", 1, 100_000),
    default: 200,
    usedBy: ["qmail-popup"],
    doc:
      "POP3 connections at once; as many as half of them from one address (IPv6: from one network of 64 bits). A twentieth more is kept for clients that have logged in lately.",
  }),
  concurrencyremote: row({
    parse: parseWholeNumber("deliveries"),
    default: 20,
    usedBy: ["qmail-send"],
    doc: "Remote transactions under way at once; 0 holds the channel.",
  }),
  dkim: row<DkimDomains>({
    parse: parseDkimDomains,
    default: new Map(),
    usedBy: ["sign"],
    doc:
      'Who signs (filter sign), lines "domain: selector selector@YYYY-MM-DD ...": mail From that domain, and from those below it that have no line, is signed with the keys dkim/domain/selector.pem; of each algorithm the one whose day has come last (UTC). deno task dkim writes it.',
  }),
  databytes: row({
    parse: parseWholeNumber("bytes"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Largest message accepted over SMTP, after CRLF became LF; 0 means no limit.",
  }),
  defaultdomain: row({
    parse: parseDomain,
    // With the one label of an unnamed machine, amy@localhost would become amy@localhost.localhost.
    fromMe: (me) => me.includes(".") ? me : "",
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc:
      "Added to a host name without a dot, in mail that is written here. Unlike qmail: not by default where me has no dot.",
  }),
  defaulthost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Host of an address without one, in mail that is written here.",
  }),
  customfilter: row({
    parse: parseCustomFilter,
    default: "",
    defaultText: "the sample",
    usedBy: ["custom"],
    doc: "The filter that custom in control/filters stands for: the absolute path of one file in TypeScript.",
  }),
  defaultdelivery: row({
    parse: parseInstructions,
    default: "./Maildir/",
    usedBy: ["qmail-lspawn"],
    doc:
      "Instructions for who has no .qmail file, written as in one (qmail-start's argument). Programs are for accounts; a virtual mailbox then gets ./Maildir/. lmtp:/path/of/socket as the only line: virtual mailboxes are delivered to the LMTP server there (Dovecot's, say), accounts to ./Maildir/.",
  }),
  dmarc: row<DmarcModes>({
    parse: parseDmarcModes,
    default: defaultDmarcModes,
    defaultText: "tag",
    usedBy: ["verify"],
    doc:
      'What the filter verify does about DMARC, by the way in: lines "WAY: MODE" with the ways of control/filters, and MODE alone for the others. none: not checked; tag: said in Authentication-Results; enforce: mail is refused as well where the domain in From asks for it.',
  }),
  dmarcrpt: row({
    parse: parseFlag,
    default: false,
    usedBy: ["dmarcrpt"],
    doc:
      "1: what verify finds about the mail of domains with a DMARC policy is counted, and those that ask for it in the DNS get a report of each day (RFC 9990).",
  }),
  dmarcrptfrom: row({
    parse: parseReportFrom,
    fromMe: (me) => `postmaster@${me}`,
    usedBy: ["dmarcrpt"],
    doc:
      "Whom DMARC reports are from, and who is named in them to be asked; its domain is named as the reporter's. Receivers want a DKIM signature of that domain's.",
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
  delaywarnseconds: row({
    parse: parseWholeNumber("seconds"),
    default: 14_400,
    usedBy: ["qmail-send"],
    doc: "After so long a sender that asked for it (NOTIFY=DELAY) is told that a recipient still waits.",
  }),
  domainips: row<DomainIps>({
    parse: parseDomainips,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc:
      "From which of this machine's addresses, and under which name, mail leaves, by the sender's domain: domain:ip, domain:ip|helohost or domain:|helohost; * for all others. A second line adds the address of the other family.",
  }),
  doublebouncehost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-send"],
    doc: "Domain that gets double bounces.",
  }),
  doublebounceto: row({
    parse: parseLine,
    default: "postmaster",
    usedBy: ["qmail-send"],
    doc: "Local part that gets double bounces.",
  }),
  envnoathost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc: "Domain of an envelope recipient without one.",
  }),
  filterbytes: row({
    parse: parseWholeNumber("bytes", 1, 64 * 1024 * 1024),
    default: 32 * 1024 * 1024,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-lspawn", "tlsrpt", "dmarcrpt"],
    doc: "Largest message that the filters of control/filters look at.",
  }),
  filterlarge: row<"pass" | "refuse">({
    parse: parseOneOf("pass", "refuse"),
    default: "pass",
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-lspawn", "tlsrpt", "dmarcrpt"],
    doc: "What becomes of a larger one: it goes on with a field X-Unfiltered, or is refused for good.",
  }),
  filters: row<Filters>({
    parse: parseFilters,
    default: new Map(),
    defaultText: "none",
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-lspawn", "tlsrpt", "dmarcrpt"],
    doc:
      "Who looks at mail on its way into the queue, a line for each way in: smtp: verify rspamd=pass /path/of/program. Ways: smtp, submission, submissions, lmtp, qmtp, qmqp, local (reports, and programs in bin/ from their next start of the server on), forward. Filters: verify, sign, arcseal, rspamd, clamd, milter, custom, or a program in qmail-queue's place. Behind a name =451 (so it is by default) or =pass: what happens while it is away, hangs or dies.",
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
  helohost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-rspawn"],
    doc: "Name given with EHLO to other servers.",
  }),
  idhost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Host in the Message-ID of mail that is written here.",
  }),
  ipv6: row<"auto" | "1" | "0">({
    parse: parseOneOf("auto", "1", "0"),
    default: "auto",
    usedBy: ["supervisor"],
    doc:
      "Whether mail leaves over IPv6 as well: auto: where this machine has an address of the Internet's IPv6 when the supervisor starts or reloads; 1: in any case; 0: never. A route to an IPv6 address counts in any case.",
  }),
  journalbytes: row({
    parse: parseWholeNumber("bytes"),
    default: 268_435_456,
    usedBy: ["qmail-queue"],
    doc:
      "Disk space the queue's journal may take, in steps of 4 MiB; 0: every message goes straight into qmail's layout, as for a qmail-send of another make.",
  }),
  listeners: row({
    parse: parseListeners,
    default: loopback,
    defaultText:
      "smtp 2525, submission 2587, qmtp 2209, qmqp 2628, pop3 2110, each at 127.0.0.1 and ::1; admin 127.0.0.1:8025",
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-popup", "admin"],
    doc:
      'Where each service listens: lines "service address:port" (smtp, submission, submissions, lmtp, qmtp, qmtps, qmqp, pop3, pop3s, admin) or "lmtp unix:path"; --port-offset is added to ports other than 0. "proxy" behind an address: each connection begins with a PROXY header.',
  }),
  localiphost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-smtpd"],
    doc:
      "The domain that an address in brackets stands for, in MAIL and RCPT, where it is the one the client has come to.",
  }),
  locals: row({
    parse: parseDomains(false),
    fromMe: (me) => [me],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc: "Domains delivered here.",
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
  milters: row<readonly Milter[]>({
    parse: parseMilters,
    default: [],
    usedBy: ["milter"],
    doc:
      'The milters that the filter milter asks, in order: address:port or unix:/path a line; "pass" behind one: mail goes on without it when it hangs or dies.',
  }),
  mode: row<"full" | "mini">({
    parse: parseOneOf("full", "mini"),
    default: "full",
    usedBy: ["supervisor"],
    doc:
      "full: this host has a queue. mini: it has none, and no component runs; the programs in bin/ hand their mail to the servers of qmqpservers (qmail-qmqpc). Counts from the next start on.",
  }),
  mtasts: row({
    parse: parseFlag,
    default: true,
    usedBy: ["mta-sts"],
    doc:
      "1: the MTA-STS policies of other domains (RFC 8461) are fetched over https and kept to. Unlike the other flags 1 by default.",
  }),
  mtastsport: row({
    parse: parsePort,
    default: 443,
    usedBy: ["mta-sts"],
    doc: "Port that MTA-STS policies are fetched from; only a lab's network needs another.",
  }),
  mxprivate: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-rspawn", "mta-sts"],
    doc:
      "1: an MX may have a loopback or private address (a lab's network); else qmail-remote is not granted any. A route in smtproutes may in any case.",
  }),
  mxps: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-rspawn"],
    doc:
      "1: an MX preference of 12801, 12817, ... 13041 means that the host takes QMTP on port 209 (MXPS), which qmail-remote is granted then.",
  }),
  nameservers: row({
    parse: parseServers(53),
    default: [],
    defaultText: "those of /etc/resolv.conf",
    usedBy: ["resolver"],
    doc: "DNS servers to ask: address or address:port a line.",
  }),
  outgoingip: row({
    parse: parseOutgoingip,
    default: [],
    defaultText: "the system's choice",
    usedBy: ["qmail-rspawn"],
    doc:
      "Address of this machine that mail leaves from, where domainips names none: one of IPv4, one of IPv6, or both, a line each.",
  }),
  percenthack: row({
    parse: parseDomains(false),
    default: [],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc: "Domains in which user%host stands for user@host.",
  }),
  plusdomain: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Replaces the + at the end of a host name, in mail that is written here.",
  }),
  policy: row({
    parse: parsePolicyOrder,
    default: ruleNames,
    defaultText: ruleNames.join(", "),
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Which rules are asked, in which order: a name a line; one that is absent, or has - in front, is not asked; relay must be there. It is not eMPF's file of that name.",
  }),
  pop3apop: row({
    parse: parseFlag,
    default: false,
    usedBy: ["auth", "qmail-popup"],
    doc:
      "1: POP3 clients may log in by APOP, and find its challenge in the greeting. Only users can whose password is kept as it is ({PLAIN}), or whom a checkpassword program knows.",
  }),
  pop3plaintext: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-popup"],
    doc:
      "1: POP3 clients may log in without TLS, and send their passwords so that the network can read them. From this machine's own addresses (127.0.0.0/8, ::1) they always may.",
  }),
  programseconds: row({
    parse: parseWholeNumber("seconds", 1, 86_400),
    default: 900,
    usedBy: ["qmail-lspawn"],
    doc: "How long a program of a .qmail file may run before it is ended and its delivery tried again later.",
  }),
  proxyclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-popup"],
    doc: 'Addresses and networks of the proxies that may connect to a listener with "proxy"; nobody else may.',
  }),
  qmqpclients: row<readonly string[] | "absent">({
    parse: parseNetworks,
    default: "absent",
    defaultText: "127.0.0.0/8, ::1",
    usedBy: ["qmail-qmqpd"],
    doc:
      "Addresses and networks whose mail for anybody is taken over QMQP; nobody else may connect. It must be there where qmqp listens on an address that is not loopback.",
  }),
  qmqpservers: row({
    parse: parseServers(628),
    default: [],
    defaultText: "none: qmail-qmqpc queues nothing",
    usedBy: ["qmail-qmqpc"],
    doc:
      "Whom qmail-qmqpc hands mail to, in this order: address or address:port a line. The program is granted these at a start.",
  }),
  qmtproutes: row<Routes>({
    parse: parseQmtproutes,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc: "As smtproutes, which it comes before, for relays that speak QMTP; port 209 unless another is said.",
  }),
  queuelifetime: row({
    parse: parseWholeNumber("seconds"),
    default: 604_800,
    usedBy: ["qmail-send"],
    doc: "How long delivery is tried before a deferral becomes a failure.",
  }),
  queuesplit: row({
    parse: parseWholeNumber("folders", 1, mostQueueSplit),
    default: defaultQueueSplit,
    usedBy: ["supervisor"],
    doc:
      "How queue/mess, info, local and remote are split (qmail's conf-split). Must be the number of folders in queue/mess: a start that finds a queue of another number writes this file where it is absent, and is refused where it is not.",
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
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      'Domains accepted from clients that may not relay; ".example.org" for all below it. Unlike qmail: absent means none.',
  }),
  receivedspf: row({
    parse: parseFlag,
    default: false,
    usedBy: ["verify"],
    doc: "1: the filter verify adds a field Received-SPF, too (RFC 7208, section 9.1).",
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
  remoteport: row({
    parse: parsePort,
    default: 25,
    usedBy: ["qmail-rspawn"],
    doc: "Port of deliveries by MX; only a lab's network needs another.",
  }),
  rspamd: row<ScannerAddress>({
    parse: parseRspamd,
    default: defaultRspamd,
    defaultText: "127.0.0.1:11333",
    usedBy: ["rspamd"],
    doc: "Where the rspamd listens (worker normal) that the filter rspamd asks: address:port or unix:/path.",
  }),
  senderlogins: row({
    parse: parseSenderLogins,
    default: new Map(),
    usedBy: ["qmail-smtpd"],
    doc: "Senders that a login may use beside its own: login:address, login:@domain, login:*.",
  }),
  shaping: row<Shaping>({
    parse: parseShaping,
    default: defaultShaping,
    defaultText: "*: concurrency=0 start=5 rate=0 backoff=60..3600 failures=3 idle=0",
    usedBy: ["qmail-send"],
    doc:
      'Pace of remote deliveries, lines "NAME: setting=value ..." for a site (the relay, or the registered domain of the best MX), a domain, .domain for all below it, or *: concurrency (deliveries under way at once, 0: no limit of its own), start (how many at first), rate (100/m; 0: any), backoff (seconds of the first and longest pause after so many failures in a row; 0: none), failures, idle (seconds after which it starts anew; 0: never). "warmup DOMAIN from YYYY-MM-DD: 50/d 100/d ...": deliveries of a sender\'s domain day by day, "default" for all others.',
  }),
  smtpdprocesses: row({
    parse: parseWholeNumber("processes", 1, 64),
    default: 1,
    usedBy: ["qmail-smtpd"],
    doc:
      "Processes of qmail-smtpd that share its ports; each has its part of concurrencyincoming and concurrencyperclient.",
  }),
  smtpauth: row({
    parse: parseSmtpauth,
    default: defaultMechanisms,
    defaultText: "scram-sha-256 plain login",
    usedBy: ["auth", "qmail-smtpd", "qmail-popup"],
    doc:
      "Mechanisms of AUTH on submission, submissions, pop3 and pop3s (POP3's USER and PASS stand for plain): words of scram-sha-256, scram-sha-256-plus (over TLS, bound to its certificate; clients with GNU SASL, as mutt, cannot, and then log in by nothing else), cram-md5 (only for users whose password is kept as it is), plain, login; or off.",
  }),
  smtpgreeting: row({
    parse: parseLine,
    fromMe: (me) => me,
    usedBy: ["qmail-smtpd"],
    doc: "Text of the 220, HELO and 221 replies; begins with the host name.",
  }),
  smtpplugins: row<Plugins>({
    parse: parsePlugins,
    octets: true,
    default: new Map(),
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "hooks"],
    doc:
      "Plug-ins of qmail-spp: sections [connection], [helo], [mail], [rcpt], [data], [auth], a program's path or :command for /bin/sh a line. They run as qmaild, without a network of the mail server's, 30 seconds each at the most; for clients whose environment has NOSPP none does.",
  }),
  smtproutes: row<Routes>({
    parse: parseSmtproutes,
    shown: maskPasswords,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc:
      'domain:relay[:port] instead of that domain\'s MX; ".domain" (or "*.domain") for all below it, "" (or "*") for all others, "!@" for mail from the null sender; no relay: an exception. Behind it "user password" or |user|password, told within TLS only, and words: tls=none, may, encrypt, verify or dane; name= and fingerprint= of the certificate; protocol=lmtp or qmtp. Port 465 means TLS from the first octet on.',
  }),
  srsage: row({
    parse: parseWholeNumber("days", 1, longestAgeDays),
    default: 21,
    usedBy: ["qmail-getpw", "qmail-send"],
    doc: "Days after which mail to a sender's address that SRS made is refused.",
  }),
  srsdomain: row({
    parse: parseDomain,
    // The one label of an unnamed machine is nothing that anybody could send a bounce to.
    fromMe: (me) => me.includes(".") ? me : "",
    defaultText: "me; none where that has no dot",
    usedBy: ["qmail-getpw", "qmail-lspawn", "qmail-send", "qmail-smtpd", "qmail-qmtpd"],
    doc:
      "Domain of the sender under which a .qmail file's forwards leave whose own sender is in no domain of ours (SRS), so that SPF allows this host to send them; its mail has to come here. Bounces find their way back, whether it is in locals and rcpthosts or not.",
  }),
  srshashlength: row({
    parse: parseWholeNumber("characters", 4, 20),
    default: 6,
    usedBy: ["qmail-getpw", "qmail-send"],
    doc: "Characters of the hash in an address that SRS made; with another number those made before count as forged.",
  }),
  srssecret: row({
    parse: parseSrsSecret,
    shown: maskSrsSecret,
    default: [],
    defaultText: "none: no SRS; a start makes one",
    usedBy: ["qmail-getpw", "qmail-send"],
    doc:
      "Secrets of SRS, one a line: the first makes addresses, each is good for mail to one. An empty file switches SRS off. Readable for qmailp and the group qmail only.",
  }),
  systemusers: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-getpw"],
    doc:
      "1: accounts of /etc/passwd get mail, by qmail's rules, where their homes lie in control/userhomes; 0: only users/passwd, users/cdb and alias do.",
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
  "tcp.smtp": row<TcpRules | "absent">({
    parse: parseTcpSmtp,
    octets: true,
    default: "absent",
    defaultText: "none: tcp.smtp.cdb, else everybody may connect",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc:
      'Who may connect, and with which environment: lines address:allow or address:deny, then ,NAME="value" (tcprules). What means something here: RELAYCLIENT (may relay; appended to each recipient), DATABYTES, QMAILQUEUE and RCPTCHECK (programs, which are granted by these names), NOSPP, RBLSMTPD, DNSBLSKIP, SMTPD_GREETDELAY, HELOCHECK, MFDNSCHECK, DISABLE_MAXRCPT, REJECTNULLSENDERS; all of them reach the operator\'s programs.',
  }),
  "tcp.smtp.cdb": row<TcpRules | "absent">({
    parse: parseTcpSmtpCdb,
    octets: true,
    default: "absent",
    defaultText: "none",
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "The same as tcprules makes it; read where tcp.smtp is absent.",
  }),
  timeoutconnect: row({
    parse: parseWholeNumber("seconds", 1),
    default: 60,
    usedBy: ["qmail-rspawn"],
    doc: "Limit of one connection attempt.",
  }),
  timeoutpop3d: row({
    parse: parseWholeNumber("seconds", 1),
    default: 1200,
    usedBy: ["qmail-popup"],
    doc:
      "Limit of each wait for a POP3 client: for a whole command, or for what it was sent to be read. RFC 1939 asks for 600 at least.",
  }),
  timeoutremote: row({
    parse: parseWholeNumber("seconds", 1),
    default: 1200,
    usedBy: ["qmail-rspawn"],
    doc: "Limit of each wait for another server.",
  }),
  timeoutsmtpd: row({
    parse: parseWholeNumber("seconds", 1),
    default: 1200,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc: "Limit of each wait for an SMTP client.",
  }),
  tlsclientca: row<readonly string[] | "built in">({
    parse: parseAuthorities,
    default: "built in",
    defaultText: "those of Mozilla, as deno has them",
    usedBy: ["mta-sts", "qmail-rspawn"],
    doc: "Certificates (PEM) of the authorities that are believed about other servers, instead of the ones built in.",
  }),
  tlsdestinations: row<TlsDestinations>({
    parse: parseTlsDestinations,
    default: new Map(),
    defaultText: "TLS wherever it is offered",
    usedBy: ["qmail-rspawn"],
    doc:
      'domain:level; ".domain" for all below it, "*" for all others. Levels: none, may, encrypt (or no mail), verify (by an authority, for the exchanger\'s name), dane. Words behind it: implicit (TLS from the first octet on); with verify also name= (instead of the exchanger\'s), fingerprint= (SHA-256 of the certificate), authority= (SHA-256 of one above it). For may and encrypt, what DANE and MTA-STS demand comes on top. A relay\'s own tls= comes first.',
  }),
  tlsrpt: row({
    parse: parseFlag,
    default: false,
    usedBy: ["tlsrpt"],
    doc:
      "1: how TLS to other domains went is counted, and those that ask for it in the DNS get a report of each day (RFC 8460). MTA-STS policies outlive a restart then.",
  }),
  tlsrptfrom: row({
    parse: parseReportFrom,
    fromMe: (me) => `postmaster@${me}`,
    usedBy: ["tlsrpt"],
    doc: "Whom TLS reports are from, and who is named in them to be asked; its domain is named as the sender's.",
  }),
  tlsserverciphers: row({
    parse: parseLine,
    default: "",
    defaultText: "all that the TLS library has",
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-popup"],
    doc:
      "OpenSSL's words for the ciphers of TLS 1.2 (TLS 1.3 has its own). Words that admit none of those there are switch TLS 1.2 off; Deno can leave out no single one.",
  }),
  trustad: row<"loopback" | "1" | "0">({
    parse: parseOneOf("loopback", "1", "0"),
    default: "loopback",
    usedBy: ["resolver"],
    doc:
      "Which name servers are believed that an answer is proven (DNSSEC's AD bit, what DANE rests on): loopback: those on this machine, which have to validate themselves; 1: all, for the way to them is safe; 0: none.",
  }),
  userhomes: row({
    parse: parseUserHomes,
    default: defaultUserHomes,
    defaultText: "/home",
    usedBy: ["qmail-getpw"],
    doc:
      "Folders in which accounts of the system have their homes, one a line. Unlike qmail: an account whose home lies elsewhere gets no mail unless users/assign names it.",
  }),
  virtualdomains: row({
    parse: parseVirtualDomains,
    default: new Map(),
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc:
      "domain:prefix, user@domain:prefix, .domain:prefix, :prefix: delivered here as prefix-user@domain; empty prefix: an exception.",
  }),
  xclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd"],
    doc: "Addresses and networks whose clients may say with XCLIENT for whom they speak.",
  }),
} as const;

export type ControlFile = keyof typeof schema;
export type ControlValue<F extends ControlFile> = (typeof schema)[F] extends Row<infer T> ? T : never;
/** All control files as values. */
export type Controls = { readonly [F in ControlFile]: ControlValue<F> };

/** The files of one component, in the schema's order. */
export function controlFilesOf(component: string): ControlFile[] {
  return (Object.keys(schema) as ControlFile[]).filter((file) =>
    (schema[file].usedBy as readonly string[]).includes(component)
  );
}
