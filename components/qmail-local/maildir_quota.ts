/**
 * The limit of a Maildir as the Maildir++ convention has it: a file `maildirsize`, whose first line is the limit
 * (`10485760S,1000C`: octets and messages), each further line what came or went (`1234 1`, `-1234 -1`). Whoever delivers
 * appends a line; the sums are what is in the Maildir. Other programs keep the same file, so it is never trusted to be
 * in order.
 * @module
 */

/** A limit of 0, or none of its kind in the file, means that there is none. */
export interface Quota {
  readonly maxBytes: number;
  readonly maxMessages: number;
}

export interface Usage {
  readonly bytes: number;
  readonly messages: number;
}

export interface MaildirSize {
  readonly quota: Quota;
  readonly usage: Usage;
  /** Lines after the first: with more than one, the sums may be off. */
  readonly entries: number;
}

/** From here on the file is written anew. */
export const largestMaildirSize = 5120;
/** Sums that say "full" are believed for so long. */
export const oldestSeconds = 15 * 60;

function parseQuota(line: string): Quota | undefined {
  let [maxBytes, maxMessages] = [0, 0];
  for (const part of line.trim().split(",")) {
    const match = /^([0-9]{1,15})([SC])$/.exec(part.trim());
    if (match === null) {
      if (part.trim() !== "") return undefined;
    } else if (match[2] === "S") maxBytes = Number(match[1]);
    else maxMessages = Number(match[1]);
  }
  return { maxBytes, maxMessages };
}

/** Reads the file; undefined where its first line is no limit: then there is none. Lines that are none do not count. */
export function parseMaildirSize(text: string): MaildirSize | undefined {
  const [first = "", ...lines] = text.split("\n");
  const quota = parseQuota(first);
  if (quota === undefined) return undefined;
  let [bytes, messages, entries] = [0, 0, 0];
  for (const line of lines) {
    const match = /^\s*(-?[0-9]{1,15})\s+(-?[0-9]{1,15})\s*$/.exec(line);
    if (match === null) continue;
    bytes += Number(match[1]);
    messages += Number(match[2]);
    entries++;
  }
  return { quota, usage: { bytes, messages }, entries };
}

/** Whether a message of `sizeBytes` is too much. */
export function isOver({ maxBytes, maxMessages }: Quota, { bytes, messages }: Usage, sizeBytes: number): boolean {
  return (maxBytes > 0 && bytes + sizeBytes > maxBytes) || (maxMessages > 0 && messages + 1 > maxMessages);
}

/** Whether the sums should be counted anew: they are negative, or say "full" and are neither fresh nor just counted. */
export function isDoubtful(size: MaildirSize, ageSeconds: number, fileBytes: number, sizeBytes: number): boolean {
  if (fileBytes >= largestMaildirSize || size.usage.bytes < 0 || size.usage.messages < 0 || size.entries === 0) {
    return true;
  }
  return isOver(size.quota, size.usage, sizeBytes) && (size.entries > 1 || ageSeconds > oldestSeconds);
}

/** One line of the file; its width is fixed, as others write it. */
export function formatEntry({ bytes, messages }: Usage): string {
  return `${String(bytes).padStart(12)} ${String(messages).padStart(12)}\n`;
}

/** A file with one line of sums. */
export function formatMaildirSize({ maxBytes, maxMessages }: Quota, usage: Usage): string {
  const parts = [...maxBytes > 0 ? [`${maxBytes}S`] : [], ...maxMessages > 0 ? [`${maxMessages}C`] : []];
  return `${parts.join(",")}\n${formatEntry(usage)}`;
}

/** A message's size as its file's name tells it (`,S=1234`), or undefined. */
export function sizeInName(name: string): number | undefined {
  const match = /,S=([0-9]{1,15})(?![0-9])/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** Whether a file in cur is in the trash (flag T): it does not count. */
export function isTrashed(name: string): boolean {
  return /:2,[A-Za-z]*T/.test(name);
}
