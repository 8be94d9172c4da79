/**
 * qmail-remote's grant: no file at all, no program, and of the network only the ports mail goes to. Deno's flags know no
 * networks of IPv6, so IPv6 is granted only to relays that control/smtproutes names by address.
 * @module
 */
import { isAddress } from "../../config/values.ts";
import { type Config, type Grant, type Manifest, netAddress } from "../lib/permissions/grant.ts";

function permissions({ controls }: Config): Grant {
  const relays = [...controls.smtproutes.values()].filter((route) => route !== undefined);
  const anywhere = "0.0.0.0/0";
  return {
    connect: [
      netAddress({ host: anywhere, port: controls.remoteport }),
      ...relays.map(({ host, port }) => netAddress({ host: isAddress(host) ? host : anywhere, port })),
    ],
    serves: ["qmail-remote", "remote-status"],
    calls: ["resolver"],
    // Whether an MX is this machine itself.
    sys: ["networkInterfaces"],
  };
}

/** What the supervisor, the unit generator and the tests know about qmail-remote. */
export const manifest: Manifest = {
  name: "qmail-remote",
  job: "SMTP client: sends messages to other hosts",
  account: "qmailr",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
};
