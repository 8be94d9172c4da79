/**
 * What the log tells: about a message that went wrong, and about components that ended though nobody killed them.
 * @module
 */

/** Lines that are searched before the first and after the last one that name the recipients. */
const [before, after] = [100, 1000];
const mostLines = 80;

/**
 * Lines that name one of the recipients or the "qp" of the server's answer, or the queue ids and deliveries those lines
 * name; only near them, for such numbers come again. Between them, the components' ends.
 */
export function linesAbout(recipients: readonly string[], answer: string, lines: readonly string[]): string[] {
  const qp = /\bqp ([0-9]+)\b/.exec(answer)?.[1];
  const named = new RegExp(`\\bqp[ =]${qp}\\b`);
  const names = (line: string) =>
    recipients.some((recipient) => line.includes(recipient)) || qp !== undefined && named.test(line);
  const [first, last] = [lines.findIndex(names), lines.findLastIndex(names)];
  if (first < 0) return [];
  const near = lines.slice(Math.max(0, first - before), last + after);
  const numbers = new Set(
    near.filter(names).flatMap((line) => Array.from(line.matchAll(/\b(?:msg|delivery) [0-9]+\b/g), ([word]) => word)),
  );
  const about = (line: string) =>
    line.startsWith("restart ") || names(line) ||
    Array.from(line.matchAll(/\b(?:msg|delivery) [0-9]+\b/g)).some(([word]) => numbers.has(word));
  return near.filter(about).slice(0, mostLines);
}

/** Counts what nobody asked for: ends that were no SIGKILL, and lines of surprise. */
export function oddities(lines: readonly string[], counts: Map<string, number>): void {
  for (const line of lines) {
    const odd = oddity(line);
    if (odd !== undefined) counts.set(odd, (counts.get(odd) ?? 0) + 1);
  }
}

function oddity(line: string): string | undefined {
  const [, component, code, signal] = /\brestart component=(\S+) code=(\S+) signal=(\S+)/.exec(line) ?? [];
  if (component !== undefined) return signal === "SIGKILL" ? undefined : `${component} ended with ${code} (${signal})`;
  return /^\S+: (?:alert:|surprise|garbage|stuck)|^(?:stuck|garbage|killed) /.exec(line)?.[0].trim();
}
