/**
 * Labels of TAI64N, by which multilog of daemontools names the files that it has finished: `@`, 16 hexadecimal digits of
 * seconds and 8 of nanoseconds.
 * @module
 */

/** Seconds of TAI64 at the beginning of 1970, as daemontools counts them: UTC and ten. */
const epoch = 2n ** 62n + 10n;
const form = /^@([0-9a-f]{16})([0-9a-f]{8})$/;

/** @param ms since 1970 */
export function formatTai64n(ms: number): string {
  const whole = Math.floor(ms);
  const seconds = epoch + BigInt(Math.floor(whole / 1000));
  const nanoseconds = (whole % 1000) * 1_000_000;
  return `@${seconds.toString(16).padStart(16, "0")}${nanoseconds.toString(16).padStart(8, "0")}`;
}

/** Milliseconds since 1970; undefined: it is no such label. */
export function parseTai64n(label: string): number | undefined {
  const [, seconds, nanoseconds] = form.exec(label) ?? [];
  if (seconds === undefined) return undefined;
  return Number(BigInt(`0x${seconds}`) - epoch) * 1000 + Math.floor(parseInt(nanoseconds!, 16) / 1_000_000);
}
