import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** What the one for virtual mailboxes may touch, and whom it asks whose one is. No control file, no network. */
function permissions({ home }: Config): Grant {
  return {
    read: [home.mail()],
    write: [home.mail()],
    serves: ["qmail-pop3d"],
    calls: ["auth-tickets", "qmail-getpw"],
  };
}

/**
 * What one of an owner may touch (an account of the system, or a virtual mailbox whose home is not below mail/): that one
 * Maildir. It talks with nobody but who started it.
 */
function ofOwner(_config: Config, userHome: string): Grant {
  const maildir = `${userHome}/Maildir`;
  return { read: [maildir], write: [maildir] };
}

export const manifest: Manifest = {
  name: "qmail-pop3d",
  job: "reads mailboxes for those who have logged in",
  account: "vmail",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 3,
  permissions,
  forHome: { owner: ofOwner },
  neededWhen: ({ controls }) => controls.listeners.some(({ service }) => service === "pop3" || service === "pop3s"),
  neededWords: "a listener of pop3 or pop3s is there",
};
