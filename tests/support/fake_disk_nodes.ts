/**
 * What a FakeDisk (fake_disk.ts) holds, and what of it outlives the power.
 * @module
 */

/** What becomes of one thing that was not synced; files know `torn` as well. */
export type Keeps = (what: string) => "old" | "new" | "torn";

/** A file. */
export interface Node {
  readonly inode: number;
  /** The n-th file that was made. */
  readonly made: number;
  /** Names that had been removed, but not for good, when it was made of an inode that had come free. */
  readonly removedBefore?: readonly Removed[];
  data: Uint8Array;
  /** As last synced. */
  durable: Uint8Array;
  mtimeSeconds: number;
}

/** A name that a file has no more, but may have again after a power loss. */
export interface Removed {
  readonly dir: string;
  readonly name: string;
  readonly node: Node;
}

/** A folder: its entries, and as they were last synced. */
export interface Folder {
  readonly entries: Map<string, Node>;
  readonly durable: Map<string, Node>;
}

/** `data` with `octets` written over it at `offset`. */
export function withOctets(data: Uint8Array, offset: number, octets: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.max(data.length, offset + octets.length));
  all.set(data);
  all.set(octets, offset);
  return all;
}

const sectorBytes = 512;

/** A file that was overwritten in place: each sector is as it was, or as it was to be. */
function sectorwise({ inode, data, durable }: Node, keeps: Keeps): Uint8Array {
  const mixed = data.slice();
  for (let at = 0; at < mixed.length; at += sectorBytes) {
    if (keeps(`sector ${at} of ${inode}`) === "old") mixed.set(durable.subarray(at, at + sectorBytes), at);
  }
  return mixed;
}

/** What of a file outlives the power. */
export function survivingOctets(node: Node, keeps: Keeps): Uint8Array {
  const { inode, data, durable } = node;
  if (data === durable) return data;
  const unsynced = data.length !== durable.length || data.some((octet, at) => octet !== durable[at]);
  const kept = unsynced ? keeps(`octets of ${inode}`) : "new";
  if (kept !== "torn") return kept === "old" ? durable : data;
  return data.length > durable.length
    ? data.slice(0, Math.ceil((data.length + durable.length) / 2) - 1)
    : sectorwise(node, keeps);
}

/** Of the files that had an inode one after the other, the last. */
export function ownersOf(nodes: readonly Node[]): Map<number, Node> {
  const owners = new Map<number, Node>();
  for (const node of nodes) {
    const owner = owners.get(node.inode);
    if (owner === undefined || owner.made < node.made) owners.set(node.inode, node);
  }
  return owners;
}
