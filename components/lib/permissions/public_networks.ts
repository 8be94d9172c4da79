/**
 * The networks of IPv4 in which a public server can have its address: all but those of RFC 6890's registries that are for
 * this machine, this link, a private network, documentation, tests or many receivers.
 *
 * A grant names what is left, not the whole with exceptions: deno 2.9.6 holds an address as `::ffff:127.0.0.1` against
 * networks that are allowed, but not against networks that are denied.
 * @module
 */

/** First address and bits, in ascending order; none overlaps another. */
const notPublic: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

function numberOf(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
}

/** The networks that `from` up to, but not including, `end` consists of. */
function networksOf(from: number, end: number): string[] {
  const networks: string[] = [];
  for (let at = from; at < end;) {
    let bits = 32;
    while (bits > 0 && at % 2 ** (33 - bits) === 0 && at + 2 ** (33 - bits) <= end) bits--;
    networks.push(`${addressOf(at)}/${bits}`);
    at += 2 ** (32 - bits);
  }
  return networks;
}

function complement(): string[] {
  const networks: string[] = [];
  let from = 0;
  for (const [address, bits] of notPublic) {
    networks.push(...networksOf(from, numberOf(address)));
    from = numberOf(address) + 2 ** (32 - bits);
  }
  return [...networks, ...networksOf(from, 2 ** 32)];
}

/** `network/bits` each, in ascending order. */
export const publicNetworks: readonly string[] = complement();
