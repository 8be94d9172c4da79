/**
 * From whom a message is sent on. The next host's SPF check asks whether this host may send for the envelope sender's
 * domain: it may for domains of ours, and for others only under an address that SRS makes.
 * @module
 */
import { domainOf } from "../lib/address/parse_domain.ts";
import { rewriteRecipient, type RewriteRules } from "../lib/queue/rewrite.ts";
import { srsRulesOf } from "../lib/srs/secret_file.ts";
import { returnPathFor } from "../lib/srs/srs.ts";

export interface Forwarding {
  /** The message's, or that of the list it goes to. */
  readonly sender: string;
  readonly recipients: readonly string[];
}

/**
 * The envelope sender for these recipients (octet strings). One message has one sender: where some of them are delivered
 * here, these get the new one, too, and what they send on keeps it, as it is in a domain of ours.
 */
export function forwardSender({ sender, recipients }: Forwarding, rules: RewriteRules, nowSeconds: number): string {
  const srs = srsRulesOf(rules);
  // A bounce stays one, and what asks for a sender a recipient (VERP) is qmail-send's to rewrite.
  if (srs === undefined || !sender.includes("@") || sender.endsWith("@[]")) return sender;
  const isOurs = domainOf(sender) === srs.domain ||
    rewriteRecipient(sender, rules).channel === "local";
  const leaves = !isOurs && recipients.some((recipient) => rewriteRecipient(recipient, rules).channel === "remote");
  return leaves ? returnPathFor(sender, srs, nowSeconds) : sender;
}
