/**
 * control/senderlogins: which senders a login may use beside its own.
 * @module
 */
import { isDomain, type Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { utf8Octets } from "../octets.ts";
import { err, ok } from "../result.ts";
import { listLines } from "./list_lines.ts";

/** By login, in lower case: addresses, "@domain" for all in it, "*" for all. Octet strings. */
export type SenderLogins = ReadonlyMap<string, ReadonlySet<string>>;

/** Lines `login:address`, `login:@domain` or `login:*`; ASCII case does not matter. */
export const parseSenderLogins: Parse<SenderLogins> = (text) => {
  const logins = new Map<string, Set<string>>();
  for (const line of listLines(text)) {
    // The last colon: a login may hold one, an address of these cannot.
    const colon = line.lastIndexOf(":");
    const login = lowerCaseAscii(utf8Octets(line.slice(0, Math.max(colon, 0))));
    const sender = lowerCaseAscii(utf8Octets(line.slice(colon + 1)));
    const at = sender.lastIndexOf("@");
    if (login === "" || (sender !== "*" && (at < 0 || !isDomain(sender.slice(at + 1))))) {
      return err(`expected login:address, login:@domain or login:*, got ${JSON.stringify(line)}`);
    }
    logins.set(login, (logins.get(login) ?? new Set()).add(sender));
  }
  return ok(logins);
};
