import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qmail-lspawn's grant: it reads messages and starts one program, qmail-local's launcher. */
function permissions({ home }: Config): Grant {
  return {
    read: [home.queue("mess"), home.queue("journal"), ...controlPaths(home, controlFilesOf("qmail-lspawn"))],
    serves: ["qmail-lspawn"],
    calls: ["qmail-getpw"],
    run: [home.libexec("launch", "qmail-local")],
  };
}

export const manifest: Manifest = {
  name: "qmail-lspawn",
  job: "finds the mailbox, hands the message to the right qmail-local",
  account: "root",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 3,
  permissions,
};
