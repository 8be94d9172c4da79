/**
 * Processor time and memory of a process and all below it, from /proc (Linux; proc(5)).
 * @module
 */

/** What `measureTree` found. */
export interface TreeUse {
  readonly processes: number;
  /** User and system time of the living processes and of every child they have waited for. */
  readonly cpuMs: number;
  /** Proportional set size: shared pages are divided among those who share them. */
  readonly pssKib: number;
}

/** What `measureProcess` found. */
export interface ProcessUse {
  readonly pssKib: number;
  readonly rssKib: number;
  /** The largest resident set since the process began (VmHWM). */
  readonly peakRssKib: number;
}

/** One process's line in /proc/PID/stat, as far as it is needed. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuTicks: number;
}

/** USER_HZ, in which the kernel counts processor time for user space, is 100 on all of Deno's Linux targets. */
const msPerTick = 10;

/**
 * Reads /proc/PID/stat. The command name may hold blanks and parentheses, so fields are counted from the last `)`.
 * Undefined where the text is not of that form.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const pid = Number.parseInt(text, 10);
  const parent = Number(fields[1]);
  const cpuTicks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  if (fields.length < 15 || ![pid, parent, cpuTicks].every(Number.isInteger)) return undefined;
  return { pid, parent, cpuTicks };
}

/** The processes of `all` that are `root` or descend from it. */
export function treeOf(root: number, all: readonly ProcessStat[]): readonly ProcessStat[] {
  const children = Map.groupBy(all, (stat) => stat.parent);
  const tree = all.filter((stat) => stat.pid === root);
  for (const stat of tree) tree.push(...children.get(stat.pid) ?? []); // grows while it is walked
  return tree;
}

/** Processor time and memory of `root` and all below it; zero where there is no such process. */
export function measureTree(root: number): TreeUse {
  const tree = treeOf(root, allProcesses());
  return {
    processes: tree.length,
    cpuMs: tree.reduce((sum, stat) => sum + stat.cpuTicks, 0) * msPerTick,
    pssKib: tree.reduce((sum, stat) => sum + readPss(stat.pid), 0),
  };
}

/** The process ids of `root` and all below it. */
export function processesBelow(root: number): readonly number[] {
  return treeOf(root, allProcesses()).map(({ pid }) => pid);
}

/** The words a process was started with, NUL behind each; "" where there is no such process. */
export function commandLineOf(pid: number): string {
  return readIfThere(`/proc/${pid}/cmdline`);
}

/** Memory of one process; zero where there is no such process. */
export function measureProcess(pid: number): ProcessUse {
  const status = readIfThere(`/proc/${pid}/status`);
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+([0-9]+) kB$`, "m").exec(status)?.[1] ?? 0);
  return { pssKib: readPss(pid), rssKib: kib("VmRSS"), peakRssKib: kib("VmHWM") };
}

/** From now on the largest resident set is counted anew, where we may ask for that (proc(5), clear_refs). */
export function resetPeak(pid: number): void {
  try {
    Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // it then tells of the warm-up as well
  }
}

function allProcesses(): readonly ProcessStat[] {
  const stats: ProcessStat[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(entry.name)) continue;
    const stat = parseStat(readIfThere(`/proc/${entry.name}/stat`));
    if (stat !== undefined) stats.push(stat);
  }
  return stats;
}

function readPss(pid: number): number {
  return Number(/^Pss:\s+([0-9]+) kB$/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** A process may end while it is looked at, and one of another user may be closed to us. */
function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
