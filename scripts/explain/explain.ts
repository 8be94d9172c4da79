/**
 * What a server would say to one client's MAIL and RCPT, rule by rule.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { compilePolicy } from "../../components/lib/policy/compile.ts";
import type { ClientFacts, Decision, Entrance } from "../../components/lib/policy/decision.ts";
import { pass } from "../../components/lib/policy/rule.ts";
import { tracedPolicyOf, type TraceEntry } from "../../components/lib/policy/trace.ts";
import type { ForwardPath, ReversePath } from "../../components/lib/address/mailbox.ts";
import { Visitors } from "../../components/lib/server/visitors.ts";
import type { ExplainOracles } from "./oracles.ts";

/** What is to be explained. Octet strings. */
export interface Question {
  readonly from: ReversePath;
  readonly to: ForwardPath;
  readonly ip: string;
  readonly helo: string;
  readonly entrance: Entrance;
  readonly login: string | undefined;
}

/** One rule's word. */
export interface Said {
  readonly stage: string;
  readonly rule: string;
  /** `unknown`: it could not ask. */
  readonly said: "passes" | "refuses" | "unknown";
  /** Why it passes, the reply, or what could not be asked. */
  readonly text: string;
  readonly reason?: string;
  readonly asked: readonly string[];
}

export interface Explanation {
  readonly client: { readonly ip: string; readonly relaying: boolean; readonly environment: readonly string[] };
  readonly rules: readonly Said[];
  /** Rules that are not asked, and why. */
  readonly idle: readonly { readonly rule: string; readonly why: string }[];
  /** What could not be asked. */
  readonly unasked: readonly string[];
  /** `unsure`: so it would be, if those who could not be asked have nothing to say. */
  readonly answer: {
    readonly kind: "accept" | "refuse" | "unsure";
    readonly stage: string;
    /** As the client sees it; "" where the connection is closed without a word. */
    readonly reply: string;
    readonly rule?: string;
    readonly drops?: boolean;
    readonly delayMs?: number;
  };
}

/** Asks the rules of these control files. */
export async function explain(controls: Controls, question: Question, asking: ExplainOracles): Promise<Explanation> {
  const visitors = new Visitors(controls);
  const host = visitors.needHost ? await asking.hostOf(question.ip) : undefined;
  const visitor = visitors.named(question.ip, host);
  const client: ClientFacts = {
    entrance: question.entrance,
    ip: visitor.ip,
    relaying: visitor.relaying || visitor.environment.has("RELAYCLIENT"),
    environment: visitor.environment,
    helo: question.helo,
    tls: question.entrance === "submissions",
    login: question.login,
    stress: false,
  };
  const rules = compilePolicy(controls, { plugins: new Set(controls.smtpplugins.keys()) });
  const said: Said[] = [];
  let notAsked = asking.unasked.length;
  const policy = tracedPolicyOf(rules, asking.oracles, (entry) => {
    const missing = asking.unasked.slice(notAsked);
    notAsked = asking.unasked.length;
    if (missing.length === 0) {
      said.push(saidBy(entry));
      return entry.finding;
    }
    const { stage, rule } = entry;
    said.push({ stage, rule, said: "unknown", text: missing.join("; "), asked: [] });
    return pass("it could not ask");
  });
  const mail = { sender: question.from, accepted: 0, refused: 0 };
  const accepted: Decision = { kind: "accept", address: "" };
  const stages: readonly [string, () => Decision | Promise<Decision>][] = [
    ["connect", () => policy.connect(client)],
    ["helo", () => policy.helo(client)],
    ["auth", () => (client.login === undefined ? undefined : policy.auth?.(client, "PLAIN")) ?? accepted],
    ["mail", () => policy.mail(client, question.from, [])],
    ["rcpt", () => policy.rcpt(client, mail, question.to)],
    ["data", () => policy.data?.(client, { ...mail, accepted: 1 }) ?? accepted],
  ];
  const isKnown = asking.unasked.length === 0;
  const answer: Explanation["answer"] = visitor.denied
    ? { kind: "refuse", stage: "connect", reply: "", rule: "tcp.smtp", drops: true }
    : await answerOf(stages, said, asking);
  return {
    client: {
      ip: client.ip,
      relaying: client.relaying,
      environment: [...client.environment].map(([name, value]) => `${name}=${value}`),
    },
    rules: said,
    idle: [...rules.idle].map(([rule, why]) => ({ rule, why })),
    unasked: [...new Set(asking.unasked)],
    // Without the client's name another line of tcp.smtp may be its own.
    answer: isKnown ? answer : { ...answer, kind: "unsure" },
  };
}

async function answerOf(
  stages: readonly [string, () => Decision | Promise<Decision>][],
  said: readonly Said[],
  asking: ExplainOracles,
): Promise<Explanation["answer"]> {
  for (const [stage, decide] of stages) {
    const decision = await decide();
    if (decision.kind === "accept") continue;
    const { reply, drop, delayMs } = decision;
    return {
      kind: "refuse",
      stage,
      reply,
      rule: said.at(-1)!.rule,
      ...(drop === true ? { drops: true } : {}),
      ...(delayMs === undefined ? {} : { delayMs }),
    };
  }
  return { kind: asking.unasked.length === 0 ? "accept" : "unsure", stage: "rcpt", reply: "250 2.1.5 ok" };
}

function saidBy({ stage, rule, finding, asked }: TraceEntry): Said {
  if (finding.kind === "pass") return { stage, rule, said: "passes", text: finding.why, asked };
  return { stage, rule, said: "refuses", text: finding.reply, reason: finding.reason, asked };
}
