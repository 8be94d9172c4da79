/**
 * The base 64 of crypt(3): 6 bits a character, the low ones first, of octets in an order that each method has of its own.
 * @module
 */

const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `order`: the octets' places in groups of three, the highest first; a last group may have one or two. */
export function cryptBase64(octets: Uint8Array, order: readonly (readonly number[])[]): string {
  return order.map((group) => {
    let bits = group.reduce((sum, at) => sum * 256 + octets[at]!, 0);
    let text = "";
    for (let left = group.length * 8; left > 0; left -= 6) {
      text += alphabet[bits & 63];
      bits >>= 6;
    }
    return text;
  }).join("");
}
