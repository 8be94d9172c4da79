/**
 * What the rules may ask others: who knows the mailboxes, the DNS, what was counted, the programs of an operator. Each
 * answers at once where the answer is known, or by a promise that never rejects: trouble on the way is an answer of its
 * own, and what it means for the mail is the rule's business.
 * @module
 */
import type { DnsRecord, RecordType } from "../wire/resolver_protocol.ts";
import type { GetpwReply } from "../wire/getpw_protocol.ts";

export type Soon<T> = T | Promise<T>;

/** As qmail-getpw's `check` says; "account" and "possible" are yes for now. */
export type MailboxAnswer = GetpwReply["kind"];

/** `none`: no such name, or none of that type. `failure`: nobody could say. An MX's "." is a record with the value "". */
export type DnsAnswer =
  | { readonly kind: "answers"; readonly records: readonly DnsRecord[] }
  | { readonly kind: "none" }
  | { readonly kind: "failure" };

/** Who sends whom; octet strings as the queue keeps them, the sender "" for the null reverse-path. */
export interface Triplet {
  /** One spelling of the client's address. */
  readonly ip: string;
  readonly sender: string;
  readonly recipient: string;
  /** How long a triplet has to wait that is seen for the first time. */
  readonly waitSeconds: number;
}

/** `seconds`: how much of the wait is left. `unsure`: nobody keeps count at the moment. */
export type GreylistAnswer =
  | { readonly kind: "pass" }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "unsure" };

/** One more of what `key` names; more than `limit` of them in `perSeconds` are too many. An octet string. */
export interface Count {
  readonly key: string;
  readonly limit: number;
  readonly perSeconds: number;
}

export type CountAnswer =
  | { readonly kind: "within" }
  | { readonly kind: "over"; readonly retrySeconds: number }
  | { readonly kind: "unsure" };

/** The variables a program of an operator gets, all of them; octet strings without NUL. */
export type HookEnvironment = ReadonlyMap<string, string>;

/** The exit code; undefined where the program could not be asked for. */
export type RcptcheckAnswer = number | undefined;

/** Sections of control/smtpplugins. */
export const pluginStages = ["connection", "helo", "mail", "rcpt", "data", "auth"] as const;
export type PluginStage = (typeof pluginStages)[number];

/**
 * What the plug-ins of a section printed, one command a line, in order, up to and with the first command that ends the
 * section (A, O, N, D, E, R). `failure`: a plug-in crashed or could not be run; `detail` as in qmail-spp's reply, printable.
 */
export type PluginAnswer =
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  | { readonly kind: "failure"; readonly detail: string };

export interface Oracles {
  /** `address` as the client gave it, unquoted. */
  mailbox(address: string): Soon<MailboxAnswer>;
  /** Asked again for every recipient: whoever answers keeps answers for a while ({@link DnsMemory}). */
  dns(name: string, type: RecordType): Soon<DnsAnswer>;
  greylist(triplet: Triplet): Soon<GreylistAnswer>;
  count(count: Count): Soon<CountAnswer>;
  /** Only asked where RCPTCHECK is in the client's environment, which is in `environment` with SENDER and RECIPIENT. */
  rcptcheck(environment: HookEnvironment): Soon<RcptcheckAnswer>;
  /** Only asked for sections that have commands. */
  spp(stage: PluginStage, environment: HookEnvironment): Soon<PluginAnswer>;
}
