import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qmail-send's grant: its own folders and lock; todo and options to read, and mess and the journal for the copy in a bounce. */
function permissions({ home }: Config): Grant {
  const own = ["info", "local", "remote", "bounce", "delayed", "paused"].map((dir) => home.queue(dir));
  return {
    read: [
      ...own,
      ...["todo", "options", "mess", "journal"].map((dir) => home.queue(dir)),
      ...controlPaths(home, controlFilesOf("qmail-send")),
    ],
    write: [...own, home.queue("lock", "sendmutex")],
    serves: ["qmail-send", "send-status", "send-control"],
    calls: ["qmail-queue", "qmail-clean", "qmail-lspawn", "qmail-rspawn"],
  };
}

export const manifest: Manifest = {
  name: "qmail-send",
  job: "queue manager: schedules, retries, bounces, logs",
  account: "qmails",
  startedBy: "supervisor",
  stopOrder: 2,
  permissions,
};
