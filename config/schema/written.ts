/** Mail that is written on this host. @module */
import { parseDomain, parseServers } from "../values.ts";
import { row } from "./row.ts";

export const written = {
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
  idhost: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Host in the Message-ID of mail that is written here.",
  }),
  plusdomain: row({
    parse: parseDomain,
    fromMe: (me) => me,
    usedBy: ["qmail-inject", "sendmail", "mailsubj"],
    doc: "Replaces the + at the end of a host name, in mail that is written here.",
  }),
  qmqpservers: row({
    parse: parseServers(628),
    default: [],
    defaultText: "none: qmail-qmqpc queues nothing",
    usedBy: ["qmail-qmqpc"],
    doc:
      "Whom qmail-qmqpc hands mail to, in this order: address or address:port a line. The program is granted these at a start.",
  }),
} as const;
