/**
 * Domain names as text: labels joined by dots, lower case, no final dot, no escapes (RFC 1035 §2.3.4 for the lengths).
 * @module
 */

/** 255 octets on the wire are the lengths, the root's zero and 253 characters of text. */
const longestName = 253;
const longestLabel = 63;

/**
 * Whether `name` can be asked for: labels of 1 to 63 printable ASCII characters, blanks too. That is wider than a host
 * name, for names made from macros (RFC 7208 §7) and of reverse zones (RFC 2317) hold other characters.
 */
export function isQueryName(name: string): boolean {
  if (name.length > longestName) return false;
  let label = 0;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code < 32 || code > 126) return false;
    label = code === 46 ? 0 : label + 1;
    if (label > longestLabel || (code === 46 && (at === 0 || name.charCodeAt(at - 1) === 46))) return false;
  }
  return label > 0;
}

/** Whether `name` can be the name of a host: labels of letters, digits, `-` and `_`. Nothing of it needs an escape. */
export function isHostName(name: string): boolean {
  return isQueryName(name) && /^[A-Za-z0-9._-]+$/.test(name);
}
