/**
 * A systemd of its own for a test: process 1 of new namespaces, with none but the units it is given. It shares the
 * network and the file system with the machine, but has a /run, accounts and control groups of its own.
 *
 * ```ts
 * await using systemd = await startSystemd(units, { accounts: "u qmaild 7791:nofiles\n" });
 * await systemd.ctl("start", "dqmail.target");
 * ```
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { makeBaseDir } from "./system.ts";
import { waitFor, within } from "./wait.ts";

const binary = "/usr/lib/systemd/systemd";
const journal = "/usr/lib/systemd/system/systemd-journald.service";
const groups = "/sys/fs/cgroup";
const accountFiles = ["passwd", "group", "shadow", "gshadow"];

/** What is missing for it, or undefined. */
export function systemdLacks(): string | undefined {
  if (Deno.uid() !== 0) return "root";
  for (const path of [binary, journal, "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/systemd-sysusers"]) {
    if (!existsSync(path)) return path;
  }
  if (!tryGroup()) return "a control group of one's own";
  const { success } = new Deno.Command("unshare", { args: ["--pid", "--mount", "--fork", "true"], stderr: "null" })
    .outputSync();
  return success ? undefined : "namespaces of one's own";
}

/** Where groups of processes are made: one tree on most machines, two with systemd's own among older ones. */
function groupTrees(): readonly string[] {
  if (existsSync(`${groups}/cgroup.controllers`)) return [groups];
  return ["systemd", "unified"].map((tree) => `${groups}/${tree}`).filter((tree) => existsSync(tree));
}

function tryGroup(): boolean {
  const trees = groupTrees();
  try {
    for (const tree of trees) {
      Deno.mkdirSync(`${tree}/dq-try`);
      Deno.removeSync(`${tree}/dq-try`);
    }
    return trees.length > 0;
  } catch {
    return false;
  }
}

/** Units that a system has beside ours; what they would do is not for a test. */
const emptyUnits = [
  ...["sysinit.target", "shutdown.target", "network-online.target", "nss-lookup.target"],
  ...["sockets.target", "slices.target", "multi-user.target"],
];
const plainUnit = "[Unit]\nDescription=for a test\nDefaultDependencies=no\n";

/** Its words: the folder of units, that of /etc, and the name of the group. */
const script = `set -e
for tree in ${groups} ${groups}/systemd ${groups}/unified; do
  [ -d "$tree/$3" ] && echo $$ > "$tree/$3/cgroup.procs"
done
export SYSTEMD_UNIT_PATH="$1" container=test ETC="$2"
exec unshare --pid --mount --fork --cgroup --ipc --uts --kill-child /bin/bash -ec '
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
one=; [ -e ${groups}/cgroup.controllers ] && one=1
umount -R ${groups}
if [ "$one" ]; then mount -t cgroup2 cgroup2 ${groups}
else
  mount -t tmpfs -o mode=755 tmpfs ${groups}
  mkdir ${groups}/systemd ${groups}/unified
  mount -t cgroup -o none,name=systemd,xattr cgroup ${groups}/systemd
  mount -t cgroup2 cgroup2 ${groups}/unified
fi
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
for file in ${accountFiles.join(" ")}; do mount --bind "$ETC/$file" "/etc/$file"; done
# As systemd-tmpfiles makes it on a whole system.
mkdir -p -m 755 /run/log
mkdir -m 2755 /run/log/journal
chgrp systemd-journal /run/log/journal
exec ${binary} --system --log-target=null --unit=basic.target --show-status=no
'`;

export class Systemd implements AsyncDisposable {
  readonly dir: string;
  /** The group of processes that all of it is in. */
  readonly group: string;
  readonly #process: Deno.ChildProcess;
  #pid = 0;

  constructor(dir: string, group: string) {
    this.dir = dir;
    this.group = group;
    this.#process = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", "/bin/bash", "-c", script, "systemd", this.unitDir, join(dir, "etc"), group],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }

  get unitDir(): string {
    return join(this.dir, "units");
  }

  /** Runs a program beside its units; answers what it printed. Throws where it fails, unless `fails`. */
  async run(program: string, args: readonly string[], { fails = false } = {}): Promise<string> {
    const output = new Deno.Command("nsenter", {
      args: ["-t", String(this.#pid), "-m", "-p", "-u", "-i", "-C", "env", `SYSTEMD_UNIT_PATH=${this.unitDir}`]
        .concat(["timeout", "40", program, ...args]),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const { success, stdout, stderr } = await within(output, 45_000, () => `${program} ${args.join(" ")}`);
    const [said, wrong] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
    if (!success && !fails) throw new Error(`${program} ${args.join(" ")}: ${said}${wrong}\n${await this.log()}`);
    return said! + wrong!;
  }

  ctl(...args: readonly string[]): Promise<string> {
    return this.run("systemctl", ["--no-pager", ...args]);
  }

  /** A unit's property. */
  async show(unit: string, property: string): Promise<string> {
    return (await this.ctl("show", "--value", `--property=${property}`, unit)).trim();
  }

  /** What the units said, and what systemd says of them. */
  async log(): Promise<string> {
    const args = ["--no-pager", "--quiet", "--all", "--lines=300", "--output=short-iso", "_TRANSPORT=stdout"];
    return await this.run("journalctl", args, { fails: true });
  }

  /** Waits until it takes commands. */
  async ready(): Promise<void> {
    this.#pid = await waitFor(() => childOf(this.#process.pid, "systemd"), "systemd to start");
    await waitFor(
      async () => (await this.run("systemctl", ["is-active", "basic.target"], { fails: true })).trim() === "active",
      "systemd to take commands",
      20_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The end of process 1 is the end of all the others of its namespace.
    for (const pid of [this.#pid, this.#process.pid]) {
      try {
        if (pid > 0) Deno.kill(pid, "SIGKILL");
      } catch {
        // It is gone.
      }
    }
    await this.#process.status;
    for (const tree of groupTrees()) await waitFor(() => removeGroup(join(tree, this.group)), "its groups to be empty");
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** The child of a process that has become this program. */
function childOf(pid: number, program: string): number | undefined {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean);
    return children.map(Number).find((child) => Deno.readTextFileSync(`/proc/${child}/comm`).trim() === program);
  } catch {
    // It is only beginning.
    return undefined;
  }
}

/** A group is removed once it is empty, and those in it before. */
function removeGroup(path: string): boolean {
  try {
    for (const entry of Deno.readDirSync(path)) if (entry.isDirectory) removeGroup(join(path, entry.name));
    Deno.removeSync(path);
  } catch {
    return !existsSync(path);
  }
  return true;
}

export interface SystemdOptions {
  /** Lines of sysusers.d: accounts that it has beside the machine's. */
  readonly accounts: string;
}

/** Starts it with these units, by file name; none of them is started yet. */
export async function startSystemd(
  units: ReadonlyMap<string, string>,
  { accounts }: SystemdOptions,
): Promise<Systemd> {
  const dir = makeBaseDir();
  const etc = join(dir, "etc");
  Deno.mkdirSync(join(dir, "units"));
  Deno.mkdirSync(join(dir, "root", "etc"), { recursive: true });
  for (const file of accountFiles) {
    if (existsSync(`/etc/${file}`)) Deno.copyFileSync(`/etc/${file}`, join(dir, "root", "etc", file));
    else Deno.writeTextFileSync(join(dir, "root", "etc", file), "");
  }
  Deno.writeTextFileSync(join(dir, "accounts"), `g systemd-journal -\n${accounts}`);
  const made = new Deno.Command("systemd-sysusers", {
    args: [`--root=${join(dir, "root")}`, join(dir, "accounts")],
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
  Deno.renameSync(join(dir, "root", "etc"), etc);
  const write = (name: string, text: string) => Deno.writeTextFileSync(join(dir, "units", name), text);
  for (const name of emptyUnits) write(name, plainUnit);
  write("basic.target", `${plainUnit}Wants=systemd-journald.service\n`);
  for (const name of ["systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"]) {
    write(name, Deno.readTextFileSync(`/usr/lib/systemd/system/${name}`));
  }
  for (const [name, text] of units) write(name, text);
  const group = `dq-${dir.slice(dir.lastIndexOf("/") + 1)}`;
  for (const tree of groupTrees()) Deno.mkdirSync(join(tree, group));
  const systemd = new Systemd(dir, group);
  try {
    await systemd.ready();
    return systemd;
  } catch (error) {
    await systemd[Symbol.asyncDispose]();
    throw error;
  }
}
