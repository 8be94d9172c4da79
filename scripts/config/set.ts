/**
 * `dqmail config set`: one control file is replaced whole, after all of them have been read with the new one in its place
 * as a start reads them. What was there before is kept as `FILE.old`.
 * @module
 */
import fs from "node:fs";
import { existsSync } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Account, Ids } from "../../components/lib/permissions/grant.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import type { Home } from "../../config/home.ts";
import { type ControlFile, type Row, schema } from "../../config/schema.ts";
import { preparingIds } from "../home/prepare.ts";

/** Whose a file with a secret in it is, and who may read it. */
interface Sealed {
  readonly owner: Account;
  readonly group: Account;
  readonly mode: number;
}

const routes: Sealed = { owner: "qmailr", group: "qmailr", mode: 0o600 };

/** Of each control file that may hold a secret. */
export const sealedControls: ReadonlyMap<ControlFile, Sealed> = new Map([
  ["admintoken", { owner: "root", group: "qmailw", mode: 0o640 }],
  ["authsenders", routes],
  ["smtproutes", routes],
  ["srssecret", { owner: "qmailp", group: "qmails", mode: 0o640 }],
]);

export interface Change {
  readonly file: ControlFile;
  /** The whole new file; undefined: there is to be none. */
  readonly octets: Uint8Array | undefined;
  /** Nothing is written. */
  readonly dryRun: boolean;
}

export interface Changed {
  readonly path: string;
  /** Where the earlier file is; absent: there was none, or nothing was written. */
  readonly old?: string;
}

/** Makes the change. Errors: why a start would not take it, a line each; nothing has changed then. Throws what the disk says. */
export function setControl(home: Home, { file, octets, dryRun }: Change): Result<Changed, readonly string[]> {
  // The file may be a link into a folder that somebody keeps elsewhere.
  const path = ifThere(() => Deno.realPathSync(home.control(file))) ?? home.control(file);
  const fresh = join(dirname(path), `.${basename(path)}.${Deno.pid}.new`);
  // Grants are for control/ alone: a file elsewhere is looked at from there, as the one in its place is.
  const seen = home.control(`.${file}.${Deno.pid}.new`);
  const before = new Set(defectsOf(home));
  try {
    if (octets !== undefined) writeFresh(fresh, path, file, octets);
    if (seen !== fresh) Deno.symlinkSync(fresh, seen);
    // All the others are read where they are.
    const changed: Home = { ...home, control: (name) => name === file ? seen : home.control(name) };
    const defects = defectsOf(changed).filter((line) => !before.has(line));
    if (defects.length > 0) return err(defects);
    if (dryRun) return ok({ path });
    const old = keepOld(path);
    if (octets !== undefined) Deno.renameSync(fresh, path);
    else if (old !== undefined) Deno.removeSync(path);
    syncFolder(dirname(path));
    return ok({ path, ...(old === undefined ? {} : { old }) });
  } finally {
    for (const name of new Set([seen, fresh])) ifThere(() => Deno.removeSync(name));
  }
}

function defectsOf(home: Home): readonly string[] {
  const config = readConfig(home, 0);
  return "controls" in config ? [] : config;
}

/** Who may read a file goes on being who may read it; nobody else may read a secret that is new. */
function writeFresh(fresh: string, path: string, file: ControlFile, octets: Uint8Array): void {
  const earlier = ifThere(() => Deno.statSync(path));
  const own = Deno.uid() === 0 && earlier !== undefined ? idsOf(earlier) : undefined;
  const sealed = sealFor(file, octets);
  const openToAll = ((earlier?.mode ?? 0o644) & 0o007) !== 0;
  const closes = sealed !== undefined && openToAll;
  const ids = closes ? preparingIds() : undefined;
  const owner = ids === undefined || sealed === undefined
    ? own
    : { uid: ids[sealed.owner].uid, gid: ids[sealed.group].gid };
  const mode = closes ? sealed.mode : (earlier?.mode ?? 0o644) & 0o777;
  const handle = fs.openSync(fresh, "wx", 0o600);
  try {
    fs.writeFileSync(handle, octets);
    if (owner !== undefined) fs.fchownSync(handle, owner.uid, owner.gid);
    fs.fchmodSync(handle, mode);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function idsOf({ uid, gid }: Deno.FileInfo): Ids | undefined {
  return uid === null || gid === null ? undefined : { uid, gid };
}

/** Whose it has to be where there is a secret in it: what is not shown to people. */
function sealFor(file: ControlFile, octets: Uint8Array): Sealed | undefined {
  const { shown } = schema[file] as Row<unknown>;
  const text = fromOctets(octets);
  return shown === undefined || shown(text) === text ? undefined : sealedControls.get(file);
}

/** A second name for the file that is there, so that it keeps owner and mode; answers it. */
function keepOld(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const [old, fresh] = [`${path}.old`, `${path}.old.${Deno.pid}.new`];
  Deno.linkSync(path, fresh);
  Deno.renameSync(fresh, old);
  return old;
}

function syncFolder(path: string): void {
  using folder = Deno.openSync(path, { read: true });
  folder.syncSync();
}
