/**
 * Sends the reports of a day that is over: to each domain that asks for them in the DNS, one mail.
 * @module
 */
import { describeError, logEvent } from "../log/log.ts";
import type { ResolveReply } from "../wire/resolver_protocol.ts";
import type { Counts, Ledger } from "./ledger.ts";

/** What a draft is made of and with. */
export interface DraftWorld {
  /** TXT records. Never rejects. */
  readonly lookUp: (name: string) => Promise<ResolveReply>;
  /** Whom the mail is from: an address that needs no quotes. */
  readonly from: () => string;
  readonly nowSeconds: () => number;
  /** Random letters and digits. */
  readonly token: () => string;
}

/** The mail to one domain. `nobody`: nobody wants one. `later`: the DNS did not answer. */
export type Draft =
  | { readonly kind: "nobody" }
  | { readonly kind: "later" }
  | { readonly kind: "mail"; readonly to: readonly string[]; readonly content: Uint8Array };

export type MakeDraft<C> = (day: string, domain: string, counts: C, world: DraftWorld) => Promise<Draft>;

export interface DayWorld<N, C extends Counts<N>> extends DraftWorld {
  /** In front of events' names. */
  readonly name: string;
  readonly ledger: Ledger<N, C>;
  readonly draft: MakeDraft<C>;
  /** Queues a mail from the null sender; whether it is on stable storage. */
  readonly queue: (content: Uint8Array, recipients: readonly string[]) => Promise<boolean>;
  /** Settles after a moment: thousands of reports at once would stand in the way of mail. */
  readonly pause: () => Promise<void>;
  /** Whether it is to end. */
  readonly isOver: () => boolean;
}

/** One round for a day; whether nothing of it is left. What could not be done now is left for the next round. */
export async function reportDay<N, C extends Counts<N>>(day: string, world: DayWorld<N, C>): Promise<boolean> {
  const { ledger, name } = world;
  const lost = ledger.lost(day);
  if (lost > 0) logEvent(`${name}_lost`, { day, notes: lost });
  const counts = ledger.counts(day);
  if (counts === undefined) return true;
  let left = 0;
  for (const domain of counts.domains) {
    if (world.isOver()) return false;
    if (await reportDomain(day, domain, counts, world)) {
      ledger.done(day, domain);
      // At once, so that a crash repeats one report and not all.
      await ledger.flush();
    } else {
      left++;
    }
  }
  return left === 0;
}

/** Whether it is done: the report is queued, or nobody wants it. */
async function reportDomain<N, C extends Counts<N>>(
  day: string,
  domain: string,
  counts: C,
  world: DayWorld<N, C>,
): Promise<boolean> {
  const draft = await world.draft(day, domain, counts, world);
  if (draft.kind !== "mail") return draft.kind === "nobody";
  await world.pause();
  const isQueued = await world.queue(draft.content, draft.to).catch((error) => {
    logEvent("surprise", { reason: describeError(error) });
    return false;
  });
  if (isQueued) logEvent(`${world.name}_sent`, { domain, day, to: draft.to.join(",") });
  return isQueued;
}
