/**
 * Where mail for an address would go, in one line: what `sendmail -bt` and `-bv` print. By the control files alone;
 * whether there is such a mailbox is for qmail-getpw to say. Octet strings.
 * @module
 */
import { rewriteRecipient, type RewriteRules } from "../../lib/queue/rewrite.ts";

/** The line for one address, without its end; what the terminal would take for a command is escaped. */
export function describeRoute(address: string, rules: RewriteRules): string {
  const { channel, address: routed } = rewriteRecipient(address, rules);
  const domain = routed.slice(routed.lastIndexOf("@") + 1);
  const route = channel === "local" ? `local delivery of ${routed}` : `remote delivery to ${domain}`;
  return `${address}: ${route}`.replace(/[^\x20-\x7e]/g, "?");
}

/** The addresses in a line of `sendmail -bt`, which may begin with numbers of rules ("3,0 amy@example.org"). */
export function addressesTested(line: string): string[] {
  const words = line.split(/[ \t,]+/).filter((word) => word !== "");
  const first = words.findIndex((word) => !/^[0-9]+$/.test(word));
  return first < 0 ? [] : words.slice(first);
}
