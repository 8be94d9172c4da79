import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

const name = "qmail-pop3spawn";

/** qmail-pop3spawn's grant: it starts one program, qmail-pop3d's launcher, and reads no mailbox. */
function permissions({ home }: Config): Grant {
  return {
    read: controlPaths(home, controlFilesOf(name)),
    serves: [name],
    calls: ["auth-tickets", "qmail-getpw"],
    run: [home.libexec("launch", "qmail-pop3d")],
  };
}

export const manifest: Manifest = {
  name,
  job: "has mailboxes that are not vmail's read by a qmail-pop3d of their owner's",
  account: "root",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 3,
  permissions,
  neededWhen: ({ controls }) => controls.listeners.some(({ service }) => service === "pop3" || service === "pop3s"),
  neededWords: "a listener of pop3 or pop3s is there",
};
