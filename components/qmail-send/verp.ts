/**
 * Variable envelope return paths: a stored sender `pre@host-@[]` goes out as `pre` + `box=dom` + `@host` to the
 * recipient `box@dom`, and its bounces go to `pre@host` (qmail's interface, used by mailing lists).
 * @module
 */

const mark = "-@[]";

/** The sender without its mark and split at the last "@", or undefined when it asks for no VERP. */
function parts(sender: string): { readonly before: string; readonly host: string } | undefined {
  if (!sender.endsWith(mark)) return undefined;
  const plain = sender.slice(0, -mark.length);
  const at = plain.lastIndexOf("@");
  return at < 0 ? undefined : { before: plain.slice(0, at), host: plain.slice(at + 1) };
}

export function wantsVerp(sender: string): boolean {
  return parts(sender) !== undefined;
}

/** The sender for one recipient's delivery. */
export function expandVerp(sender: string, recipient: string): string {
  const verp = parts(sender);
  const at = recipient.lastIndexOf("@");
  if (verp === undefined || at < 0) return sender;
  return `${verp.before}${recipient.slice(0, at)}=${recipient.slice(at + 1)}@${verp.host}`;
}

/** Where a bounce of the whole message goes. */
export function bounceAddress(sender: string): string {
  const verp = parts(sender);
  return verp === undefined ? sender : `${verp.before}@${verp.host}`;
}
