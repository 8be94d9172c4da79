import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** What one for virtual mailboxes may touch: their folder. Nothing of the queue: the message comes over its input. */
function permissions({ home }: Config): Grant {
  return { read: [home.mail()], write: [home.mail()], calls: ["qmail-queue"] };
}

/**
 * What one for an account may touch: that account's home. Where the home holds the mail server's (an ordinary user
 * started it in his own), the server's files are kept out.
 */
function ofAccount({ home }: Config, userHome: string): Grant {
  const ours = ["control", "queue", "users", "libexec", "mail", "bin"].map((folder) => `${home.dir}/${folder}`);
  return { read: [userHome], write: [userHome], calls: ["qmail-queue"], except: ours };
}

export const manifest: Manifest = {
  name: "qmail-local",
  job: "writes into a mailbox, as its owner",
  account: "vmail",
  startedBy: "qmail-lspawn",
  stopOrder: 3,
  permissions,
  forHome: {
    account: ofAccount,
    programs: (config, userHome) => {
      const grant = ofAccount(config, userHome);
      return { ...grant, run: [config.home.libexec("launch", "program")] };
    },
  },
};
