import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** tlsrpt's grant: its folder and control files, the way into the queue, and the resolver. */
function permissions({ home }: Config): Grant {
  return {
    read: [...controlPaths(home, ["me", "tlsrpt", "tlsrptfrom"]), home.tlsrpt()],
    write: [home.tlsrpt()],
    serves: ["tlsrpt"],
    calls: ["qmail-queue", "resolver"],
    // Said of it in the Received field of a report.
    sys: ["uid"],
  };
}

export const manifest: Manifest = {
  name: "tlsrpt",
  job: "counts how TLS went, and sends other domains the report of each day",
  account: "qmaill",
  startedBy: "supervisor",
  stopOrder: 4,
  permissions,
  neededWhen: ({ controls }) => controls.tlsrpt,
  neededWords: "tlsrpt is 1",
};
