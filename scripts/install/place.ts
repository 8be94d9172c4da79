/**
 * Where an installation goes: a prefix on a machine, which a scratch root may stand for.
 * @module
 */
import { join, resolve } from "@std/path";

export interface Place {
  /** What stands for `/`: where etc/passwd, usr/sbin/sendmail and the launchers of services are looked for. */
  readonly root: string;
  /** The home, below `root` already. */
  readonly prefix: string;
}

/** `prefix` as the machine below `root` names it. */
export function placeAt(prefix: string, root = "/"): Place {
  const base = resolve(root);
  return { root: base, prefix: base === "/" ? resolve(prefix) : join(base, resolve("/", prefix)) };
}

/** `path` of the machine, as it is named from here. */
export function onMachine({ root }: Place, path: string): string {
  return root === "/" ? path : join(root, path);
}

/** The other way round: a path as the machine itself names it. */
export function asMachineSays({ root }: Place, path: string): string {
  if (root === "/" || !path.startsWith(root)) return path;
  return path.slice(root.length) || "/";
}
