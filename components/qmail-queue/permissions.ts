import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** qmail-queue's grant: the folders new mail passes through, its lock, and qmail-send's ear. */
function permissions({ home }: Config): Grant {
  const places = ["pid", "mess", "intd", "todo"].map((dir) => home.queue(dir));
  const write = [...places, home.queue("lock", "queuemutex")];
  return { read: places, write, serves: ["qmail-queue", "queue-status"], calls: ["qmail-send"] };
}

export const manifest: Manifest = {
  name: "qmail-queue",
  job: "sole writer of new mail",
  account: "qmailq",
  startedBy: "supervisor",
  stopOrder: 4,
  permissions,
};
