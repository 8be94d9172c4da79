import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** qmail-local's grant: the folder of virtual mailboxes. Nothing of the queue: the message comes over its input. */
function permissions({ home }: Config): Grant {
  return { read: [home.mail()], write: [home.mail()] };
}

export const manifest: Manifest = {
  name: "qmail-local",
  job: "writes into a mailbox, as its owner",
  account: "vmail",
  startedBy: "qmail-lspawn",
  stopOrder: 3,
  permissions,
};
