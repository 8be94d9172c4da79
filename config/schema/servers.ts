/** What every server keeps to, whoever the client is. @module */
import { parseTcpSmtp, parseTcpSmtpCdb } from "../../components/lib/tcprules/control_files.ts";
import type { TcpRules } from "../../components/lib/tcprules/tcp_rules.ts";
import { parseDomain, parseFlag, parseLine, parseNetworks, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const servers = {
  concurrencyincoming: row({
    parse: parseWholeNumber("connections", 1, 100_000),
    default: 1000,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc:
      "SMTP connections at once (tcpserver's -c). With more than four fifths of them taken, strangers get less patience; a twentieth more is kept for those who may relay and those whose mail was accepted lately.",
  }),
  concurrencyperclient: row({
    parse: parseWholeNumber("connections"),
    default: 100,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc:
      "Connections at once from one address (IPv6: from one network of 64 bits) that may not relay; 0 means no limit but concurrencyincoming.",
  }),
  databytes: row({
    parse: parseWholeNumber("bytes"),
    default: 0,
    usedBy: ["qmail-smtpd", "qmail-qmtpd"],
    doc: "Largest message accepted over SMTP, after CRLF became LF; 0 means no limit.",
  }),
  hideclient: row({
    parse: parseFlag,
    default: false,
    usedBy: ["qmail-smtpd"],
    doc: "1: the Received field of mail from who has logged in does not say from where it came.",
  }),
  localiphost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-smtpd"],
    doc:
      "The domain that an address in brackets stands for, in MAIL and RCPT, where it is the one the client has come to.",
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
  smtpdprocesses: row({
    parse: parseWholeNumber("processes", 1, 64),
    default: 1,
    usedBy: ["qmail-smtpd"],
    doc:
      "Processes of qmail-smtpd that share its ports; each has its part of concurrencyincoming and concurrencyperclient.",
  }),
  smtpgreeting: row({
    parse: parseLine,
    fromMe: (me) => me,
    usedBy: ["qmail-smtpd"],
    doc: "Text of the 220, HELO and 221 replies; begins with the host name.",
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
  timeoutsmtpd: row({
    parse: parseWholeNumber("seconds", 1),
    default: 1200,
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd"],
    doc: "Limit of each wait for an SMTP client.",
  }),
  tlsserverciphers: row({
    parse: parseLine,
    default: "",
    defaultText: "all that the TLS library has",
    usedBy: ["qmail-smtpd", "qmail-qmtpd", "qmail-popup"],
    doc:
      "OpenSSL's words for the ciphers of TLS 1.2 (TLS 1.3 has its own). Words that admit none of those there are switch TLS 1.2 off; Deno can leave out no single one.",
  }),
  xclients: row({
    parse: parseNetworks,
    default: [],
    usedBy: ["qmail-smtpd"],
    doc: "Addresses and networks whose clients may say with XCLIENT for whom they speak.",
  }),
} as const;
