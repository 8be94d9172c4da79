import type { Config, Grant, Manifest } from "../lib/permissions/grant.ts";

/** Whether a rule asks it: one that control/policy leaves out asks nobody. */
function neededWhen({ controls: { policy, greylist, ratelimits } }: Config): boolean {
  return policy.includes("greylist") && greylist > 0 || policy.includes("ratelimit") && ratelimits.length > 0;
}

/** tally's grant: its folder and its socket. What lies there says nothing of a message but that somebody sent one. */
function permissions({ home }: Config): Grant {
  return { read: [home.tally()], write: [home.tally()], serves: ["tally"] };
}

export const manifest: Manifest = {
  name: "tally",
  job: "remembers for greylisting who has come back, and counts for rate limits",
  account: "qmaill",
  startedBy: "supervisor",
  stopOrder: 5,
  permissions,
  neededWhen,
  neededWords: "greylist or ratelimits is set, and in policy",
};
