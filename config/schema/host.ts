/** The host itself: its name, where it listens, whom it asks, what it keeps of its log. @module */
import { maskTokenFile, parseTokenFile } from "../../components/lib/admin_token/token_file.ts";
import { defaultQueueSplit, mostQueueSplit } from "../home.ts";
import { type Listener, parseDomain, parseListeners, parseOneOf, parseServers, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

/** qmail's ports and submission's, moved to where everybody may listen. */
const loopbackPorts = [["smtp", 2525], ["submission", 2587], ["qmtp", 2209], ["qmqp", 2628], ["pop3", 2110]] as const;
const loopback: readonly Listener[] = [
  ...loopbackPorts.flatMap(([service, port]) => ["127.0.0.1", "::1"].map((host) => ({ service, host, port }))),
  { service: "admin", host: "127.0.0.1", port: 8025 },
];

export const host = {
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
  admintoken: row({
    parse: parseTokenFile,
    shown: maskTokenFile,
    default: "",
    defaultText: "none: nobody can log in; a start makes one",
    usedBy: ["admin"],
    doc:
      "What logs in to the admin page and its API: sha256: and the SHA-256 of the token in hex. The first start makes a token and says it once; deno task admin token --new makes another. Readable for qmailw only.",
  }),
  idleseconds: row({
    parse: parseWholeNumber("seconds", 0, 1_000_000),
    default: 300,
    usedBy: ["supervisor"],
    doc:
      "A component that others ask (qmail-getpw, qmail-lspawn, qmail-remote and more) is started when first needed, and ends when nobody has asked it for so many seconds; 0: all run from the start to the end. Under systemd all run.",
  }),
  ipv6: row<"auto" | "1" | "0">({
    parse: parseOneOf("auto", "1", "0"),
    default: "auto",
    usedBy: ["supervisor"],
    doc:
      "Whether mail leaves over IPv6 as well: auto: where this machine has an address of the Internet's IPv6 when the supervisor starts or reloads; 1: in any case; 0: never. A route to an IPv6 address counts in any case.",
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
  logbytes: row({
    parse: parseWholeNumber("bytes", 4096, 1_000_000_000),
    default: 16_777_216,
    usedBy: ["multilog"],
    doc: "Size at which a file of the log is finished and the next one begun.",
  }),
  logfiles: row({
    parse: parseWholeNumber("files", 0, 10_000),
    default: 10,
    usedBy: ["multilog"],
    doc:
      "How many files of the log are kept in log/, the one that grows among them (at least 2); 0: none, and nothing can be traced.",
  }),
  mode: row<"full" | "mini">({
    parse: parseOneOf("full", "mini"),
    default: "full",
    usedBy: ["supervisor"],
    doc:
      "full: this host has a queue. mini: it has none, and no component runs; the programs in bin/ hand their mail to the servers of qmqpservers (qmail-qmqpc). Counts from the next start on.",
  }),
  nameservers: row({
    parse: parseServers(53),
    default: [],
    defaultText: "those of /etc/resolv.conf",
    usedBy: ["resolver"],
    doc: "DNS servers to ask: address or address:port a line.",
  }),
  queuesplit: row({
    parse: parseWholeNumber("folders", 1, mostQueueSplit),
    default: defaultQueueSplit,
    usedBy: ["supervisor"],
    doc:
      "How queue/mess, info, local and remote are split (qmail's conf-split). Must be the number of folders in queue/mess: a start that finds a queue of another number writes this file where it is absent, and is refused where it is not.",
  }),
  trustad: row<"loopback" | "1" | "0">({
    parse: parseOneOf("loopback", "1", "0"),
    default: "loopback",
    usedBy: ["resolver"],
    doc:
      "Which name servers are believed that an answer is proven (DNSSEC's AD bit, what DANE rests on): loopback: those on this machine, which have to validate themselves; 1: all, for the way to them is safe; 0: none.",
  }),
} as const;
