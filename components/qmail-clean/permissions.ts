import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/**
 * qmail-clean's grant: it unlinks in four folders (Deno asks for read as well to unlink one's own file: not here), and
 * looks whether there is something in one of them.
 */
function permissions({ home }: Config): Grant {
  return {
    read: [home.queue("options")],
    write: ["mess", "intd", "todo", "options"].map((dir) => home.queue(dir)),
    serves: ["qmail-clean"],
  };
}

export const manifest: Manifest = {
  name: "qmail-clean",
  job: "removes finished mail on qmail-send's word",
  account: "qmailq",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 4,
  permissions,
};
