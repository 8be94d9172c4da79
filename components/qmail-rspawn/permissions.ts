/**
 * qmail-rspawn's grant: it reads its control files and the messages, and speaks with nobody but qmail-send and
 * qmail-remote.
 * @module
 */
import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

const name = "qmail-rspawn";

function permissions({ home }: Config): Grant {
  return {
    read: [...controlPaths(home, controlFilesOf(name)), home.queue("mess"), home.queue("journal")],
    serves: [name],
    calls: ["qmail-remote"],
  };
}

/** What the supervisor, the unit generator and the tests know about qmail-rspawn. */
export const manifest: Manifest = {
  name,
  job: "routes remote deliveries and hands each message to qmail-remote",
  account: "qmailr",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 3,
  permissions,
};
