/** Who looks at mail on its way in, and signs it. @module */
import { type Clamd, defaultClamd, parseClamd } from "../../components/lib/clamd/clamd_file.ts";
import { type DkimDomains, parseDkimDomains } from "../../components/lib/dkim/dkim_file.ts";
import { type Filters, parseCustomFilter, parseFilters } from "../../components/lib/filters/chain.ts";
import { defaultDmarcModes, type DmarcModes, parseDmarcModes } from "../../components/lib/mailauth/dmarc_file.ts";
import { type Milter, parseMilters } from "../../components/lib/milter/milters_file.ts";
import { parseReportFrom } from "../../components/lib/reports/from_file.ts";
import { defaultRspamd, parseRspamd } from "../../components/lib/rspamd/rspamd_file.ts";
import type { ScannerAddress } from "../../components/lib/scanners/address.ts";
import { parseDomain, parseFlag, parseOneOf, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const filters = {
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
  clamd: row<Clamd>({
    parse: parseClamd,
    default: defaultClamd,
    defaultText: "unix:/run/clamav/clamd.ctl",
    usedBy: ["clamd"],
    doc:
      "Where the clamd listens that the filter clamd asks: address:port or unix:/path; behind it toolarge=refuse, or toolarge=pass (the default), for what is larger than it takes.",
  }),
  customfilter: row({
    parse: parseCustomFilter,
    default: "",
    defaultText: "the sample",
    usedBy: ["custom"],
    doc: "The filter that custom in control/filters stands for: the absolute path of one file in TypeScript.",
  }),
  dkim: row<DkimDomains>({
    parse: parseDkimDomains,
    default: new Map(),
    usedBy: ["sign", "admin"],
    doc:
      'Who signs (filter sign), lines "domain: selector selector@YYYY-MM-DD ...": mail From that domain, and from those below it that have no line, is signed with the keys dkim/domain/selector.pem; of each algorithm the one whose day has come last (UTC). deno task dkim writes it.',
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
  milters: row<readonly Milter[]>({
    parse: parseMilters,
    default: [],
    usedBy: ["milter"],
    doc:
      'The milters that the filter milter asks, in order: address:port or unix:/path a line; "pass" behind one: mail goes on without it when it hangs or dies.',
  }),
  receivedspf: row({
    parse: parseFlag,
    default: false,
    usedBy: ["verify"],
    doc: "1: the filter verify adds a field Received-SPF, too (RFC 7208, section 9.1).",
  }),
  rspamd: row<ScannerAddress>({
    parse: parseRspamd,
    default: defaultRspamd,
    defaultText: "127.0.0.1:11333",
    usedBy: ["rspamd"],
    doc: "Where the rspamd listens (worker normal) that the filter rspamd asks: address:port or unix:/path.",
  }),
  spfbehavior: row({
    parse: parseWholeNumber("steps", 0, 6),
    default: 1,
    usedBy: ["verify"],
    doc:
      "What SPF of a stranger's sender stops, where the filter verify looks: 0 and 1: nothing, it is noted; 2: mail waits while the DNS does not answer; 3: a fail is refused as well; 4: a softfail; 5: neutral; 6: none, and what is in error.",
  }),
} as const;
