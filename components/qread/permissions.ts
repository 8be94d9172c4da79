import { type Config, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qread's grant: it reads the queue, and answers. */
function permissions({ home }: Config): Grant {
  return {
    read: ["info", "local", "remote", "bounce", "mess", "todo", "journal"].map((dir) => home.queue(dir)),
    serves: ["qread"],
  };
}

export const manifest: Manifest = {
  name: "qread",
  job: "lists the queue for admin, sorted and filtered, and shows what a message says",
  account: "qmails",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 1,
  permissions,
  neededWhen: ({ controls }) => controls.listeners.some(({ service }) => service === "admin"),
  neededWords: "a listener of admin is there",
};
