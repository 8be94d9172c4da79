/**
 * A root directory for programs whose paths and users are compiled in: they run in a chroot of ours, with their libraries
 * and with accounts of that folder alone, and the machine stays as it is.
 * @module
 */
import { existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import { outputOf } from "./programs.ts";

export interface Account {
  readonly name: string;
  readonly id: number;
}

/** Makes what every program expects: devices, accounts, the names of this machine. */
export function makeRoot(dir: string, accounts: readonly Account[]): void {
  for (const folder of ["dev", "etc", "tmp", "var/run", "var/spool", "var/empty"]) {
    Deno.mkdirSync(join(dir, folder), { recursive: true });
  }
  Deno.chmodSync(join(dir, "tmp"), 0o1777);
  outputOf("mknod", ["-m", "666", join(dir, "dev/null"), "c", "1", "3"]);
  const all = [{ name: "root", id: 0 }, ...accounts];
  const passwd = all.map(({ name, id }) => `${name}:x:${id}:${id}::/var/empty:/bin/false\n`);
  Deno.writeTextFileSync(join(dir, "etc/passwd"), passwd.join(""));
  Deno.writeTextFileSync(join(dir, "etc/group"), all.map(({ name, id }) => `${name}:x:${id}:\n`).join(""));
  Deno.writeTextFileSync(join(dir, "etc/hosts"), "127.0.0.1 localhost load.example sink.example\n");
  // Nobody listens there: a question is answered at once, by a refusal of the kernel's.
  Deno.writeTextFileSync(
    join(dir, "etc/resolv.conf"),
    "nameserver 127.0.0.1\nlookup file\noptions timeout:1 attempts:1\n",
  );
}

/** Brings an executable, or all of a folder, from `unpacked` or from the machine, with the libraries it needs. */
export function bring(dir: string, path: string, unpacked: string): void {
  const from = existsSync(unpacked + path) ? unpacked + path : path;
  if (Deno.statSync(from).isDirectory) {
    for (const { name, isFile } of Deno.readDirSync(from)) if (isFile) bring(dir, `${path}/${name}`, unpacked);
    return;
  }
  copy(dir, from, path);
  for (const [library] of librariesOf(from).matchAll(/\/[^ \n]+(?= \(0x)/g)) {
    if (!existsSync(dir + library)) copy(dir, library, library);
  }
}

/** A script has none, which ldd calls an error. */
function librariesOf(program: string): string {
  const { stdout } = new Deno.Command("ldd", { args: [program], stdin: "null", stderr: "null" }).outputSync();
  return new TextDecoder().decode(stdout);
}

function copy(dir: string, from: string, to: string): void {
  Deno.mkdirSync(dirname(dir + to), { recursive: true });
  Deno.copyFileSync(from, dir + to);
}
