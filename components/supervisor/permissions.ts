import { schema } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** Components the supervisor starts, in no order. */
export const supervised = [
  "qmail-smtpd",
  "qmail-qmtpd",
  "qmail-qmqpd",
  "verify",
  "sign",
  "qmail-queue",
  "qmail-send",
  "qmail-clean",
  "qmail-getpw",
  "qmail-lspawn",
  "qmail-rspawn",
  "qmail-remote",
  "dial6",
  "qmail-popup",
  "qmail-pop3d",
  "qmail-pop3spawn",
  "resolver",
  "auth",
  "mta-sts",
  "tally",
  "tlsrpt",
  "dmarcrpt",
  "rspamd",
  "clamd",
  "milter",
  "hooks",
  "custom",
  "admin",
] as const;

/** Where those ask that have no flags. */
export const brokerNames = ["dial6-permissions"] as const;

/** The supervisor's grant: it reads the configuration, writes the grants into scripts and starts the launchers of them. */
function permissions({ home }: Config): Grant {
  const grants = home.libexec("grants");
  return {
    read: [...controlPaths(home, Object.keys(schema)), "/etc/resolv.conf", "/etc/passwd", grants],
    write: [grants],
    serves: ["supervisor", "supervisor-status", ...brokerNames],
    // Whether there is an address of the Internet's IPv6 among them.
    sys: ["networkInterfaces"],
    run: supervised.map((name) => home.libexec("launch", name)),
  };
}

export const manifest: Manifest = {
  name: "supervisor",
  job: "starts, watches and restarts the others with their grants",
  account: "root",
  startedBy: "start",
  stopOrder: 9,
  permissions,
};
