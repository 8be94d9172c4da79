/** Mail to other hosts: routes, addresses, TLS. @module */
import { parseReportFrom } from "../../components/lib/reports/from_file.ts";
import {
  type DomainIps,
  parseDomainips,
  parseOutgoingip,
  parseOwnAddresses,
} from "../../components/lib/routing/local_addresses.ts";
import { maskPasswords, type Routes } from "../../components/lib/routing/route.ts";
import {
  parseAuthsenders,
  parseQmtproutes,
  parseSmtproutes,
  type SenderRoutes,
} from "../../components/lib/routing/routes_files.ts";
import { parseAuthorities } from "../../components/lib/tls/authorities_file.ts";
import { parseTlsDestinations, type TlsDestinations } from "../../components/lib/tls/destinations_file.ts";
import { parseDomain, parseFlag, parsePort, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const remote = {
  authsenders: row<SenderRoutes>({
    parse: parseAuthsenders,
    shown: maskPasswords,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc:
      "Where a sender's mail goes, whoever the recipients are: user@domain:relay;port|user|password, or @domain:...; the relay written as in smtproutes. Readable for qmailr only.",
  }),
  domainips: row<DomainIps>({
    parse: parseDomainips,
    default: new Map(),
    usedBy: ["qmail-rspawn", "admin"],
    doc:
      "From which of this machine's addresses, and under which name, mail leaves, by the sender's domain: domain:ip, domain:ip|helohost or domain:|helohost; * for all others. A second line adds the address of the other family.",
  }),
  helohost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-rspawn", "admin"],
    doc: "Name given with EHLO to other servers.",
  }),
  moreipme: row({
    parse: parseOwnAddresses,
    default: [],
    usedBy: ["qmail-rspawn"],
    doc:
      "Addresses, one a line, that lead to this host though no interface has them, such as that of a router in front of it: an exchanger there is this host.",
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
    usedBy: ["qmail-rspawn", "mta-sts", "admin"],
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
  notipme: row({
    parse: parseOwnAddresses,
    default: [],
    usedBy: ["qmail-rspawn"],
    doc: "Addresses, one a line, that an interface of this machine has, and that an exchanger may have all the same.",
  }),
  outgoingip: row({
    parse: parseOutgoingip,
    default: [],
    defaultText: "the system's choice",
    usedBy: ["qmail-rspawn", "admin"],
    doc:
      "Address of this machine that mail leaves from, where domainips names none: one of IPv4, one of IPv6, or both, a line each.",
  }),
  qmtproutes: row<Routes>({
    parse: parseQmtproutes,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc: "As smtproutes, which it comes before, for relays that speak QMTP; port 209 unless another is said.",
  }),
  remoteport: row({
    parse: parsePort,
    default: 25,
    usedBy: ["qmail-rspawn"],
    doc: "Port of deliveries by MX; only a lab's network needs another.",
  }),
  smtproutes: row<Routes>({
    parse: parseSmtproutes,
    shown: maskPasswords,
    default: new Map(),
    usedBy: ["qmail-rspawn"],
    doc:
      'domain:relay[:port] instead of that domain\'s MX; ".domain" (or "*.domain") for all below it, "" (or "*") for all others, "!@" for mail from the null sender; no relay: an exception. Behind it "user password" or |user|password, told within TLS only, and words: tls=none, may, encrypt, verify or dane; name= and fingerprint= of the certificate; protocol=lmtp or qmtp. Port 465 means TLS from the first octet on.',
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
} as const;
