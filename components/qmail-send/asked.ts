/**
 * What a message's client asked for, while something is done for the message: looked up by a recipient's channel and
 * address as the local and remote files have them, for that is what outlives the envelope. The way there is computed anew
 * each time, so of a message that waits while locals, virtualdomains, percenthack or envnoathost change, a recipient that
 * would take another way now is one that nothing was asked for. Two recipients alike share what was asked for the first.
 * @module
 */
import type { ReportedRecipient } from "../lib/dsn/report.ts";
import type { Channel } from "../lib/queue/layout.ts";
import {
  formatMessageOptions,
  type KeptOptions,
  parseMessageOptions,
  type RecipientOptions,
} from "../lib/queue/message_options.ts";
import { rewriteRecipient, type RewriteRules, withoutPrefix } from "../lib/queue/rewrite.ts";
import type { Settled } from "./deliveries.ts";

export class Asked {
  readonly options: KeptOptions;
  readonly #rules: RewriteRules;
  /** By channel and address. */
  readonly #of = new Map<string, RecipientOptions>();
  /** Whether there is anybody to report to. */
  readonly #reports: boolean;
  #successes: ReportedRecipient[] = [];
  /** What was said of those that wait, by channel and address. */
  readonly #deferrals = new Map<string, string>();

  /** `text`: of formatMessageOptions(); throws an Error where it is not. */
  constructor(text: string, sender: string, rules: RewriteRules) {
    const options = parseMessageOptions(text);
    if (!options.ok) throw new Error(`options: ${options.error}`);
    this.options = options.value;
    this.#rules = rules;
    this.#reports = sender !== "" && sender !== "#@[]";
    for (const one of options.value.recipients.values()) {
      const { channel, address } = rewriteRecipient(one.address, rules);
      const key = keyOf(channel, address);
      if (!this.#of.has(key)) this.#of.set(key, one);
    }
  }

  /** Whether a failure of this recipient is to be told of (RFC 3461 §4.1). */
  tellsFailure(channel: Channel, address: string): boolean {
    return this.#of.get(keyOf(channel, address))?.notify?.failure ?? true;
  }

  /** Whether a delay of it is. */
  tellsDelay(channel: Channel, address: string): boolean {
    return this.#reports && this.#of.get(keyOf(channel, address))?.notify?.delay === true;
  }

  /** Whether a delay of anybody is. */
  get tellsDelays(): boolean {
    return this.#reports && this.#of.values().some(({ notify }) => notify?.delay === true);
  }

  /** Original recipients (RFC 3461 §4.2) by the addresses that bounces name. */
  originals(): ReadonlyMap<string, string> {
    const originals = new Map<string, string>();
    for (const [key, { orcpt }] of this.#of) {
      if (orcpt !== undefined) originals.set(this.#known(addressIn(key)), orcpt);
    }
    return originals;
  }

  /** What goes along with a delivery to these, whose places are counted from 0. */
  forDelivery(channel: Channel, addresses: readonly string[]): string {
    const recipients = new Map<number, RecipientOptions>();
    for (const [place, address] of addresses.entries()) {
      const one = this.#of.get(keyOf(channel, address));
      if (one !== undefined) recipients.set(place, one);
    }
    return formatMessageOptions({ ...this.options, recipients }, addresses);
  }

  /** What a recipient that waits is told to its sender as. */
  deferred(channel: Channel, address: string): ReportedRecipient {
    const key = keyOf(channel, address);
    const { orcpt } = this.#of.get(key) ?? {};
    return { recipient: this.#known(address), report: this.#deferrals.get(key) ?? "", action: "delayed", orcpt };
  }

  /** Takes note of what an attempt did. */
  note(channel: Channel, settled: readonly Settled[]): void {
    if (!this.#reports) return;
    for (const { recipient: { address }, report } of settled) {
      const key = keyOf(channel, address);
      const { notify, orcpt } = this.#of.get(key) ?? {};
      if (report.verdict === "Z" && notify?.delay === true) this.#deferrals.set(key, report.text);
      // The next host has taken it upon itself.
      if (report.verdict !== "K" || notify?.success !== true || report.dsn === true) continue;
      const action = channel === "local" ? "delivered" : "relayed";
      this.#successes.push({ recipient: this.#known(address), report: report.text, action, orcpt });
    }
  }

  /** Whether somebody has the message, and its sender was not told. */
  get hasNews(): boolean {
    return this.#successes.length > 0;
  }

  /** Those of whom the sender is told now. */
  takeNews(): readonly ReportedRecipient[] {
    const news = this.#successes;
    this.#successes = [];
    return news;
  }

  /** That came to nothing. */
  putNewsBack(news: readonly ReportedRecipient[]): void {
    this.#successes = [...news, ...this.#successes];
  }

  /** An address as its sender knows it. */
  #known(address: string): string {
    return withoutPrefix(address, this.#rules.virtualdomains);
  }
}

function keyOf(channel: Channel, address: string): string {
  return `${channel} ${address}`;
}

function addressIn(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}
