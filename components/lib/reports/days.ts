/** UTC days by name, as files and reports have them. @module */

export const secondsOfDay = 86_400;

/** `2026-11-22`, of UTC. */
export function dayOf(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 10);
}

export function startOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / 1000;
}
