import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qmail-queue's grant: the folders new mail passes through, its lock, and qmail-send's ear. */
function permissions({ home }: Config): Grant {
  const places = ["pid", "mess", "intd", "todo", "options", "journal"].map((dir) => home.queue(dir));
  const write = [...places, home.queue("lock", "queuemutex")];
  const read = [...places, ...controlPaths(home, controlFilesOf("qmail-queue"))];
  return { read, write, serves: ["qmail-queue", "queue-status"], calls: ["qmail-send"] };
}

export const manifest: Manifest = {
  name: "qmail-queue",
  job: "sole writer of new mail",
  account: "qmailq",
  startedBy: "supervisor",
  startsFirst: true,
  stopOrder: 4,
  permissions,
};
