import type { SocketName } from "../../config/home.ts";
import { socketsForWays } from "../lib/filters/chain.ts";
import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";
import { isOwnPath } from "../lib/permissions/rule.ts";
import { parseLmtpSocket } from "../lib/smtp/lmtp_socket.ts";

/**
 * The LMTP server's socket that control/defaultdelivery names. One among the mail server's own sockets and files is not
 * granted, whatever the file says: there is no LMTP server, and some of them take orders.
 */
function lmtpSockets({ home, controls }: Config): readonly string[] {
  const socket = parseLmtpSocket(controls.defaultdelivery);
  return socket.ok && socket.value !== undefined && !isOwnPath(socket.value, home) ? [socket.value] : [];
}

/** Whom forwarded mail goes to first; and who says from whom it is sent on, where SRS has a domain. */
function forwardsTo({ controls }: Config): readonly SocketName[] {
  const srs: readonly SocketName[] = controls.srsdomain === "" ? [] : ["qmail-getpw"];
  return [...socketsForWays(controls.filters, ["forward"]), ...srs];
}

/** What one for virtual mailboxes may touch: their folder. Nothing of the queue: the message comes over its input. */
function permissions(config: Config): Grant {
  const mail = config.home.mail();
  return { read: [mail], write: [mail], calls: forwardsTo(config), callsPaths: lmtpSockets(config) };
}

/**
 * What one for an account may touch: that account's home. Where the home holds the mail server's (an ordinary user
 * started it in his own), the server's files are kept out.
 */
function ofAccount(config: Config, userHome: string): Grant {
  const { home } = config;
  const ours = ["control", "queue", "users", "libexec", "mail", "bin"].map((folder) => `${home.dir}/${folder}`);
  return { read: [userHome], write: [userHome], calls: forwardsTo(config), except: ours };
}

export const manifest: Manifest = {
  name: "qmail-local",
  job: "writes into a mailbox, as its owner",
  account: "vmail",
  startedBy: "qmail-lspawn",
  stopOrder: 3,
  permissions,
  forHome: {
    /** A virtual mailbox whose home lies elsewhere. */
    mailbox: (config, userHome) => ({ ...ofAccount(config, userHome), callsPaths: lmtpSockets(config) }),
    account: ofAccount,
    programs: (config, userHome) => {
      const grant = ofAccount(config, userHome);
      return { ...grant, run: [config.home.libexec("launch", "program")] };
    },
  },
};
