import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qmail-send's grant: its own folders and lock; todo and mess to read (mess for the copy in a bounce). */
function permissions({ home }: Config): Grant {
  const own = ["info", "local", "remote", "bounce"].map((dir) => home.queue(dir));
  return {
    read: [...own, home.queue("todo"), home.queue("mess"), ...controlPaths(home, controlFilesOf("qmail-send"))],
    write: [...own, home.queue("lock", "sendmutex")],
    serves: ["qmail-send", "send-status"],
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
