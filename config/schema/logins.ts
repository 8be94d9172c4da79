/** Logins, and the mailboxes they open. @module */
import { parseCheckpassword } from "../../components/lib/sasl/checkpassword_file.ts";
import { defaultMechanisms, parseSmtpauth } from "../../components/lib/sasl/offered.ts";
import { parseFlag, parseWholeNumber } from "../values.ts";
import { row } from "./row.ts";

export const logins = {
  checkpassword: row({
    parse: parseCheckpassword,
    default: [],
    defaultText: "none: users/passwd is asked",
    usedBy: ["auth", "qmail-smtpd", "qmail-popup"],
    doc:
      "Program, by its absolute path, that says whether a password is right (qmail's checkpassword interface, descriptor 3), and its arguments. It runs as qmailp. With it SCRAM is not on offer.",
  }),
  concurrencypop3: row({
    parse: parseWholeNumber("connections", 1, 100_000),
    default: 200,
    usedBy: ["qmail-popup"],
    doc:
      "POP3 connections at once; as many as half of them from one address (IPv6: from one network of 64 bits). A twentieth more is kept for clients that have logged in lately.",
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
  smtpauth: row({
    parse: parseSmtpauth,
    default: defaultMechanisms,
    defaultText: "scram-sha-256 plain login",
    usedBy: ["auth", "qmail-smtpd", "qmail-popup"],
    doc:
      "Mechanisms of AUTH on submission, submissions, pop3 and pop3s (POP3's USER and PASS stand for plain): words of scram-sha-256, scram-sha-256-plus (over TLS, bound to its certificate; clients with GNU SASL, as mutt, cannot, and then log in by nothing else), cram-md5 (only for users whose password is kept as it is), plain, login; or off.",
  }),
  timeoutpop3d: row({
    parse: parseWholeNumber("seconds", 1),
    default: 1200,
    usedBy: ["qmail-popup"],
    doc:
      "Limit of each wait for a POP3 client: for a whole command, or for what it was sent to be read. RFC 1939 asks for 600 at least.",
  }),
} as const;
