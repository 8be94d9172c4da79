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

const sampleMs = 200;
const quietShare = 0.15;

/** Waits until the machine is less than 15 % busy, at most `limitMs`; answers whether it was. */
export async function settle(limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const before = parseMachineTime(Deno.readTextFileSync("/proc/stat"));
    await new Promise((resolve) => setTimeout(resolve, sampleMs));
    const after = parseMachineTime(Deno.readTextFileSync("/proc/stat"));
    if (after.busy - before.busy <= quietShare * (after.total - before.total)) return true;
  }
  return false;
}
