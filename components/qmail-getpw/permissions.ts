import { join } from "@std/path";
import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** qmail-getpw's grant: it reads who there is, sees whose the homes are and which `.qmail` files they have, and answers. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: [
      home.users("passwd"),
      home.users("cdb"),
      join(home.dir, "alias"),
      ...(controls.systemusers ? ["/etc/passwd", ...controls.userhomes] : []),
      ...controlPaths(home, controlFilesOf("qmail-getpw")),
    ],
    serves: ["qmail-getpw"],
  };
}

export const manifest: Manifest = {
  name: "qmail-getpw",
  job: "says whose mailbox an address is",
  account: "qmailp",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 5,
  permissions,
};
