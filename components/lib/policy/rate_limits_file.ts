/**
 * control/ratelimits: how much of what is taken in what time.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { err, ok } from "../result.ts";
import { listLines } from "./list_lines.ts";

export interface RateLimit {
  /** `client`: an address that may not relay and has not logged in; `sender`: a reverse-path; `login`. */
  readonly who: "client" | "sender" | "login";
  readonly what: "connections" | "messages" | "recipients";
  readonly limit: number;
  readonly perSeconds: number;
}

const seconds: ReadonlyMap<string, number> = new Map([["s", 1], ["m", 60], ["h", 3600], ["d", 86_400]]);

/** Seven days. */
const longestSeconds = 7 * 86_400;

/** Lines `who limit/time[ what]`: `client 100/h`, `login 50/10m recipients`; what is counted is messages by default. */
export const parseRateLimits: Parse<readonly RateLimit[]> = (text) => {
  const limits: RateLimit[] = [];
  for (const line of listLines(text)) {
    const match =
      /^(client|sender|login)[ \t]+([0-9]{1,9})\/([0-9]{0,6})([smhd])(?:[ \t]+(connections|messages|recipients))?$/
        .exec(line);
    const [, who, limit, count, unit, what = "messages"] = match ?? [];
    const perSeconds = Number(count || "1") * (seconds.get(unit ?? "") ?? 0);
    const hasSense = perSeconds >= 1 && perSeconds <= longestSeconds && (what !== "connections" || who === "client");
    if (match === null || !hasSense) {
      return err(
        'expected "who limit/time what" as in "client 100/h messages": client, sender or login, a time of s, m, h or d up to 7d, ' +
          `messages, recipients or (of clients) connections, got ${JSON.stringify(line)}`,
      );
    }
    limits.push({
      who: who as RateLimit["who"],
      what: what as RateLimit["what"],
      limit: Number(limit),
      perSeconds,
    });
  }
  return ok(limits);
};
