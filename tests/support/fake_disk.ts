/**
 * A disk in memory that can stop, fail and lose power. It counts the operations that change something (and the syncs):
 *
 * - `stopAt(n)`: operation n and all after it throw {@link Crash}, a write leaves half of its octets first: the process
 *   was killed. What was done before is still to be seen ({@link FakeDisk.afterCrash}).
 * - `failAt(n, "ENOSPC")`: operation n throws that, the others work; `failAt(n, "EIO", "half")`: a write leaves half of
 *   its octets first.
 * - `afterPowerLoss(keeps)`: what the machine finds when it comes back. Entries of a folder and octets of a file that
 *   were not synced are there or not, as `keeps` says for each; a file may be torn.
 * - `loseSyncs(matches)`: syncs that are said to be done and are not, to see that a test would notice.
 *
 * Inodes count upwards, or, with `reuseInodes()`, one that came free is the next file's, as file systems do it. Where
 * such a file outlives a power loss, so do the removals that came before it: a file system that gave an inode out before
 * they are on stable storage would have two files in one place.
 * @module
 */
import type { Disk, DiskFile, FileStat, Held } from "../../components/lib/disk/disk.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { type Folder, type Keeps, type Node, ownersOf, survivingOctets, withOctets } from "./fake_disk_nodes.ts";

export type { Keeps };

/** The process ends here. */
export class Crash extends Error {
  override name = "Crash";
}

function split(path: string): [string, string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

interface Failure {
  readonly code: string;
  readonly half: boolean;
}

export class FakeDisk implements Disk {
  readonly #folders = new Map<string, Folder>();
  readonly #now: () => number;
  #nextInode = 1001;
  #made = 0;
  /** Inodes that came free, the last one the next to be given; undefined: none comes back. */
  #freed: number[] | undefined;
  readonly #openNodes = new Map<Node, number>();
  #stopAt = Infinity;
  #stopped = false;
  #losesSync: (operation: string) => boolean = () => false;
  readonly #failures = new Map<number, Failure>();
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

  /** Whether {@link stopAt}'s operation was asked for, or {@link stopNow}. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Operation `n` throws an error of this code; with `half`, a write leaves half of its octets. */
  failAt(n: number, code: string, half?: "half"): void {
    this.#failures.set(n, { code, half: half !== undefined });
  }

  /** Of the operations whose line matches, `sync PATH` and `syncdir PATH`, none makes anything durable. */
  loseSyncs(matches: (operation: string) => boolean): void {
    this.#losesSync = matches;
  }

  /** From here on, the inode that came free last is the next file's. */
  reuseInodes(): void {
    this.#freed ??= [];
  }

  /** The number of the next new file. */
  setNextInode(inode: number): void {
    this.#nextInode = inode;
  }

  /** A file that is there from the beginning, on stable storage. */
  put(path: string, data: Uint8Array, mtimeSeconds = this.#now()): void {
    const [dir, name] = split(path);
    const node = { inode: this.#nextInode++, made: this.#made++, data, durable: data, mtimeSeconds };
    this.#folder(dir).entries.set(name, node);
    this.#folder(dir).durable.set(name, node);
  }

  /** All files by path, as octet strings. */
  files(): Record<string, string> {
    const found: [string, string][] = [];
    for (const [dir, folder] of this.#folders) {
      for (const [name, node] of folder.entries) found.push([`${dir}/${name}`, fromOctets(node.data)]);
    }
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The disk as the next process finds it when only the process died; what was not synced may still be lost. */
  afterCrash(): FakeDisk {
    const copy = this.#copy((folder) => folder.entries, (node) => node);
    const twins = new Map<Node, Node>();
    for (const [dir, { entries }] of this.#folders) {
      for (const [name, node] of entries) twins.set(node, copy.#folder(dir).entries.get(name)!);
    }
    for (const [dir, { durable }] of this.#folders) {
      const kept = copy.#folder(dir).durable;
      kept.clear();
      for (const [name, node] of durable) kept.set(name, twins.get(node) ?? node);
    }
    return copy;
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
      const data = survivingOctets(node, keeps);
      return { data, durable: data };
    });
  }

  #copy(
    entriesOf: (folder: Folder, dir: string) => Map<string, Node>,
    contentOf: (node: Node) => { readonly data: Uint8Array; readonly durable: Uint8Array },
  ): FakeDisk {
    const copy = new FakeDisk(this.#folders.keys(), this.#now);
    copy.#nextInode = this.#nextInode;
    copy.#made = this.#made;
    copy.#losesSync = this.#losesSync;
    const kept = new Map(Array.from(this.#folders, ([dir, folder]) => [dir, entriesOf(folder, dir)]));
    const owners = ownersOf([...kept.values()].flatMap((entries) => [...entries.values()]));
    for (const { removedBefore } of owners.values()) {
      for (const { dir, name, node } of removedBefore ?? []) {
        // Not where the same file has got the same name again.
        const still = this.#folder(dir).entries.get(name) !== node;
        if (still && kept.get(dir)?.get(name) === node) kept.get(dir)?.delete(name);
      }
    }
    const twins = new Map<Node, Node>();
    for (const [dir, entries] of kept) {
      for (const [name, node] of entries) {
        if (owners.get(node.inode) !== node) continue;
        const { data, durable } = contentOf(node);
        const twin = twins.get(node) ?? { ...node, data, durable };
        twins.set(node, twin);
        copy.#folder(dir).entries.set(name, twin);
        copy.#folder(dir).durable.set(name, twin);
      }
    }
    // What was open, or has lost its names, is free now.
    if (this.#freed !== undefined) copy.#freed = [...new Set(this.#inodes())].filter((inode) => !owners.has(inode));
    return copy;
  }

  *#inodes(): Generator<number> {
    for (const { entries, durable } of this.#folders.values()) {
      for (const { inode } of [...entries.values(), ...durable.values()]) yield inode;
    }
    for (const { inode } of this.#openNodes.keys()) yield inode;
    yield* this.#freed ?? [];
  }

  #newInode(): Pick<Node, "inode" | "removedBefore"> {
    const inode = this.#freed?.pop();
    if (inode === undefined) return { inode: this.#nextInode++ };
    const removedBefore = Array.from(
      this.#folders,
      ([dir, { entries, durable }]) =>
        [...durable].filter(([name, node]) => entries.get(name) !== node).map(([name, node]) => ({ dir, name, node })),
    ).flat();
    return { inode, removedBefore };
  }

  /** Its inode is free when it has no name and nobody has it open. */
  #unlinked(node: Node | undefined): void {
    if (this.#freed === undefined || node === undefined || this.#openNodes.has(node)) return;
    for (const { entries } of this.#folders.values()) for (const other of entries.values()) if (other === node) return;
    if (!this.#freed.includes(node.inode)) this.#freed.push(node.inode);
  }

  // --- Disk

  create(path: string, _mode: number): DiskFile {
    this.#operate(`create ${path}`);
    const [dir, name] = split(path);
    if (this.#folder(dir).entries.has(name)) throw new Deno.errors.AlreadyExists(path);
    const node = {
      ...this.#newInode(),
      made: this.#made++,
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

  openEmpty(path: string): DiskFile {
    this.#operate(`empty ${path}`);
    const node = this.#node(path);
    node.data = new Uint8Array();
    return this.#openNode(node, path, 0);
  }

  openAppend(path: string, mode: number): DiskFile {
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    return node === undefined ? this.create(path, mode) : this.#openNode(node, path, node.data.length);
  }

  hold(path: string): Held | undefined {
    this.#checkAlive();
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    return node && this.#openNode(node, path, 0);
  }

  readFile(path: string): Uint8Array {
    this.#checkAlive();
    return this.#node(path).data.slice();
  }

  readStart(path: string, count: number): Uint8Array {
    return this.readFile(path).subarray(0, count);
  }

  exists(path: string): boolean {
    return this.stat(path) !== undefined;
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
    const replaced = this.#folder(toDir).entries.get(toName);
    this.#folder(fromDir).entries.delete(fromName);
    this.#folder(toDir).entries.set(toName, node);
    this.#unlinked(replaced);
  }

  remove(path: string): void {
    this.#operate(`remove ${path}`);
    const [dir, name] = split(path);
    const node = this.#folder(dir).entries.get(name);
    this.#folder(dir).entries.delete(name);
    this.#unlinked(node);
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
  async listLong(dir: string): Promise<string[]> {
    return this.list(dir);
  }

  // deno-lint-ignore require-await -- its errors are rejections
  async syncDir(dir: string): Promise<void> {
    if (this.#operate(`syncdir ${dir}`) === "lost") return;
    const { entries, durable } = this.#folder(dir);
    durable.clear();
    for (const [name, node] of entries) durable.set(name, node);
  }

  #operate(what: string): "done" | "lost" {
    const n = this.operations.length;
    this.#checkAlive();
    this.operations.push(what);
    const failure = this.#failures.get(n);
    if (failure !== undefined) throw Object.assign(new Error(`${failure.code}: ${what}`), { code: failure.code });
    return this.#losesSync(what) ? "lost" : "done";
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

  #closeNode(node: Node): void {
    const left = this.#openNodes.get(node)! - 1;
    if (left > 0) return void this.#openNodes.set(node, left);
    this.#openNodes.delete(node);
    this.#unlinked(node);
  }

  #openNode(node: Node, path: string, start: number): DiskFile {
    let position = start;
    this.open++;
    this.#openNodes.set(node, (this.#openNodes.get(node) ?? 0) + 1);
    let isOpen = true;
    const writeAt = (offset: number, octets: Uint8Array) => {
      // A process that is killed in a write leaves a part of it.
      const n = this.operations.length;
      const half = octets.subarray(0, octets.length >> 1);
      if (n === this.#stopAt ? !this.#stopped : n < this.#stopAt && this.#failures.get(n)?.half === true) {
        node.data = withOctets(node.data, offset, half);
      }
      this.#operate(`write ${path}`);
      node.data = withOctets(node.data, offset, octets);
      node.mtimeSeconds = this.#now();
      position = offset + octets.length;
    };
    return {
      get inode() {
        if (!isOpen) throw new Deno.errors.BadResource(`${path} is closed`);
        return node.inode;
      },
      sizeBytes: node.data.length,
      write: (octets) => writeAt(position, octets),
      writeAt,
      // deno-lint-ignore require-await -- its errors are rejections
      writeMuch: async (offset, octets) => writeAt(offset, octets),
      readAt: (offset, count) => {
        this.#checkAlive();
        return node.data.slice(offset, offset + count);
      },
      syncNow: () => {
        if (this.#operate(`sync ${path}`) === "done") node.durable = node.data;
      },
      // deno-lint-ignore require-await -- its errors are rejections
      sync: async () => {
        if (this.#operate(`sync ${path}`) === "done") node.durable = node.data;
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.open--;
        this.#closeNode(node);
      },
    };
  }
}
