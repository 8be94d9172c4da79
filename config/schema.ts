/**
 * Every control file: one row with its reader, default, meaning and users. The reader, `show`, the README's table and
 * the grants come from these rows; nothing else opens `control/`.
 * @module
 */
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
  parseNameservers,
  parseNetworks,
  parseOneOf,
  parsePort,
  parseRoutes,
  parseVirtualDomains,
  parseWholeNumber,
} from "./values.ts";

/** One control file. `fromMe` computes the default from control/me, as qmail's "(me)" does. */
export interface Row<T> {
  readonly parse: Parse<T>;
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

const loopback: readonly Listener[] = [
  { service: "smtp", host: "127.0.0.1", port: 2525 },
  { service: "smtp", host: "::1", port: 2525 },
  { service: "admin", host: "127.0.0.1", port: 8025 },
];

/** The rows, by file name. */
export const schema = {
  me: row({
    parse: parseDomain,
    usedBy: [
      ...["qmail-smtpd", "qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-getpw", "admin"],
      ...["qmail-inject", "sendmail", "mailsubj"],
    ],
    defaultText: "none: this file must be there",
    doc: "This host's full name; the default of many others.",
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
  concurrencylocal: row({
    parse: parseWholeNumber("deliveries"),
    default: 10,
    usedBy: ["qmail-send", "qmail-lspawn"],
    doc: "Local deliveries under way at once; 0 holds the channel. One account has a quarter of them at the most.",
  }),
  concurrencyremote: row({
    parse: parseWholeNumber("deliveries"),
    default: 20,
    usedBy: ["qmail-send"],
    doc: "Remote transactions under way at once; 0 holds the channel.",
  }),
  databytes: row({
    parse: parseWholeNumber("bytes"),
    default: 0,
    usedBy: ["qmail-smtpd"],
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
  defaultdelivery: row({
    parse: parseInstructions,
    default: "./Maildir/",
    usedBy: ["qmail-lspawn"],
    doc:
      "Instructions for who has no .qmail file, written as in one (qmail-start's argument). Programs are for accounts; a virtual mailbox then gets ./Maildir/. lmtp:/path/of/socket as the only line: virtual mailboxes are delivered to the LMTP server there (Dovecot's, say), accounts to ./Maildir/.",
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
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-getpw", "sendmail"],
    doc: "Domain of an envelope recipient without one.",
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
    defaultText: "smtp 127.0.0.1:2525, smtp [::1]:2525, admin 127.0.0.1:8025",
    usedBy: ["qmail-smtpd", "admin"],
    doc: 'Where each service listens: lines "service address:port"; --port-offset is added to ports other than 0.',
  }),
  locals: row({
    parse: parseDomains(false),
    fromMe: (me) => [me],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-getpw", "sendmail"],
    doc: "Domains delivered here.",
  }),
  mxprivate: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-rspawn"],
    doc: "1: an MX may have a loopback or private address (a lab's network). A route in smtproutes may in any case.",
  }),
  nameservers: row({
    parse: parseNameservers,
    default: [],
    defaultText: "those of /etc/resolv.conf",
    usedBy: ["resolver"],
    doc: "DNS servers to ask: address or address:port a line.",
  }),
  percenthack: row({
    parse: parseDomains(false),
    default: [],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-getpw", "sendmail"],
    doc: "Domains in which user%host stands for user@host.",
  }),
  plusdomain: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Replaces the + at the end of a host name, in mail that is written here.",
  }),
  programseconds: row({
    parse: parseWholeNumber("seconds", 1, 86_400),
    default: 900,
    usedBy: ["qmail-lspawn"],
    doc: "How long a program of a .qmail file may run before it is ended and its delivery tried again later.",
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
  rcpthosts: row({
    parse: parseDomains(true),
    default: [],
    usedBy: ["qmail-smtpd"],
    doc:
      'Domains accepted from clients that may not relay; ".example.org" for all below it. Unlike qmail: absent means none.',
  }),
  relayclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd"],
    doc: "Addresses and networks that may relay (RELAYCLIENT for every connection from there).",
  }),
  remoteport: row({
    parse: parsePort,
    default: 25,
    usedBy: ["qmail-rspawn"],
    doc: "Port of deliveries by MX; only a lab's network needs another.",
  }),
  smtpgreeting: row({
    parse: parseLine,
    fromMe: (me) => me,
    usedBy: ["qmail-smtpd"],
    doc: "Text of the 220, HELO and 221 replies; begins with the host name.",
  }),
  smtproutes: row({
    parse: parseRoutes,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc: 'domain:relay[:port] instead of that domain\'s MX; ".domain" for all below it, "" for all others.',
  }),
  systemusers: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-getpw"],
    doc:
      "1: accounts of /etc/passwd get mail, by qmail's rules, where their homes lie in control/userhomes; 0: only users/passwd, users/cdb and alias do.",
  }),
  timeoutconnect: row({
    parse: parseWholeNumber("seconds", 1),
    default: 60,
    usedBy: ["qmail-rspawn"],
    doc: "Limit of one connection attempt.",
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
    usedBy: ["qmail-smtpd"],
    doc: "Limit of each wait for an SMTP client.",
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
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-getpw", "sendmail"],
    doc:
      "domain:prefix, user@domain:prefix, .domain:prefix, :prefix: delivered here as prefix-user@domain; empty prefix: an exception.",
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
