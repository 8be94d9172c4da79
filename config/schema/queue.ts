/** The queue, its deliveries at large, and bounces. @module */
import { parseBounceText } from "../../components/lib/dsn/bounce_text_file.ts";
import { defaultShaping, parseShaping, type Shaping } from "../../components/lib/shaping/shaping_file.ts";
import { parseDomain, parseLine, parseLineOrNothing, parseOneOf, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const queue = {
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
  bouncelifetime: row<number | "queuelifetime">({
    parse: parseWholeNumber("seconds"),
    default: "queuelifetime",
    defaultText: "queuelifetime",
    usedBy: ["qmail-send"],
    doc: "A shorter queuelifetime for mail from the null sender, bounces above all.",
  }),
  bouncemaxbytes: row<number | "by format">({
    parse: parseWholeNumber("bytes"),
    default: "by format",
    defaultText: "50000; with qsbmf 0",
    usedBy: ["qmail-send"],
    doc:
      "Largest message copied whole into its bounce; of a larger one a dsn has the header, qsbmf as many octets. 0 means no limit.",
  }),
  concurrencylocal: row({
    parse: parseWholeNumber("deliveries"),
    default: 40,
    usedBy: ["qmail-send", "qmail-lspawn"],
    doc:
      "Local deliveries under way at once; 0 holds the channel. One account has a quarter of them at the most, and one message while others have mail.",
  }),
  concurrencyremote: row({
    parse: parseWholeNumber("deliveries"),
    default: 20,
    usedBy: ["qmail-send"],
    doc: "Remote transactions under way at once; 0 holds the channel.",
  }),
  custombouncetext: row({
    parse: parseBounceText,
    default: "",
    defaultText: "none",
    usedBy: ["qmail-send"],
    doc: "What a bounce says behind qmail's introduction: lines of ASCII, none of which begins with < or -.",
  }),
  delaywarnseconds: row({
    parse: parseWholeNumber("seconds"),
    default: 14_400,
    usedBy: ["qmail-send"],
    doc: "After so long a sender that asked for it (NOTIFY=DELAY) is told that a recipient still waits.",
  }),
  doublebouncehost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-send"],
    doc: "Domain that gets double bounces.",
  }),
  doublebounceto: row({
    parse: parseLineOrNothing,
    default: "postmaster",
    usedBy: ["qmail-send"],
    doc: "Local part that gets double bounces; an empty first line: nobody does, they are discarded.",
  }),
  journalbytes: row({
    parse: parseWholeNumber("bytes"),
    default: 268_435_456,
    usedBy: ["qmail-queue"],
    doc:
      "Disk space the queue's journal may take, in steps of 4 MiB; 0: every message goes straight into qmail's layout, as for a qmail-send of another make.",
  }),
  queuelifetime: row({
    parse: parseWholeNumber("seconds"),
    default: 604_800,
    usedBy: ["qmail-send"],
    doc: "How long delivery is tried before a deferral becomes a failure.",
  }),
  shaping: row<Shaping>({
    parse: parseShaping,
    default: defaultShaping,
    defaultText: "*: concurrency=0 start=5 rate=0 backoff=60..3600 failures=3 idle=0",
    usedBy: ["qmail-send"],
    doc:
      'Pace of remote deliveries, lines "NAME: setting=value ..." for a site (the relay, or the registered domain of the best MX), a domain, .domain for all below it, or *: concurrency (deliveries under way at once, 0: no limit of its own), start (how many at first), rate (100/m; 0: any), backoff (seconds of the first and longest pause after so many failures in a row; 0: none), failures, idle (seconds after which it starts anew; 0: never). "warmup DOMAIN from YYYY-MM-DD: 50/d 100/d ...": deliveries of a sender\'s domain day by day, "default" for all others.',
  }),
} as const;
