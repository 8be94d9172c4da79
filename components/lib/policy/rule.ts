/**
 * What a rule is: prepared once from the control files, then asked at the stages it has something to say at. A rule
 * decides by its arguments and by what the oracles answer, and by nothing else.
 * @module
 */
import type { Controls } from "../../../config/schema.ts";
import type { RewriteRules } from "../queue/rewrite.ts";
import type { ClientFacts, MailFacts } from "./decision.ts";
import type { Ground } from "./ground.ts";
import type { Oracles, PluginStage, Soon } from "./oracles.ts";
import type { RuleName } from "./order_file.ts";

export const stages = ["connect", "helo", "auth", "mail", "rcpt", "data"] as const;
export type Stage = (typeof stages)[number];

/** The control files that the rules are made from. */
export type PolicyControls = Pick<
  Controls,
  | ("me" | "policy" | "rcpthosts" | "morercpthosts.cdb" | keyof RewriteRules)
  | ("allowclients" | "badhelo" | "badmailfrom" | "badrcptto" | "brtlimit" | "dnsallowlist" | "dnsblfailclosed")
  | ("dnsbllist" | "greetdelay" | "greylist" | "helocheck" | "maxrcpt" | "mfdnscheck" | "ratelimits")
  | ("rejectnullsenders" | "rejectrelaytest" | "senderlogins" | "tarpitcount" | "tarpitdelay" | "srsdomain")
>;

/** What the rules are made from beside that. */
export interface PolicyOptions {
  /** Sections of control/smtpplugins that have commands; default none. */
  readonly plugins?: ReadonlySet<PluginStage>;
}

/** What is asked at `connect` and `helo`. */
export interface ClientAsked {
  readonly client: ClientFacts;
  /** It may relay, has logged in, or came to the LMTP entrance: no stranger. */
  readonly trusted: boolean;
}

export interface AuthAsked extends ClientAsked {
  readonly mechanism: string;
}

export interface MailAsked extends ClientAsked {
  /** As the queue keeps it; "" for the null reverse-path. Octet string. */
  readonly sender: string;
}

export interface DataAsked extends ClientAsked {
  readonly mail: MailFacts;
}

export interface RcptAsked extends DataAsked {
  /** As the queue keeps it, with RELAYCLIENT's value behind it. Octet string. */
  readonly recipient: string;
  /** `<postmaster>` without a domain. */
  readonly bare: boolean;
  /** Delivered here; "routed" is the address it is delivered under, or the one that is sent on. */
  readonly local: boolean;
  readonly routed: string;
  /** Looks like an address that SRS made here: for qmail-getpw to say whether it is one. */
  readonly returnPath: boolean;
  /** A postmaster of ours: everyone may write to one (RFC 5321 §4.5.1), whatever lists and programs of others say. */
  readonly postmaster: boolean;
}

export interface Asked {
  readonly connect: ClientAsked;
  readonly helo: ClientAsked;
  readonly auth: AuthAsked;
  readonly mail: MailAsked;
  readonly rcpt: RcptAsked;
  readonly data: DataAsked;
}

/** What goes along with an answer; the dialogue's Decision says what the fields mean. */
export interface Additions {
  readonly header?: readonly string[];
  readonly lines?: readonly string[];
  readonly environment?: ReadonlyMap<string, string>;
  readonly delayMs?: number;
  readonly early?: { readonly reply: string; readonly reason: string };
  /** The sender or recipient from here on; a good address, or "" for a sender. */
  readonly address?: string;
  /** A rule that is not asked any more. */
  readonly skips?: RuleName;
}

export interface Pass {
  readonly kind: "pass";
  /** For `deno task explain`. */
  readonly why: string;
  readonly adds?: Additions;
}

/** A refusal; the dialogue's Decision says what the fields mean. */
export interface Refusal {
  readonly kind: "refuse";
  readonly reason: string;
  readonly reply: string;
  readonly counted: boolean;
  readonly drop?: boolean;
  readonly adds?: Additions;
}

export type Finding = Pass | Refusal;

export type Judge<A> = (asked: A, oracles: Oracles) => Soon<Finding>;

/** A rule as prepared: what it says at each stage. */
export type Judges = { readonly [S in Stage]?: Judge<Asked[S]> };

/** Makes a rule of the control files; a text says why there is nothing for it to do. */
export type Rule = (ground: Ground) => Judges | string;

/** A finding without consequences. To be made once, not for each question. */
export function pass(why: string): Pass {
  return { kind: "pass", why };
}

/** A refusal that is the client's error. */
export function refuse(reason: string, reply: string): Refusal {
  return { kind: "refuse", reason, reply, counted: true };
}

/** A refusal for now: nothing was wrong with the client, or nobody could know. */
export function defer(reason: string, reply: string): Refusal {
  return { kind: "refuse", reason, reply, counted: false };
}

/** `then` of an answer that may be there already. */
export function soon<T, U>(answer: Soon<T>, then: (value: T) => Soon<U>): Soon<U> {
  return answer instanceof Promise ? answer.then(then) : then(answer);
}

/** All answers, at once where all are there. */
export function allSoon<T>(answers: readonly Soon<T>[]): Soon<readonly T[]> {
  const known = answers.filter((answer): answer is T => !(answer instanceof Promise));
  return known.length === answers.length ? known : Promise.all(answers);
}

/** A whole number that stands in the client's environment instead of a control file's; anything else there means nothing. */
export function numberFor(client: ClientFacts, variable: string, value: number): number {
  if (client.environment.size === 0) return value;
  const text = client.environment.get(variable);
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : value;
}
