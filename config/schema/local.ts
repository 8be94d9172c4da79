/** Whose mail an address is, and what becomes of it here. @module */
import { maskSrsSecret, parseSrsSecret } from "../../components/lib/srs/secret_file.ts";
import { longestAgeDays } from "../../components/lib/srs/stamp.ts";
import { defaultUserHomes, parseUserHomes } from "../../components/lib/users/user_homes.ts";
import {
  parseDomain,
  parseDomains,
  parseFlag,
  parseInstructions,
  parseVirtualDomains,
  parseWholeNumber,
} from "../values.ts";
import { row } from "./row.ts";

export const local = {
  defaultdelivery: row({
    parse: parseInstructions,
    default: "./Maildir/",
    usedBy: ["qmail-lspawn"],
    doc:
      "Instructions for who has no .qmail file, written as in one (qmail-start's argument). Programs are for accounts; a virtual mailbox then gets ./Maildir/. lmtp:/path/of/socket as the only line: virtual mailboxes are delivered to the LMTP server there (Dovecot's, say), accounts to ./Maildir/.",
  }),
  envnoathost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc: "Domain of an envelope recipient without one.",
  }),
  locals: row({
    parse: parseDomains(false),
    fromMe: (me) => [me],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail", "admin"],
    doc: "Domains delivered here.",
  }),
  percenthack: row({
    parse: parseDomains(false),
    default: [],
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail"],
    doc: "Domains in which user%host stands for user@host.",
  }),
  programseconds: row({
    parse: parseWholeNumber("seconds", 1, 86_400),
    default: 900,
    usedBy: ["qmail-lspawn"],
    doc: "How long a program of a .qmail file may run before it is ended and its delivery tried again later.",
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
    usedBy: ["qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-getpw", "sendmail", "admin"],
    doc:
      "domain:prefix, user@domain:prefix, .domain:prefix, :prefix: delivered here as prefix-user@domain; empty prefix: an exception.",
  }),
} as const;
