/**
 * control/policy: which rules a server asks, and in which order. A rule is asked at the stages it has something to say at;
 * among those of one stage the order is this one, and the first refusal is the answer.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { err, ok } from "../result.ts";
import { listLines } from "./list_lines.ts";

/**
 * All rules, in the order that is the default. Patience comes first, as its delays are for refusals too; what costs
 * nothing comes before what asks another process, and a mailbox is looked for before anything is remembered of a message.
 */
export const ruleNames = [
  "greetdelay",
  "tarpit",
  "brtlimit",
  "maxrcpt",
  "spp",
  "login",
  "senderlogin",
  "badmailfrom",
  "badhelo",
  "relaytest",
  "relay",
  "badrcptto",
  "nullsender",
  "helocheck",
  "mfdnscheck",
  "dnsbl",
  "mailbox",
  "rcptcheck",
  "greylist",
  "ratelimit",
] as const;
export type RuleName = (typeof ruleNames)[number];

/**
 * One rule's name a line, in the order they are asked. A rule that is not there, or has a "-" in front, is not asked; all
 * but `relay` may be left out, as who forgets that one has an open relay.
 */
export const parsePolicyOrder: Parse<readonly RuleName[]> = (text) => {
  const order: RuleName[] = [];
  const seen = new Set<string>();
  for (const line of listLines(text)) {
    const isOff = line.startsWith("-");
    const name = ruleNames.find((one) => one === (isOff ? line.slice(1) : line));
    if (name === undefined) {
      return err(`expected one rule a line, of ${ruleNames.join(", ")}, got ${JSON.stringify(line)}`);
    }
    if (seen.has(name)) return err(`expected each rule once, got ${JSON.stringify(name)} again`);
    seen.add(name);
    if (!isOff) order.push(name);
  }
  if (!order.includes("relay")) return err('expected a line "relay": without it everyone may relay');
  return ok(order);
};
