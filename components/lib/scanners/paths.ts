/**
 * Addresses of an envelope as scanners are told them, quoted and in angle brackets, and as they give them back.
 * @module
 */
import { formatMailbox, formatPath } from "../address/mailbox.ts";
import { parseEnvelopeAddress, parseForwardPath, parseReversePath } from "../address/parse_path.ts";

/** `<local@domain>`; "" is `<>`. What is no mailbox (a name without domain, qmail's `#@[]`) stays as it is. */
export function pathOf(address: string): string {
  const mailbox = parseEnvelopeAddress(address);
  // deno-lint-ignore no-control-regex
  return `<${mailbox === undefined ? address.replace(/[\x00-\x1f\x7f<>]/g, "_") : formatPath(mailbox)}>`;
}

/**
 * The envelope's form of a path, with its brackets or without them. Undefined for what is no path; only a reverse one may
 * be empty.
 */
export function parseAnyPath(text: string, direction: "reverse" | "forward"): string | undefined {
  const trimmed = text.trim();
  const path = trimmed.startsWith("<") ? trimmed : `<${trimmed}>`;
  const options = { smtputf8: true };
  const parsed = direction === "reverse" ? parseReversePath(path, options) : parseForwardPath(path, options);
  // What stands behind the brackets would be a second address, or parameters that nobody has agreed on.
  if (!parsed.ok || parsed.value.parameters !== "") return undefined;
  const found = parsed.value.path;
  return found.kind === "null" ? "" : found.kind === "postmaster" ? "postmaster" : formatMailbox(found.mailbox);
}

/** Whether two addresses of an envelope are the same: a domain's case does not count, a local part's does. */
export function isSameAddress(one: string, other: string): boolean {
  return addressKey(one) === addressKey(other);
}

function addressKey(address: string): string {
  const mailbox = parseEnvelopeAddress(address);
  return mailbox === undefined ? address : formatMailbox(mailbox);
}
