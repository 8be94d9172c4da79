/**
 * Programs that cannot be installed beside each other (one machine has one mail server), unpacked into a folder instead
 * (`dpkg-deb -x`): each runs in a root directory of a test's own, with its libraries, its users and its paths, and the
 * machine stays as it is.
 * @module
 */
import { existsSync } from "@std/fs";
import { dirname } from "@std/path";
import { findProgram, type Need, type Run, runProgram } from "./program.ts";
import { makeBaseDir } from "./system.ts";

/** Where packages were unpacked. */
const unpacked = Deno.env.get("TEST_PROGRAMS") ?? "/opt/dqmail-tests";

/** The first of `programs`, paths as a package has them, that is neither unpacked nor installed. */
function firstMissing(programs: readonly string[]): string | undefined {
  return programs.find((path) => !existsSync(unpacked + path) && !existsSync(path));
}

/** What a test needs that runs these programs in a {@link ProgramRoot}. */
export function needsRootFor(programs: readonly string[]): Need {
  const missing = firstMissing(programs);
  if (missing !== undefined) {
    return { ignore: true, note: ` (skipped: ${missing} is neither installed nor below ${unpacked})` };
  }
  const tool = ["ldd", "mknod", "chroot"].find((name) => findProgram(name) === undefined);
  if (tool !== undefined) return { ignore: true, note: ` (skipped: ${tool} is not installed)` };
  if (Deno.uid() !== 0) return { ignore: true, note: " (skipped: needs root)" };
  return mayMakeRoots() ? { ignore: false, note: "" } : { ignore: true, note: " (skipped: no right to chroot here)" };
}

/** Root in a container may have lost that right, or that to make devices, or have a /tmp without them. */
function mayMakeRoots(): boolean {
  const nothing = "/bin/true";
  try {
    using root = new ProgramRoot([nothing], []);
    Deno.openSync(`${root.dir}/dev/null`, { write: true }).close();
    run("chroot", [root.dir, nothing]);
    return true;
  } catch {
    return false;
  }
}

export class ProgramRoot implements Disposable {
  readonly dir = makeBaseDir();

  /** `programs` are executables or folders of them; `users` get a number each. */
  constructor(programs: readonly string[], users: readonly string[]) {
    try {
      for (const folder of ["dev", "etc", "tmp", "var/spool", "var/run"]) {
        Deno.mkdirSync(`${this.dir}/${folder}`, { recursive: true });
      }
      Deno.chmodSync(`${this.dir}/tmp`, 0o1777);
      run("mknod", ["-m", "666", `${this.dir}/dev/null`, "c", "1", "3"]);
      const ids = users.map((name, at) => ({ name, id: 61_001 + at }));
      const passwd = ids.map(({ name, id }) => `${name}:x:${id}:${id}::/:/bin/false\n`);
      this.write("/etc/passwd", `root:x:0:0::/:/bin/false\n${passwd.join("")}`, 0o644);
      this.write("/etc/group", `root:x:0:\n${ids.map(({ name, id }) => `${name}:x:${id}:\n`).join("")}`, 0o644);
      for (const path of programs) this.#bring(path);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes a file, which only root may read unless `mode` says otherwise; its folder comes with it. */
  write(path: string, text: string, mode = 0o600): void {
    Deno.mkdirSync(dirname(this.dir + path), { recursive: true });
    Deno.writeTextFileSync(this.dir + path, text, { mode });
  }

  /** Runs a program inside to its end, as {@link runProgram} does. */
  run(program: string, args: readonly string[], input: string): Promise<Run> {
    return runProgram("chroot", [this.dir, program, ...args], { input });
  }

  /** A process inside. */
  spawn(program: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(findProgram("chroot")!, {
      args: [this.dir, program, ...args],
      cwd: "/",
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/bin" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }

  #bring(path: string): void {
    const from = existsSync(unpacked + path) ? unpacked + path : path;
    if (Deno.statSync(from).isDirectory) {
      for (const { name, isFile } of Deno.readDirSync(from)) if (isFile) this.#bring(`${path}/${name}`);
      return;
    }
    this.#copy(from, path);
    // What a script needs is not asked for.
    const libraries = run("ldd", [from], true).matchAll(/\/[^ \n]+(?= \(0x)/g);
    for (const [library] of libraries) if (!existsSync(this.dir + library)) this.#copy(library, library);
  }

  #copy(from: string, to: string): void {
    Deno.mkdirSync(dirname(this.dir + to), { recursive: true });
    Deno.copyFileSync(from, this.dir + to);
  }
}

/** Runs a tool to its end; answers what it said. */
function run(name: string, args: readonly string[], mayFail = false): string {
  const { success, stdout, stderr } = new Deno.Command(findProgram(name)!, { args: [...args], stdin: "null" })
    .outputSync();
  if (!success && !mayFail) throw new Error(`${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
