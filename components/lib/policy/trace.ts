/**
 * A policy that tells what each of its rules said and asked, for `deno task explain`.
 * @module
 */
import type { Rules, Step } from "./compile.ts";
import type { Policy } from "./decision.ts";
import type { Oracles, Soon } from "./oracles.ts";
import type { RuleName } from "./order_file.ts";
import { policyOf } from "./policy.ts";
import { type Asked, type Finding, soon, type Stage } from "./rule.ts";

/** One rule's word at one stage. */
export interface TraceEntry {
  readonly stage: Stage;
  readonly rule: RuleName;
  readonly finding: Finding;
  /** What it asked, and the answers, for people. */
  readonly asked: readonly string[];
}

/**
 * The policy of {@link policyOf}; `onEntry` is told of each rule in the order they are asked. What it answers stands in the
 * place of the rule's own finding.
 */
export function tracedPolicyOf(rules: Rules, oracles: Oracles, onEntry: (entry: TraceEntry) => Finding): Policy {
  const traced = <S extends Stage>(stage: S): Step<Asked[S]>[] =>
    rules.steps[stage].map(({ rule, judge }) => ({
      rule,
      judge: (question) => {
        const asked: string[] = [];
        const finding = judge(question, listening(oracles, (line) => asked.push(line)));
        return soon(finding, (known) => onEntry({ stage, rule, finding: known, asked }));
      },
    }));
  const steps = {
    connect: traced("connect"),
    helo: traced("helo"),
    auth: traced("auth"),
    mail: traced("mail"),
    rcpt: traced("rcpt"),
    data: traced("data"),
  };
  return policyOf({ ...rules, steps }, oracles);
}

function listening(oracles: Oracles, say: (line: string) => void): Oracles {
  const heard = <T>(question: string, answer: Soon<T>): Soon<T> =>
    soon(answer, (known) => {
      say(`${question}: ${typeof known === "object" ? JSON.stringify(known) : known}`);
      return known;
    });
  return {
    mailbox: (address) => heard(`mailbox ${address}`, oracles.mailbox(address)),
    dns: (name, type) => heard(`${type} of ${name}`, oracles.dns(name, type)),
    greylist: (triplet) => heard("greylist", oracles.greylist(triplet)),
    count: (count) => heard(`count of ${count.key}, ${count.limit} in ${count.perSeconds} s`, oracles.count(count)),
    rcptcheck: (environment) => heard("RCPTCHECK's exit code", oracles.rcptcheck(environment)),
    spp: (stage, environment) => heard(`plug-ins of [${stage}]`, oracles.spp(stage, environment)),
  };
}
