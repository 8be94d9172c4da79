/**
 * Which recipients share a transaction, by what a server has said of its limits (RFC 9422 §4).
 * @module
 */
import type { PeerLimits } from "./peer.ts";

/**
 * Places of the recipients, in order; a list for each transaction.
 *
 * @example
 * ```ts
 * import { groupRecipients } from "./group_recipients.ts";
 * groupRecipients(["a@x.example", "b@x.example", "c@x.example"], { rcptMax: 2 }); // [[0, 1], [2]]
 * ```
 */
export function groupRecipients(
  recipients: readonly string[],
  { rcptMax = Infinity, rcptDomainMax = Infinity }: PeerLimits,
): readonly (readonly number[])[] {
  // Of nearly all servers, and of all requests to the others that are small: nothing to look at.
  if (recipients.length <= Math.min(rcptMax, rcptDomainMax)) return [Array.from(recipients.keys())];
  const groups: number[][] = [];
  let group: number[] = [];
  let domains = new Set<string>();
  recipients.forEach((recipient, place) => {
    const domain = recipient.slice(recipient.lastIndexOf("@") + 1).toLowerCase();
    const isOver = group.length >= rcptMax || (domains.size >= rcptDomainMax && !domains.has(domain));
    if (groups.length === 0 || isOver) {
      [group, domains] = [[], new Set()];
      groups.push(group);
    }
    group.push(place);
    domains.add(domain);
  });
  return groups;
}
