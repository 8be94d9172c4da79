/**
 * What was at a place before it is changed: looked at, kept, and put back octet for octet with its owner, mode and time.
 * @module
 */
import fs from "node:fs";
import { dirname } from "@std/path";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { type Before, type Entry, installDir, type Manifest, type Owned, writeManifest } from "./manifest.ts";
import type { Place } from "./place.ts";

function ownedOf({ uid, gid, mode }: Deno.FileInfo): Owned {
  return { uid: uid ?? 0, gid: gid ?? 0, mode: (mode ?? 0) & 0o7777 };
}

function syncFolder(path: string): void {
  using folder = Deno.openSync(path, { read: true });
  folder.syncSync();
}

/** Copies a file to a new one that only its owner can read, and waits for the disk. */
function copyWhole(from: string, to: string): void {
  using file = Deno.openSync(to, { write: true, create: true, truncate: true, mode: 0o600 });
  using source = Deno.openSync(from, { read: true });
  const buffer = new Uint8Array(1 << 16);
  for (let count = source.readSync(buffer); count !== null; count = source.readSync(buffer)) {
    for (let at = 0; at < count;) at += file.writeSync(buffer.subarray(at, count));
  }
  file.syncSync();
}

/** The record while an installation is made. */
export class Keeper {
  #manifest: Manifest;
  readonly #place: Place;
  readonly #known: Set<string>;
  readonly #onSave: () => void;

  /** `onSave` is called whenever the record is on the disk. */
  constructor(place: Place, manifest: Manifest, onSave: () => void) {
    this.#place = place;
    this.#onSave = onSave;
    this.#manifest = manifest;
    this.#known = new Set(manifest.entries.flatMap((entry) => entry.kind === "path" ? entry.path : []));
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Says how far it is, on the disk. */
  setState(state: Manifest["state"]): void {
    this.#manifest = { ...this.#manifest, state };
    writeManifest(this.#place, this.#manifest);
    this.#onSave();
  }

  /** Notes what is no path; once. */
  add(entry: Exclude<Entry, { kind: "path" }>): void {
    if (this.#manifest.entries.some((one) => JSON.stringify(one) === JSON.stringify(entry))) return;
    this.#save([entry]);
  }

  /** Keeps what is at `paths` now. To be called before any of them is changed; a place that is known already stays as it is. */
  keep(paths: Iterable<string>, { ownerOnly = false }: { ownerOnly?: boolean } = {}): void {
    const entries: Entry[] = [];
    const dir = installDir(this.#place, "kept");
    for (const path of paths) {
      if (this.#known.has(path)) continue;
      this.#known.add(path);
      const number = this.#manifest.entries.length + entries.length;
      entries.push({ kind: "path", path, before: this.#look(path, `${dir}/${number}`, ownerOnly) });
    }
    if (entries.length === 0) return;
    if (ifThere(() => Deno.statSync(dir)) !== undefined) syncFolder(dir);
    this.#save(entries);
  }

  /** Notes places as empty that an earlier run of ours may have filled already. */
  keepAsAbsent(paths: Iterable<string>): void {
    const entries = [...paths].filter((path) => !this.#known.has(path))
      .map((path): Entry => ({ kind: "path", path, before: { kind: "absent" } }));
    for (const entry of entries) if (entry.kind === "path") this.#known.add(entry.path);
    if (entries.length > 0) this.#save(entries);
  }

  #look(path: string, kept: string, ownerOnly: boolean): Before {
    const info = ifThere(() => Deno.lstatSync(path));
    if (info === undefined) return { kind: "absent" };
    if (info.isSymlink) return { kind: "link", to: Deno.readLinkSync(path) };
    if (info.isDirectory) return { kind: "folder", ...ownedOf(info) };
    if (ownerOnly || !info.isFile) return { kind: "owner", ...ownedOf(info) };
    Deno.mkdirSync(dirname(kept), { recursive: true, mode: 0o700 });
    copyWhole(path, kept);
    return { kind: "file", kept, mtimeMs: info.mtime?.getTime() ?? 0, ...ownedOf(info) };
  }

  #save(entries: readonly Entry[]): void {
    this.#manifest = { ...this.#manifest, entries: [...this.#manifest.entries, ...entries] };
    writeManifest(this.#place, this.#manifest);
    this.#onSave();
  }
}

function give(path: string, { uid, gid, mode }: Owned): void {
  const now = ifThere(() => Deno.lstatSync(path));
  if (now === undefined || now.isSymlink) return;
  if (now.uid !== uid || now.gid !== gid) Deno.chownSync(path, uid, gid);
  // After the owner, whose change takes set-id bits away.
  if (((Deno.lstatSync(path).mode ?? 0) & 0o7777) !== mode) Deno.chmodSync(path, mode);
}

/** Puts one back. What is as it was stays untouched. Not for what was absent. */
export function putBack(path: string, before: Exclude<Before, { kind: "absent" }>): void {
  switch (before.kind) {
    case "owner":
      return give(path, before);
    case "folder":
      Deno.mkdirSync(path, { recursive: true });
      return give(path, before);
    case "link": {
      const now = ifThere(() => Deno.lstatSync(path));
      if (now?.isSymlink === true && Deno.readLinkSync(path) === before.to) return;
      replaceBy(path, (fresh) => Deno.symlinkSync(before.to, fresh));
      return;
    }
    case "file":
      return putBackFile(path, before);
  }
}

function putBackFile(path: string, before: Extract<Before, { kind: "file" }>): void {
  const now = ifThere(() => Deno.lstatSync(path));
  if (now?.isFile !== true || !sameOctets(path, before.kept)) {
    replaceBy(path, (fresh) => {
      copyWhole(before.kept, fresh);
      give(fresh, before);
      Deno.utimeSync(fresh, new Date(before.mtimeMs), new Date(before.mtimeMs));
    });
  }
  give(path, before);
}

function replaceBy(path: string, make: (fresh: string) => void): void {
  const fresh = `${path}.before-dqmail.new`;
  ifThere(() => Deno.removeSync(fresh));
  make(fresh);
  fs.renameSync(fresh, path);
  syncFolder(dirname(path));
}

function sameOctets(a: string, b: string): boolean {
  const [one, two] = [Deno.readFileSync(a), Deno.readFileSync(b)];
  return one.length === two.length && one.every((octet, at) => octet === two[at]);
}
