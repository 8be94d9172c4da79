/**
 * Waits for the machine to be quiet before a run, so that other work disturbs the figures less.
 * @module
 */

/** The machine's processor time since its start, from the first line of /proc/stat (proc(5)), in ticks. */
export interface MachineTime {
  readonly busy: number;
  readonly total: number;
}

/** Reads the text of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
export function parseMachineTime(text: string): MachineTime {
  const fields = text.split("\n", 1)[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  const total = fields.reduce((sum, field) => sum + field, 0);
  return { busy: total - (fields[3] ?? 0) - (fields[4] ?? 0), total };
}

/** KiB that have been written to disks since the machine's start, from the text of /proc/vmstat. */
export function parseWritten(text: string): number {
  return Number(/^pgpgout ([0-9]+)$/m.exec(text)?.[1] ?? 0);
}

const sampleMs = 200;
const quietShare = 0.15;
/** In one sample: 5 MiB a second. A server may still write, after its own run, when its processors rest. */
const quietKib = 1024;

/** What has been done so far. */
function lookAround(): { readonly time: MachineTime; readonly writtenKib: number } {
  const time = parseMachineTime(Deno.readTextFileSync("/proc/stat"));
  return { time, writtenKib: parseWritten(Deno.readTextFileSync("/proc/vmstat")) };
}

/** Waits until the machine is less than 15 % busy and its disks rest, at most `limitMs`; answers whether they did. */
export async function settle(limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const before = lookAround();
    await new Promise((resolve) => setTimeout(resolve, sampleMs));
    const after = lookAround();
    const isIdle = after.time.busy - before.time.busy <= quietShare * (after.time.total - before.time.total);
    if (isIdle && after.writtenKib - before.writtenKib <= quietKib) return true;
  }
  return false;
}
