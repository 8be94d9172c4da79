/**
 * What was sent against what arrived. Pure: whoever calls has looked into the mailboxes and at the other host, when
 * nothing was under way any more.
 *
 * Each recipient of a message that was answered 250 has a whole delivery, or a bounce names him where his host refuses
 * him. A message whose answer nobody heard (or that was refused after its last octet) is in the queue or is not: it
 * arrives for all of its recipients, or for none. A copy more than one has a kill to explain it.
 * @module
 */
import { isRefused, type Sent } from "./load.ts";

export type Arrival =
  | {
    readonly kind: "delivery";
    readonly recipient: string;
    /** From the message's header. */
    readonly number: number;
    readonly bodyHash: string;
    readonly atMs: number;
  }
  | { readonly kind: "bounce"; readonly recipients: readonly string[]; readonly atMs: number };

export type FindingKind = "lost" | "damaged" | "stray" | "bounced" | "repeated";

export interface Finding {
  readonly kind: FindingKind;
  readonly number: number | undefined;
  readonly recipients: readonly string[];
  readonly detail: string;
}

export interface Verdict {
  readonly accepted: number;
  readonly unknown: number;
  /** Of the unknown and the refused ones, those that arrived. */
  readonly arrivedAnyway: number;
  readonly deliveries: number;
  readonly bounces: number;
  /** Deliveries, and recipients in bounces, beyond one. */
  readonly duplicates: number;
  readonly findings: readonly Finding[];
}

/** What came for one recipient. */
interface Account {
  readonly sent: Sent;
  deliveries: number;
  bounces: number;
  damaged: number;
  lastMs: number;
}

/** A file's time may be a tick of the kernel's clock behind ours. */
const clockMs = 50;

export interface Period {
  readonly sent: readonly Sent[];
  readonly arrivals: Iterable<Arrival>;
  /** When processes were killed, one entry for each, and when all were stopped and started. */
  readonly disturbancesMs: readonly number[];
}

/** The verdict on all that was sent since the last one. */
export function judge({ sent, arrivals, disturbancesMs }: Period): Verdict {
  const accounts = new Map<string, Account>();
  for (const message of sent) {
    for (const recipient of message.recipients) {
      accounts.set(recipient, { sent: message, deliveries: 0, bounces: 0, damaged: 0, lastMs: 0 });
    }
  }
  const findings: Finding[] = [];
  let [deliveries, bounces] = [0, 0];
  for (const arrival of arrivals) {
    if (arrival.kind === "delivery") deliveries++;
    else bounces++;
    note(arrival, accounts, findings);
  }
  let [duplicates, arrivedAnyway] = [0, 0];
  for (const message of sent) {
    const own = message.recipients.map((recipient) => [recipient, accounts.get(recipient)!] as const);
    const arrived = own.some(([, account]) => account.deliveries + account.bounces > 0);
    if (message.fate !== "accepted" && arrived) arrivedAnyway++;
    for (const [, account] of own) duplicates += Math.max(0, account.deliveries + account.bounces - 1);
    findings.push(...findingsOf(message, own, arrived || message.fate === "accepted", disturbancesMs));
  }
  const count = (fate: Sent["fate"]) => sent.filter((message) => message.fate === fate).length;
  return {
    accepted: count("accepted"),
    unknown: count("unknown"),
    arrivedAnyway,
    deliveries,
    bounces,
    duplicates,
    findings,
  };
}

/** Adds an arrival to its recipients' accounts. */
function note(arrival: Arrival, accounts: ReadonlyMap<string, Account>, findings: Finding[]): void {
  const recipients = arrival.kind === "delivery" ? [arrival.recipient] : arrival.recipients;
  for (const recipient of recipients) {
    const account = accounts.get(recipient);
    if (account === undefined) {
      findings.push({ kind: "stray", number: undefined, recipients, detail: `a ${arrival.kind} nobody is to get` });
      continue;
    }
    account.lastMs = Math.max(account.lastMs, arrival.atMs);
    if (arrival.kind === "bounce") account.bounces++;
    else {
      account.deliveries++;
      const { number, bodyHash } = account.sent;
      if (arrival.number !== number || arrival.bodyHash !== bodyHash) account.damaged++;
    }
  }
  if (recipients.length === 0) {
    findings.push({ kind: "stray", number: undefined, recipients, detail: "a bounce that names nobody" });
  }
}

function findingsOf(
  { number, sentMs, fate, answer }: Sent,
  own: readonly (readonly [string, Account])[],
  due: boolean,
  disturbancesMs: readonly number[],
): Finding[] {
  const found: Finding[] = [];
  const find = (kind: FindingKind, detail: string, wrong: (recipient: string, account: Account) => boolean) => {
    const recipients = own.filter(([recipient, account]) => wrong(recipient, account)).map(([recipient]) => recipient);
    if (recipients.length > 0) found.push({ kind, number, recipients, detail });
  };
  if (due) {
    const detail = fate === "accepted" ? `answered 250 ${answer}` : `${fate}, and arrived for others`;
    find("lost", `${detail}; neither a delivery nor a bounce`, (_, { deliveries, bounces }) => {
      return deliveries + bounces === 0;
    });
  }
  find("damaged", "what arrived is not what was sent", (_, { damaged }) => damaged > 0);
  find("bounced", "a bounce, though the host takes him", (recipient, { bounces }) => {
    return bounces > 0 && !isRefused(recipient);
  });
  find("repeated", "more copies than kills to explain them", (_, { deliveries, bounces, lastMs }) => {
    const copies = deliveries + bounces;
    return copies > 1 &&
      copies - 1 > disturbancesMs.filter((atMs) => atMs >= sentMs - clockMs && atMs <= lastMs + clockMs).length;
  });
  return found;
}
