/**
 * A disk in memory that can stop, fail and lose power. It counts the operations that change something (and the syncs):
 *
 * - `stopAt(n)`: operation n and all after it throw {@link Crash}, a write leaves half of its octets first: the process
 *   was killed. What was done before is still to be seen ({@link FakeDisk.afterCrash}).
 * - `failAt(n, "ENOSPC")`: operation n throws that, the others work.
 * - `afterPowerLoss(keeps)`: what the machine finds when it comes back. Entries of a folder and octets of a file that
 *   were not synced are there or not, as `keeps` says for each; a file may be torn.
 * @module
 */
import type { Disk, DiskFile, FileStat } from "../../components/lib/disk/disk.ts";

/** The process ends here. */
export class Crash extends Error {
  override name = "Crash";
}

/** What becomes of one thing that was not synced; files know `torn` as well. */
export type Keeps = (what: string) => "old" | "new" | "torn";

interface Node {
  readonly inode: number;
  data: Uint8Array;
  /** As last synced. */
  durable: Uint8Array;
  mtimeSeconds: number;
}

interface Folder {
  readonly entries: Map<string, Node>;
  readonly durable: Map<string, Node>;
}

function split(path: string): [string, string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function withOctets(data: Uint8Array, offset: number, octets: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.max(data.length, offset + octets.length));
  all.set(data);
  all.set(octets, offset);
  return all;
}

export class FakeDisk implements Disk {
  readonly #folders = new Map<string, Folder>();
  readonly #now: () => number;
  #nextInode = 1001;
  #stopAt = Infinity;
  #stopped = false;
  readonly #failures = new Map<number, string>();
  /** One line for each operation, `link /q/pid/1 /q/mess/0/23`. */
  readonly operations: string[] = [];
  /** Files opened and not closed. */
  open = 0;

  constructor(folders: Iterable<string> = [], now: () => number = () => 1_000_000_000) {
    this.#now = now;
    for (const folder of folders) this.#folders.set(folder, { entries: new Map(), durable: new Map() });
  }

  /** The process ends at operation `n`, counted from 0 from the beginning of this disk. */
  stopAt(n: number): void {
    this.#stopAt = n;
  }

  /** The process has ended: nothing works any more, and no write is under way. */
  stopNow(): void {
    this.#stopAt = this.operations.length;
    this.#stopped = true;
  }

  /** Operation `n` throws an error of this code. */
  failAt(n: number, code: string): void {
    this.#failures.set(n, code);
  }

  /** The number of the next new file. */
  setNextInode(inode: number): void {
    this.#nextInode = inode;
  }

  /** A file that is there from the beginning, on stable storage. */
  put(path: string, data: Uint8Array, mtimeSeconds = this.#now()): void {
    const [dir, name] = split(path);
    const node = { inode: this.#nextInode++, data, durable: data, mtimeSeconds };
    this.#folder(dir).entries.set(name, node);
    this.#folder(dir).durable.set(name, node);
  }

  /** All files by path, as octet strings. */
  files(): Record<string, string> {
    const found: [string, string][] = [];
    for (const [dir, folder] of this.#folders) {
      for (const [name, node] of folder.entries) found.push([`${dir}/${name}`, String.fromCharCode(...node.data)]);
    }
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The disk as the next process finds it when only the process died. */
  afterCrash(): FakeDisk {
    return this.#copy((folder) => folder.entries, (node) => node.data);
  }

  /** The disk as the machine finds it when its power came back. */
  afterPowerLoss(keeps: Keeps): FakeDisk {
    const entriesOf = (folder: Folder, dir: string) => {
      const kept = new Map<string, Node>();
      for (const name of new Set([...folder.durable.keys(), ...folder.entries.keys()])) {
        const before = folder.durable.get(name);
        const after = folder.entries.get(name);
        const node = before === after || keeps(`${dir}/${name}`) === "old" ? before : after;
        if (node !== undefined) kept.set(name, node);
      }
      return kept;
    };
    return this.#copy(entriesOf, (node) => {
      const unsynced = node.data.length !== node.durable.length ||
        node.data.some((octet, at) => octet !== node.durable[at]);
      const kept = unsynced ? keeps(`octets of ${node.inode}`) : "new";
      if (kept !== "torn" || node.data.length <= node.durable.length) return kept === "old" ? node.durable : node.data;
      return node.data.slice(0, Math.ceil((node.data.length + node.durable.length) / 2) - 1);
    });
  }

  #copy(entriesOf: (folder: Folder, dir: string) => Map<string, Node>, dataOf: (node: Node) => Uint8Array): FakeDisk {
    const copy = new FakeDisk(this.#folders.keys(), this.#now);
    copy.#nextInode = this.#nextInode;
    const nodes = new Map<Node, Node>();
    for (const [dir, folder] of this.#folders) {
      for (const [name, node] of entriesOf(folder, dir)) {
        const data = dataOf(node);
        const twin = nodes.get(node) ?? { ...node, data, durable: data };
        nodes.set(node, twin);
        copy.#folder(dir).entries.set(name, twin);
        copy.#folder(dir).durable.set(name, twin);
      }
    }
    return copy;
  }

  // --- Disk

  create(path: string, _mode: number): DiskFile {
    this.#operate(`create ${path}`);
    const [dir, name] = split(path);
    if (this.#folder(dir).entries.has(name)) throw new Deno.errors.AlreadyExists(path);
    const node = {
      inode: this.#nextInode++,
      data: new Uint8Array(),
      durable: new Uint8Array(),
      mtimeSeconds: this.#now(),
    };
    this.#folder(dir).entries.set(name, node);
    return this.#openNode(node, path, 0);
  }

  openWrite(path: string): DiskFile {
    this.#operate(`open ${path}`);
    return this.#openNode(this.#node(path), path, 0);
  }

  openAppend(path: string, mode: number): DiskFile {
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    return node === undefined ? this.create(path, mode) : this.#openNode(node, path, node.data.length);
  }

  readFile(path: string): Uint8Array {
    this.#checkAlive();
    return this.#node(path).data.slice();
  }

  stat(path: string): FileStat | undefined {
    this.#checkAlive();
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    return node &&
      { inode: node.inode, sizeBytes: node.data.length, mtimeSeconds: node.mtimeSeconds, isFile: true };
  }

  link(from: string, to: string): void {
    this.#operate(`link ${from} ${to}`);
    const [dir, name] = split(to);
    const node = this.#node(from);
    if (this.#folder(dir).entries.has(name)) throw new Deno.errors.AlreadyExists(to);
    this.#folder(dir).entries.set(name, node);
  }

  rename(from: string, to: string): void {
    this.#operate(`rename ${from} ${to}`);
    const node = this.#node(from);
    const [fromDir, fromName] = split(from);
    const [toDir, toName] = split(to);
    this.#folder(fromDir).entries.delete(fromName);
    this.#folder(toDir).entries.set(toName, node);
  }

  remove(path: string): void {
    this.#operate(`remove ${path}`);
    const [dir, name] = split(path);
    this.#folder(dir).entries.delete(name);
  }

  setMtime(path: string, seconds: number): void {
    this.#operate(`utime ${path}`);
    this.#node(path).mtimeSeconds = seconds;
  }

  list(dir: string): string[] {
    this.#checkAlive();
    return [...this.#folder(dir).entries.keys()];
  }

  // deno-lint-ignore require-await -- its errors are rejections
  async syncDir(dir: string): Promise<void> {
    this.#operate(`syncdir ${dir}`);
    const { entries, durable } = this.#folder(dir);
    durable.clear();
    for (const [name, node] of entries) durable.set(name, node);
  }

  #operate(what: string): void {
    const n = this.operations.length;
    this.#checkAlive();
    this.operations.push(what);
    const code = this.#failures.get(n);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${what}`), { code });
  }

  #checkAlive(): void {
    if (this.operations.length < this.#stopAt) return;
    this.#stopped = true;
    throw new Crash(`before operation ${this.#stopAt}`);
  }

  #folder(dir: string): Folder {
    const folder = this.#folders.get(dir);
    if (folder === undefined) throw new Deno.errors.NotFound(dir);
    return folder;
  }

  #node(path: string): Node {
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    if (node === undefined) throw new Deno.errors.NotFound(path);
    return node;
  }

  #openNode(node: Node, path: string, start: number): DiskFile {
    let position = start;
    this.open++;
    let isOpen = true;
    const writeAt = (offset: number, octets: Uint8Array) => {
      // A process that is killed in a write leaves a part of it.
      const half = octets.subarray(0, octets.length >> 1);
      if (this.operations.length === this.#stopAt && !this.#stopped) node.data = withOctets(node.data, offset, half);
      this.#operate(`write ${path}`);
      node.data = withOctets(node.data, offset, octets);
      node.mtimeSeconds = this.#now();
      position = offset + octets.length;
    };
    return {
      inode: node.inode,
      write: (octets) => writeAt(position, octets),
      writeAt,
      // deno-lint-ignore require-await -- its errors are rejections
      sync: async () => {
        this.#operate(`sync ${path}`);
        node.durable = node.data;
      },
      close: () => {
        if (isOpen) this.open--;
        isOpen = false;
      },
    };
  }
}
