import { schema } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** Components the supervisor starts, in no order. */
export const supervised = [
  "qmail-smtpd",
  "qmail-qmtpd",
  "qmail-qmqpd",
  "qmail-queue",
  "qmail-send",
  "qmail-clean",
  "qmail-getpw",
  "qmail-lspawn",
  "qmail-rspawn",
  "qmail-remote",
  "qmail-popup",
  "qmail-pop3d",
  "qmail-pop3spawn",
  "resolver",
  "auth",
  "tally",
  "hooks",
  "admin",
] as const;

/** The supervisor's grant: it reads the configuration, writes the grants into scripts and starts the launchers of them. */
function permissions({ home }: Config): Grant {
  const grants = home.libexec("grants");
  return {
    read: [...controlPaths(home, Object.keys(schema)), "/etc/resolv.conf", "/etc/passwd", grants],
    write: [grants],
    serves: ["supervisor", "supervisor-status"],
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
