/**
 * Makes the rules of the control files: those that have something to do, by stage, in the order of control/policy.
 * @module
 */
import { type Ground, groundOf } from "./ground.ts";
import { type RuleName, ruleNames } from "./order_file.ts";
import type { Asked, Judge, PolicyControls, PolicyOptions, Rule, Stage } from "./rule.ts";
import { badhelo, badmailfrom, badrcptto } from "./rules/bad_lists.ts";
import { dnsbl, helocheck, mfdnscheck } from "./rules/dns.ts";
import { login, senderlogin } from "./rules/login.ts";
import { nullsender } from "./rules/null_sender.ts";
import { brtlimit, greetdelay, maxrcpt, tarpit } from "./rules/patience.ts";
import { rcptcheck, spp } from "./rules/programs.ts";
import { mailbox, relay, relaytest } from "./rules/relay.ts";
import { greylist, ratelimit } from "./rules/tallied.ts";

/** One rule at one stage. */
export interface Step<A> {
  readonly rule: RuleName;
  readonly judge: Judge<A>;
}

export type Steps = { readonly [S in Stage]: readonly Step<Asked[S]>[] };

/** The control files as a policy needs them; made once per reading of them. */
export interface Rules {
  readonly ground: Ground;
  readonly steps: Steps;
  /** The rules that are not asked, and why. */
  readonly idle: ReadonlyMap<RuleName, string>;
}

const rules: Readonly<Record<RuleName, Rule>> = {
  badhelo,
  badmailfrom,
  badrcptto,
  brtlimit,
  dnsbl,
  greetdelay,
  greylist,
  helocheck,
  login,
  mailbox,
  maxrcpt,
  mfdnscheck,
  nullsender,
  ratelimit,
  rcptcheck,
  relay,
  relaytest,
  senderlogin,
  spp,
  tarpit,
};

/** Prepares the control files. */
export function compilePolicy(controls: PolicyControls, options: PolicyOptions = {}): Rules {
  const ground = groundOf(controls, options);
  const steps: { [S in Stage]: Step<Asked[S]>[] } = { connect: [], helo: [], auth: [], mail: [], rcpt: [], data: [] };
  const idle = new Map<RuleName, string>();
  for (const rule of controls.policy) {
    const judges = rules[rule](ground);
    if (typeof judges === "string") {
      idle.set(rule, judges);
      continue;
    }
    if (judges.connect !== undefined) steps.connect.push({ rule, judge: judges.connect });
    if (judges.helo !== undefined) steps.helo.push({ rule, judge: judges.helo });
    if (judges.auth !== undefined) steps.auth.push({ rule, judge: judges.auth });
    if (judges.mail !== undefined) steps.mail.push({ rule, judge: judges.mail });
    if (judges.rcpt !== undefined) steps.rcpt.push({ rule, judge: judges.rcpt });
    if (judges.data !== undefined) steps.data.push({ rule, judge: judges.data });
  }
  for (const rule of ruleNames) if (!controls.policy.includes(rule)) idle.set(rule, "not in control/policy");
  return { ground, steps, idle };
}
