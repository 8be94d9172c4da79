/**
 * qmail-queue's exit codes and what callers say of them (qmail's interface). The daemon answers with the same numbers.
 * @module
 */

/** Codes this project's qmail-queue gives, and its stand-in qmail-qmqpc. */
export const exitCode = {
  queued: 0,
  addressTooLong: 11,
  refused: 31,
  timeout: 52,
  writeError: 53,
  readError: 54,
  configuration: 55,
  network: 56,
  queueFiles: 63,
  temporary: 71,
  connectTimeout: 72,
  connectRefused: 73,
  connectionLost: 74,
  bug: 81,
  badEnvelope: 91,
} as const;

const texts = new Map<number, string>([
  [11, "Denvelope address too long for qq (#5.1.3)"],
  [115, "Denvelope address too long for qq (#5.1.3)"],
  [31, "Dmail server permanently rejected message (#5.3.0)"],
  [51, "Zqq out of memory (#4.3.0)"],
  [52, "Zqq timeout (#4.3.0)"],
  [53, "Zqq write error or disk full (#4.3.0)"],
  [54, "Zqq read error (#4.3.0)"],
  [55, "Zqq unable to read configuration (#4.3.0)"],
  [56, "Zqq trouble making network connection (#4.3.0)"],
  [61, "Zqq trouble in home directory (#4.3.0)"],
  [62, "Zqq trouble creating files in queue (#4.3.0)"],
  [63, "Zqq trouble creating files in queue (#4.3.0)"],
  [64, "Zqq trouble creating files in queue (#4.3.0)"],
  [65, "Zqq trouble creating files in queue (#4.3.0)"],
  [66, "Zqq trouble creating files in queue (#4.3.0)"],
  [71, "Zmail server temporarily rejected message (#4.3.0)"],
  [72, "Zconnection to mail server timed out (#4.4.1)"],
  [73, "Zconnection to mail server rejected (#4.4.1)"],
  [74, "Zcommunication with mail server failed (#4.4.2)"],
  [81, "Zqq internal bug (#4.3.0)"],
  [91, "Zqq internal bug (#4.3.0)"],
  [120, "Zunable to exec qq (#4.3.0)"],
]);

/** `D` (permanent) or `Z` (temporary) and the text for the peer; not for 0. */
export function exitText(code: number): string {
  return texts.get(code) ??
    (code >= 11 && code <= 40 ? "Dqq permanent problem (#5.3.0)" : "Zqq temporary problem (#4.3.0)");
}
