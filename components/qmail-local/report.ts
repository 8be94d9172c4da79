/**
 * What qmail-local reports, in qmail's words. Texts end in LF.
 * @module
 */
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";

/** What has been done so far. */
export interface Done {
  readonly files: number;
  readonly forwards: number;
  readonly programs: number;
}

/** `did files+forwards+programs`, and `qp N` with the forwarded message's number in the queue. */
export function didText({ files, forwards, programs }: Done, qp: number | undefined): string {
  return `did ${files}+${forwards}+${programs}\n${qp === undefined ? "" : `qp ${qp}\n`}`;
}

export function delivered(text: string): DeliveryReport {
  return { verdict: "K", text };
}

export function deferral(text: string): DeliveryReport {
  return { verdict: "Z", text };
}

export function failure(text: string): DeliveryReport {
  return { verdict: "D", text };
}

/** The fixed ones; what is done about each is in qmail's manual pages dot-qmail and qmail-local. */
export const reports = {
  looping: failure("This message is looping: it already has my Delivered-To line. (#5.4.6)\n"),
  forwardedTooOften: failure("This message has been forwarded too often to be forwarded again. (#5.4.6)\n"),
  noMailbox: failure("Sorry, no mailbox here by that name. (#5.1.1)\n"),
  homeWritable: deferral("Uh-oh: home directory is writable. (#4.7.0)\n"),
  homeSticky: deferral("Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n"),
  fileWritable: deferral("Uh-oh: .qmail file is writable. (#4.7.0)\n"),
  firstLineBlank: deferral("Uh-oh: first line of .qmail file is blank. (#4.2.1)\n"),
  fileBarred: deferral("Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n"),
  programBarred: deferral("Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n"),
  noMaildir: deferral("Unable to chdir to maildir. (#4.2.1)\n"),
  maildirTrouble: deferral("Temporary error on maildir delivery. (#4.3.0)\n"),
  maildirTimeout: deferral("Timeout on maildir delivery. (#4.3.0)\n"),
  unreadable: deferral("Unable to read message. (#4.3.0)\n"),
  senderUnsure: deferral("Unable to find the sender to forward from. (#4.3.0)\n"),
  full: failure("The mailbox is full. (#5.2.2)\n"),
  defaultUnknown: deferral("Unable to follow the default delivery. (#4.3.0)\n"),
  mboxLocked: deferral("File has been locked for 30 seconds straight. (#4.3.0)\n"),
} as const;

/** `action` on a file did not work: the one that says what and why, in one line. */
export function trouble(action: string, path: string, reason: string): DeliveryReport {
  return deferral(`Unable to ${action} ${path}: ${reason.replaceAll("\n", " ")}. (#4.3.0)\n`);
}
