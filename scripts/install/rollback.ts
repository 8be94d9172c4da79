/**
 * Gives an installation back: the journal is emptied into qmail's layout, every place becomes what it was, and what was
 * made since and may be wanted again is moved into install/left or stays where it is. The record stays until all of it is
 * done, so a rollback that was interrupted is completed by another.
 * @module
 */
import { existsSync } from "@std/fs";
import { basename, dirname, join, relative } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { ownDirs } from "../../components/lib/queue/layout.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { foldersOf as numberedFolders, splitOf } from "../home/queue_split.ts";
import { drainStopped } from "../queue/drain_stopped.ts";
import { lockQueue } from "../queue/running.ts";
import { removeGroup, removeUser } from "./accounts.ts";
import { runCommand, undivert } from "./commands.ts";
import { Keeper, putBack } from "./keep.ts";
import { type Entry, installDir, type Manifest } from "./manifest.ts";
import { asMachineSays, onMachine, type Place } from "./place.ts";

export interface RollbackOptions {
  readonly say: (line: string) => void;
  readonly checkpoint?: () => void;
}

export interface RolledBack {
  /** Messages that were moved out of the journal. */
  readonly drained: number;
  /** Messages that wait in the queue; where qmail was, it goes on with them. */
  readonly waiting: number;
  /** What stays though nothing was there before: it holds something. */
  readonly stays: readonly string[];
}

/** Throws where somebody runs there, or where a step fails: then it is to be run again. */
export async function rollBack(place: Place, manifest: Manifest, options: RollbackOptions): Promise<RolledBack> {
  const { say, checkpoint = () => {} } = options;
  const keeper = new Keeper(place, manifest, checkpoint);
  keeper.setState("rolling back");
  const split = splitOf(numberedFolders(homeAt(place.prefix)));
  const home = homeAt(place.prefix, split.ok && split.value > 0 ? { queueSplit: split.value } : {});
  // An install that was broken off early knows nothing of the locks that are taken now.
  keeper.keep(locksOf(home), { ownerOnly: true });
  const drained = existsSync(home.queue("journal")) ? await drain(home) : 0;
  if (drained > 0) say(`${drained} messages moved from the journal into qmail's layout`);
  checkpoint();

  const waiting = await whileStopped(home, () => {
    releaseHeld(home);
    for (const entry of keeper.manifest.entries.toReversed()) {
      if (entry.kind !== "path") continue;
      if (entry.before.kind === "absent") remove(place, home, entry.path);
      else {
        putBack(entry.path, entry.before);
        giveQueueFiles(home, entry);
      }
      checkpoint();
    }
    removeLaterPrograms(home, keeper.manifest);
    return countWaiting(home);
  });
  // The locks were held until now, and what they lie in had to stay.
  for (const path of locksOf(home)) if (wasAbsent(keeper.manifest, path)) ifThere(() => Deno.removeSync(path));
  const stays = keeper.manifest.entries.toReversed().flatMap((entry) =>
    entry.kind === "path" && entry.before.kind === "absent" && entry.path !== place.prefix
      ? remove(place, home, entry.path)
      : []
  );
  for (const entry of keeper.manifest.entries.toReversed()) takeBack(place, entry, stays, say);
  keeper.setState("rolled back");
  return { drained, waiting, stays: outermost(stays) };
}

/** What was broken off may have made, or removed, a part of the folders that this needs. */
async function drain(home: Home): Promise<number> {
  for (const dir of ownDirs) Deno.mkdirSync(home.queue(dir), { recursive: true });
  return await drainStopped(home);
}

function locksOf(home: Home): string[] {
  return ["sendmutex", "queuemutex"].map((name) => home.queue("lock", name));
}

/** qmail knows no held messages: it would wait for the time that stands for "never". */
function releaseHeld(home: Home): void {
  const now = new Date();
  for (const dir of ["local", "remote"]) {
    for (let part = 0; part < home.queueSplit; part++) {
      const folder = home.queue(dir, String(part));
      for (const { name } of ifThere(() => [...Deno.readDirSync(folder)]) ?? []) {
        const file = join(folder, name);
        const due = ifThere(() => Deno.lstatSync(file).mtime?.getTime()) ?? 0;
        if (due / 1000 >= heldSeconds) Deno.utimeSync(file, now, now);
      }
    }
  }
}

async function whileStopped<T>(home: Home, work: () => T): Promise<T> {
  if (!existsSync(home.queue("lock"))) return work();
  using _locks = await lockQueue(home);
  return work();
}

function wasAbsent(manifest: Manifest, path: string): boolean {
  return manifest.entries.some((entry) =>
    entry.kind === "path" && entry.path === path && entry.before.kind === "absent"
  );
}

/** Programs that a newer dqmail has added to bin/ since; they run from libexec/, which goes. */
function removeLaterPrograms(home: Home, { entries }: Manifest): void {
  const known = new Set(entries.flatMap((entry) => entry.kind === "path" ? entry.path : []));
  for (const { name, isFile } of ifThere(() => [...Deno.readDirSync(home.bin())]) ?? []) {
    const path = home.bin(name);
    if (!isFile || known.has(path) || Deno.lstatSync(path).size > mostScriptBytes) continue;
    const text = fromOctets(Deno.readFileSync(path));
    if (text.startsWith("#!") && text.includes(" DENO_DIR=")) Deno.removeSync(path);
  }
}

/** Larger is no script of ours. */
const mostScriptBytes = 1024 * 1024;

/** Files of messages belong to whom their folder belongs to. */
function giveQueueFiles(home: Home, { path, before }: Extract<Entry, { kind: "path" }>): void {
  if (before.kind !== "folder" || !path.startsWith(`${home.queue()}/`) || path === home.queue("lock")) return;
  for (const { name, isFile } of Deno.readDirSync(path)) {
    if (!isFile) continue;
    const file = join(path, name);
    const now = Deno.lstatSync(file);
    if (now.uid === before.uid && now.gid === before.gid) continue;
    Deno.chownSync(file, before.uid, before.gid);
    Deno.chmodSync(file, (now.mode ?? 0) & 0o7777);
  }
}

/** What is made again from the code, or has been emptied. */
function isMadeAnew(home: Home, path: string): boolean {
  return [home.libexec(), home.run(), home.queue("journal"), home.queue("options"), home.queue("delayed")]
    .some((folder) => path === folder || path.startsWith(`${folder}/`));
}

function holdsFiles(path: string): boolean {
  return Array.from(Deno.readDirSync(path)).some(({ name, isDirectory }) =>
    !isDirectory || holdsFiles(join(path, name))
  );
}

/** Removes what was not there before; answers what has to stay. */
function remove(place: Place, home: Home, path: string): string[] {
  const info = ifThere(() => Deno.lstatSync(path));
  if (info === undefined || locksOf(home).includes(path)) return [];
  if (!info.isDirectory) {
    const isOperators = [home.control(""), home.users(""), join(home.dir, "alias")].some((folder) =>
      dirname(path) === folder.replace(/\/$/, "")
    );
    if (isOperators) setAside(place, path);
    else Deno.removeSync(path);
    return [];
  }
  if (!isMadeAnew(home, path) && holdsFiles(path)) return [path];
  Deno.removeSync(path, { recursive: true });
  return [];
}

function setAside(place: Place, path: string): void {
  const aside = installDir(place, "left", relative(place.prefix, path));
  Deno.mkdirSync(dirname(aside), { recursive: true, mode: 0o700 });
  Deno.renameSync(path, aside);
}

function countWaiting(home: Home): number {
  return Array.from({ length: home.queueSplit }, (_, part) => home.queue("mess", String(part)))
    .reduce((count, folder) => count + (ifThere(() => [...Deno.readDirSync(folder)].length) ?? 0), 0);
}

/** Accounts and diversions, after everything that belongs to them. */
function takeBack(place: Place, entry: Entry, stays: readonly string[], say: (line: string) => void): void {
  switch (entry.kind) {
    case "path":
      return;
    case "diversion": {
      const path = onMachine(place, entry.path);
      const to = ifThere(() => Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined);
      if (to === `${asMachineSays(place, place.prefix)}/bin/${basename(entry.path)}`) Deno.removeSync(path);
      return undivert(place, entry.path, entry.to);
    }
    case "user":
      return removeAccount(place, { ...entry, file: "passwd", command: removeUser }, stays, say);
    case "group":
      return removeAccount(place, { ...entry, file: "group", command: removeGroup }, stays, say);
  }
}

interface MadeAccount {
  readonly kind: "user" | "group";
  readonly name: string;
  /** Where its number is found. */
  readonly file: "passwd" | "group";
  readonly command: (name: string, root: string) => string[];
}

/** Who still owns something keeps the name, so that no other account is given the number, and what is left with it. */
function removeAccount(
  place: Place,
  { kind, name, file, command }: MadeAccount,
  stays: readonly string[],
  say: (line: string) => void,
): void {
  const lines = Deno.readTextFileSync(onMachine(place, `/etc/${file}`)).split("\n").map((line) => line.split(":"));
  const line = lines.find(([first]) => first === name);
  if (line === undefined) return;
  const number = Number(line[2]);
  if (stays.some((path) => ownsBelow(path, kind === "user" ? "uid" : "gid", number))) {
    return say(`${kind} ${name} stays, for what is left belongs to it`);
  }
  runCommand(command(name, place.root));
}

function ownsBelow(path: string, field: "uid" | "gid", number: number): boolean {
  const info = Deno.lstatSync(path);
  if (info[field] === number) return true;
  return info.isDirectory &&
    Array.from(Deno.readDirSync(path)).some(({ name }) => ownsBelow(join(path, name), field, number));
}

/** Without what lies in one of the others. */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`))).sort();
}
