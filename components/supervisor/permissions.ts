import { schema } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** Components the supervisor starts, in no order. */
export const supervised = [
  "multilog",
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
  "qread",
  "admin",
] as const;

/** Where those ask that have no flags. */
export const brokerNames = ["dial6-permissions"] as const;

/**
 * The grant of what writes the grants where systemd starts the components: the supervisor's, without the launchers and
 * the sockets.
 */
export function writingGrant(config: Config): Grant {
  const { read, write, sys } = permissions(config);
  return { read: read!, write: write!, sys: sys! };
}

/** The grant of what answers there for the supervisor: it writes no grant, and runs what asks systemd. */
export function answeringGrant(config: Config): Grant {
  const { home } = config;
  const { read, serves, sys } = permissions(config);
  return {
    read: read!.filter((path) => path !== home.libexec("grants")),
    serves: serves!,
    sys: sys!,
    run: [home.libexec("launch", "unit-states")],
  };
}

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
