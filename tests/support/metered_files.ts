/**
 * Counts calls that ask the system for something in its files, by kind, whichever of Deno's and node's functions make them.
 * Syncs are counted and not carried out: each takes one turn of the event loop, so that it is always the same ones that
 * share one.
 * @module
 */
import fs from "node:fs";
import type { Tally } from "./budget.ts";

const kinds: Readonly<Record<string, readonly string[]>> = {
  opens: ["open", "create"],
  looks: ["stat", "lstat", "realPath", "readLink"],
  reads: ["readFile", "readTextFile"],
  writes: ["writeFile", "writeTextFile"],
  renames: ["rename"],
  links: ["link", "symlink"],
  removes: ["remove"],
  "folder listings": ["readDir"],
  "other calls": ["mkdir", "chmod", "chown", "utime", "truncate", "copyFile", "makeTempFile", "makeTempDir"],
};
const ofFile: Readonly<Record<string, readonly string[]>> = {
  reads: ["read"],
  writes: ["write"],
  looks: ["stat"],
  "other calls": ["truncate", "utime"],
};
const ofNode: Readonly<Record<string, readonly string[]>> = {
  opens: ["open"],
  looks: ["stat", "lstat", "fstat", "exists", "realpath"],
  reads: ["read", "readFile"],
  writes: ["write", "writeFile", "appendFile"],
  syncs: ["fsync", "fdatasync"],
  renames: ["rename"],
  links: ["link", "symlink"],
  removes: ["unlink", "rm"],
  "folder listings": ["readdir"],
};

type Functions = Record<string, unknown>;

export function meterFiles(tally: Tally): Disposable {
  const undo: (() => void)[] = [];
  const replace = (of: object, name: string, other: unknown) => {
    const functions = of as Functions;
    const original = functions[name];
    functions[name] = other;
    undo.push(() => functions[name] = original);
  };
  // Some of node's call Deno's; what somebody asked for is counted once.
  let counting = false;
  const count = (of: object, table: typeof kinds) => {
    for (const [kind, names] of Object.entries(table)) {
      for (const name of names.flatMap((name) => [name, `${name}Sync`])) {
        const original = (of as Functions)[name];
        if (typeof original !== "function") continue;
        replace(of, name, function (this: unknown, ...args: unknown[]) {
          if (counting) return original.apply(this, args);
          tally.add(kind);
          counting = true;
          try {
            return original.apply(this, args);
          } finally {
            counting = false;
          }
        });
      }
    }
  };
  const { statSync } = Deno.FsFile.prototype;
  const kindOf = (file: Deno.FsFile) => statSync.call(file).isDirectory ? "folder syncs" : "syncs";
  for (const name of ["sync", "syncData"]) {
    replace(Deno.FsFile.prototype, name, function (this: Deno.FsFile) {
      tally.add(kindOf(this));
      return new Promise<void>((resolve) => setImmediate(() => resolve()));
    });
    replace(Deno.FsFile.prototype, `${name}Sync`, function (this: Deno.FsFile) {
      tally.add(kindOf(this));
    });
  }
  count(Deno, kinds);
  count(Deno.FsFile.prototype, ofFile);
  count(fs, ofNode);
  return { [Symbol.dispose]: () => undo.forEach((back) => back()) };
}
