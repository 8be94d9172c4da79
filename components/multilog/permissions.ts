import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** multilog's grant: its folder, its control files, its socket. */
function permissions({ home }: Config): Grant {
  return {
    read: [...controlPaths(home, ["logbytes", "logfiles"]), home.log()],
    write: [home.log()],
    serves: ["multilog"],
  };
}

export const manifest: Manifest = {
  name: "multilog",
  job: "keeps the log in files, and finds in it what became of a message",
  account: "qmaill",
  startedBy: "supervisor",
  // After all whose lines it keeps.
  stopOrder: 6,
  permissions,
  neededWhen: ({ controls }) => controls.logfiles > 0,
  neededWords: "logfiles is not 0",
};
