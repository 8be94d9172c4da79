/**
 * What the kernel says of processes, for tests.
 * @module
 */

/** Whether a process is there and has not ended (one that nobody has waited for yet has). */
export function isRunning(pid: number): boolean {
  try {
    // The name in parentheses may hold anything; the state follows the last of them.
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !["Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2)[0]!);
  } catch {
    return false;
  }
}

/** The numbers in a line of /proc/PID/status: `Uid`, `Gid`, `Groups`. */
export function statusNumbers(pid: number, key: string): number[] {
  const line = Deno.readTextFileSync(`/proc/${pid}/status`).split("\n").find((line) => line.startsWith(`${key}:`)) ??
    "";
  return line.slice(key.length + 1).trim().split(/\s+/).filter((word) => word !== "").map(Number);
}
