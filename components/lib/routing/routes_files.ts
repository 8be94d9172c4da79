/**
 * control/smtproutes, qmtproutes and authsenders (qmail's interface; s/qmail's and the AUTH patches' additions). What a
 * defect says names the domain and what is wrong, never a password.
 * @module
 */
import { isDomain, type Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { utf8Octets } from "../octets.ts";
import { listLines } from "../policy/list_lines.ts";
import { err, ok, type Result } from "../result.ts";
import type { RemoteProtocol } from "../wire/delivery_protocol.ts";
import { maskPasswords, parseRoute, parseRouteKey, type Route, type Routes } from "./route.ts";

/** Key of the route of mail from the null sender (s/qmail's `!@:host;port`). No domain has it. */
export const nullSenderKey = "!@";

/** smtproutes: `domain:relay…`, `.domain:relay`, `:relay`, `!@:relay` for mail from `<>`, and `domain:` for an exception. */
export const parseSmtproutes: Parse<Routes> = (text) => parseRoutesFile(text, "smtp", true);

/** qmtproutes: as smtproutes, its relays speak QMTP; a domain without one here is looked up there. */
export const parseQmtproutes: Parse<Routes> = (text) => parseRoutesFile(text, "qmtp", false);

function parseRoutesFile(text: string, protocol: RemoteProtocol, hasNullSender: boolean): Result<Routes, string> {
  const routes = new Map<string, Route | undefined>();
  for (const line of listLines(text)) {
    const colon = line.indexOf(":");
    const before = line.slice(0, Math.max(colon, 0));
    const key = hasNullSender && before === nullSenderKey ? before : parseRouteKey(before);
    const plain = `expected domain:relay or domain:relay:port, got ${JSON.stringify(maskPasswords(line))}`;
    if (colon < 0 || key === undefined) return err(plain);
    const relay = line.slice(colon + 1).trim();
    const route = relay === "" ? ok(undefined) : parseRoute(relay, protocol);
    // The usual slip gets the usual text.
    if (!route.ok) return err(/^[^ |;]+$/.test(relay) ? plain : `expected ${route.error}`);
    routes.set(key, route.value);
  }
  return ok(routes);
}

/** Routes by sender: `user@domain` or `@domain`, lower-cased octet strings. */
export type SenderRoutes = ReadonlyMap<string, Route>;

/** authsenders: `sender:relay;port|user|password`, `@domain:relay…`; the relay has to be there. */
export const parseAuthsenders: Parse<SenderRoutes> = (text) => {
  const routes = new Map<string, Route>();
  for (const line of listLines(text)) {
    const colon = line.indexOf(":");
    const sender = line.slice(0, Math.max(colon, 0));
    const at = sender.lastIndexOf("@");
    const relay = line.slice(colon + 1).trim();
    if (at < 0 || !isDomain(sender.slice(at + 1)) || relay === "") {
      return err(
        `expected sender@domain:relay;port|user|password or @domain:…, got ${JSON.stringify(maskPasswords(line))}`,
      );
    }
    const route = parseRoute(relay);
    if (!route.ok) return err(`expected ${route.error}`);
    routes.set(lowerCaseAscii(utf8Octets(sender)), route.value);
  }
  return ok(routes);
};
