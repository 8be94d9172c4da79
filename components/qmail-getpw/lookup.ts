/**
 * Whose mailbox an address is, among the virtual mailboxes. `name@domain` first; then, for `name-extension`, the longest
 * beginning before a `-` that is a mailbox of the domain: every user has `name-anything` without any administrator.
 * An address that virtualdomains brought here is looked up in the domain of this host, for its prefix names a user.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import type { RewriteRules } from "../lib/queue/rewrite.ts";

import type { PasswdEntry, PasswdFile } from "../lib/users/passwd_file.ts";

export interface Found {
  readonly entry: PasswdEntry;
  /** "-" where something was left of the address, be it nothing but this `-`. */
  readonly dash: "" | "-";
  /** What follows the `-`, in its own case; "" without one. */
  readonly extension: string;
}

/** Looks up a rewritten address (an octet string with a domain). */
export function findMailbox(
  address: string,
  me: string,
  locals: RewriteRules["locals"],
  users: PasswdFile,
): Found | undefined {
  const at = address.lastIndexOf("@");
  const localPart = address.slice(0, at);
  const domain = lowerCaseAscii(address.slice(at + 1));
  return findIn(domain, localPart, users) ?? (locals.includes(domain) ? undefined : findIn(me, localPart, users));
}

function findIn(domain: string, localPart: string, users: PasswdFile): Found | undefined {
  const name = lowerCaseAscii(localPart);
  for (let end = name.length; end > 0; end = name.lastIndexOf("-", end - 1)) {
    const entry = users.get(`${name.slice(0, end)}@${domain}`);
    if (entry === undefined) continue;
    return { entry, dash: end < name.length ? "-" : "", extension: localPart.slice(end + 1) };
  }
  return undefined;
}
