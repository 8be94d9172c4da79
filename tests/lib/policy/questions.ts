/**
 * A policy to be asked in a test: control files as texts, oracles from tables, and MAIL and RCPT as a client writes them.
 * @module
 */
import { defaultControls } from "../../../scripts/home/default_config.ts";
import { type ControlFile, type Controls, type Row, schema } from "../../../config/schema.ts";
import { parseForwardPath, parseReversePath } from "../../../components/lib/address/parse_path.ts";
import { compilePolicy } from "../../../components/lib/policy/compile.ts";
import type { ClientFacts, Decision, MailFacts, Policy } from "../../../components/lib/policy/decision.ts";
import type {
  Count,
  CountAnswer,
  DnsAnswer,
  GreylistAnswer,
  HookEnvironment,
  MailboxAnswer,
  Oracles,
  PluginAnswer,
  PluginStage,
  RcptcheckAnswer,
  Soon,
  Triplet,
} from "../../../components/lib/policy/oracles.ts";
import { policyOf } from "../../../components/lib/policy/policy.ts";
import type { PolicyOptions } from "../../../components/lib/policy/rule.ts";

/** The defaults for mx.example.com, and these files' texts; throws for a malformed one. */
export function controlsOf(texts: Readonly<Partial<Record<ControlFile, string>>> = {}): Controls {
  const values = Object.entries({ rcpthosts: "example.com\n", locals: "example.com\nmx.example.com\n", ...texts })
    .map(([file, text]) => {
      const parsed = (schema[file as ControlFile] as Row<unknown>).parse(text);
      if (!parsed.ok) throw new Error(`${file}: ${parsed.error}`);
      return [file, parsed.value] as const;
    });
  return { ...defaultControls("mx.example.com"), ...Object.fromEntries(values) };
}

export interface Answers {
  readonly mailbox?: (address: string) => Soon<MailboxAnswer>;
  /** By `name TYPE`; what is not there is "none", `undefined` a failure. */
  readonly dns?: Readonly<Record<string, readonly string[] | undefined>>;
  readonly greylist?: (triplet: Triplet) => Soon<GreylistAnswer>;
  readonly count?: (count: Count) => Soon<CountAnswer>;
  readonly rcptcheck?: (environment: HookEnvironment) => Soon<RcptcheckAnswer>;
  readonly spp?: (stage: PluginStage, environment: HookEnvironment) => Soon<PluginAnswer>;
}

/** Oracles; `asked` gets a line for every question. Whatever is not answered says what lets mail through. */
export function oraclesOf(answers: Answers, asked: string[] = []): Oracles {
  const dns = new Map(Object.entries(answers.dns ?? {}));
  return {
    mailbox: (address) => {
      asked.push(`mailbox ${address}`);
      return answers.mailbox?.(address) ?? "exists";
    },
    dns: (name, type): DnsAnswer => {
      const key = `${name} ${type}`;
      asked.push(`dns ${key}`);
      if (!dns.has(key)) return { kind: "none" };
      const values = dns.get(key);
      return values === undefined
        ? { kind: "failure" }
        : { kind: "answers", records: values.map((value) => ({ value })) };
    },
    greylist: (triplet) => {
      asked.push(`greylist ${triplet.ip} <${triplet.sender}> <${triplet.recipient}> ${triplet.waitSeconds}`);
      return answers.greylist?.(triplet) ?? { kind: "pass" };
    },
    count: (count) => {
      asked.push(`count ${count.key} ${count.limit}/${count.perSeconds}`);
      return answers.count?.(count) ?? { kind: "within" };
    },
    rcptcheck: (environment) => {
      asked.push(`rcptcheck ${environment.get("SENDER")} ${environment.get("RECIPIENT")}`);
      return answers.rcptcheck === undefined ? 0 : answers.rcptcheck(environment);
    },
    spp: (stage, environment) => {
      asked.push(`spp ${stage}`);
      return answers.spp?.(stage, environment) ?? { kind: "lines", lines: [] };
    },
  };
}

/** A stranger from the documentation's network. */
export const stranger: ClientFacts = {
  entrance: "smtp",
  ip: "192.0.2.7",
  relaying: false,
  environment: new Map(),
  helo: "client.example",
  tls: false,
  login: undefined,
  stress: false,
};

export function client(facts: Partial<ClientFacts> = {}): ClientFacts {
  return { ...stranger, ...facts };
}

/** The transaction; `from` as in MAIL FROM, without its brackets. */
export function mail(from = "amy@sender.example", facts: Partial<MailFacts> = {}): MailFacts {
  const path = parseReversePath(`<${from}>`, { smtputf8: true });
  if (!path.ok) throw new Error(`no sender: ${from}`);
  return { sender: path.value.path, accepted: 0, refused: 0, ...facts };
}

export interface Asked {
  readonly controls?: Readonly<Partial<Record<ControlFile, string>>>;
  readonly options?: PolicyOptions;
  readonly answers?: Answers;
  readonly client?: Partial<ClientFacts>;
  readonly from?: string;
  readonly mail?: Partial<MailFacts>;
  /** As in RCPT TO, without its brackets. */
  readonly to?: string;
}

export function policy({ controls, options, answers = {} }: Asked, asked: string[] = []): Policy {
  return policyOf(compilePolicy(controlsOf(controls), options), oraclesOf(answers, asked));
}

/** The decision on one RCPT. */
export async function rcpt(question: Asked, asked: string[] = []): Promise<Decision> {
  const path = parseForwardPath(`<${question.to ?? "joe@example.com"}>`, { smtputf8: true });
  if (!path.ok) throw new Error(`no recipient: ${question.to}`);
  return await policy(question, asked)
    .rcpt(client(question.client), mail(question.from, question.mail), path.value.path);
}

/** The decision on one MAIL. */
export async function mailDecision(question: Asked, asked: string[] = []): Promise<Decision> {
  return await policy(question, asked).mail(client(question.client), mail(question.from).sender, []);
}

/** "accept", or the reason and the reply. */
export function said(decision: Decision): string {
  return decision.kind === "accept" ? "accept" : `${decision.reason}: ${decision.reply}`;
}
