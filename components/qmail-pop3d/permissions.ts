import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** qmail-pop3d's grant: the virtual mailboxes, and whom it asks whose one is. No control file, no network. */
function permissions({ home }: Config): Grant {
  return {
    read: [home.mail()],
    write: [home.mail()],
    serves: ["qmail-pop3d"],
    calls: ["auth-tickets", "qmail-getpw"],
  };
}

export const manifest: Manifest = {
  name: "qmail-pop3d",
  job: "reads mailboxes for those who have logged in",
  account: "vmail",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
  neededWhen: ({ controls }) => controls.listeners.some(({ service }) => service === "pop3" || service === "pop3s"),
  neededWords: "a listener of pop3 or pop3s is there",
};
