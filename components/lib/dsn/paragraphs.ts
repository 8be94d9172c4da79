/**
 * The paragraphs of `bounce/N` read back: who failed, and what the report tells a machine (RFC 3464 §2.3). The file keeps
 * qmail's bytes, so the texts are all there is, and half of each was written by somebody else.
 * @module
 */

export interface FailedRecipient {
  /** As the sender knows it, in the queue's unquoted form. */
  readonly recipient: string;
  /** The report's lines, without the last LF. */
  readonly report: string;
}

/** Inverse of `formatParagraph()`, for any number of them. What begins with no `<address>:` is no recipient (QSBMF). */
export function parseParagraphs(text: string): FailedRecipient[] {
  return text.split("\n\n").flatMap((paragraph) => {
    const end = paragraph.indexOf("\n");
    const first = end < 0 ? paragraph : paragraph.slice(0, end);
    if (!first.startsWith("<") || !first.endsWith(">:")) return [];
    const report = end < 0 ? "" : paragraph.slice(end + 1);
    return [{ recipient: first.slice(1, -2), report: report.endsWith("\n") ? report.slice(0, -1) : report }];
  });
}

/** What another host answered. */
export interface RemoteReply {
  /** Its address or name, if the report tells it. */
  readonly host: string | undefined;
  /** The reply's lines as they stand in the report, each with its code. */
  readonly lines: readonly string[];
}

const said = "Remote host said: ";

/** The first reply a report quotes. A server cannot make one up: its text stands behind a code, never at a line's start. */
export function remoteReply(report: string): RemoteReply | undefined {
  const lines = report.split("\n");
  const at = lines.findIndex((line) => line.startsWith(said));
  if (at < 0) return undefined;
  const reply = [lines[at]!.slice(said.length)];
  const code = /^[2-5][0-9]{2}/.exec(reply[0]!)?.[0];
  for (let next = at + 1; code !== undefined && reply.at(-1)![3] === "-"; next++) {
    if (lines[next]?.startsWith(code) !== true) break;
    reply.push(lines[next]!);
  }
  return { host: hostIn(lines[at - 1] ?? ""), lines: reply };
}

/** In qmail-remote's words: `HOST does not like recipient.`, `Connected to HOST but ...`. */
function hostIn(line: string): string | undefined {
  const words = line.split(" ", 3);
  const host = words[0] === "Connected" && words[1] === "to" ? words[2] : words[0];
  return host !== undefined && /^[A-Za-z0-9._:-]{1,255}$/.test(host) ? host : undefined;
}

/**
 * The status of a failure (RFC 3463): the last `(#5.1.1)` of the report, else the enhanced status of a quoted reply, else
 * the class of its code, else 5.0.0. Class 4 stays: it is what a deferral that lasted too long ended with.
 *
 * @example
 * ```ts
 * import { statusOf } from "./paragraphs.ts";
 * statusOf("Sorry, no mailbox here by that name. (#5.1.1)"); // "5.1.1"
 * statusOf("192.0.2.1 does not like recipient.\nRemote host said: 550 5.7.1 no"); // "5.7.1"
 * ```
 */
export function statusOf(report: string): string {
  const noted = [...report.matchAll(/\(#([45]\.[0-9]{1,3}\.[0-9]{1,3})\)/g)].at(-1)?.[1];
  if (noted !== undefined) return noted;
  const reply = /^([45])[0-9]{2}(?:[ -]([45])(\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.]))?/.exec(
    remoteReply(report)?.lines[0] ?? "",
  );
  if (reply === null) return "5.0.0";
  // One of another class than the code's says nothing reliable.
  return reply[2] === reply[1] ? `${reply[1]}${reply[3]}` : `${reply[1]}.0.0`;
}
