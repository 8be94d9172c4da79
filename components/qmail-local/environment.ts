/**
 * What programs started from a `.qmail` file find in their environment (qmail's interface, qmail-command), and the lines
 * that can be put in front of a message. Values are octet strings, unquoted and as the sender chose them: no shell line
 * may ever be made of one.
 * @module
 */
import { fromLine } from "../lib/message/mbox_lines.ts";
import { deliveredToLine, returnPathLine } from "./message_head.ts";

export interface Surroundings {
  readonly sender: string;
  /** For forwards; see new_sender.ts. */
  readonly newSender: string;
  readonly recipient: string;
  readonly user: string;
  readonly home: string;
  readonly extension: string;
  /** What `default` in the file's name stands for; undefined: the variable is not set. */
  readonly default: string | undefined;
  readonly unixSeconds: number;
}

/** `local@host` at its last `@`; without one all of it is local. */
export function splitRecipient(recipient: string): { local: string; host: string } {
  const at = recipient.lastIndexOf("@");
  return at < 0 ? { local: recipient, host: "" } : { local: recipient.slice(0, at), host: recipient.slice(at + 1) };
}

/** The host without its last label; as it is where it has only one. */
function shorterHost(host: string): string {
  const dot = host.lastIndexOf(".");
  return dot < 0 ? host : host.slice(0, dot);
}

/** What follows the first `-`; "" without one. */
function afterDash(extension: string): string {
  const dash = extension.indexOf("-");
  return dash < 0 ? "" : extension.slice(dash + 1);
}

/** All variables but PATH, by name. */
export function environmentOf(around: Surroundings): ReadonlyMap<string, string> {
  const { local, host } = splitRecipient(around.recipient);
  const [host2, ext2] = [shorterHost(host), afterDash(around.extension)];
  const [host3, ext3] = [shorterHost(host2), afterDash(ext2)];
  return new Map([
    ["SENDER", around.sender],
    ["NEWSENDER", around.newSender],
    ["RECIPIENT", around.recipient],
    ["USER", around.user],
    ["HOME", around.home],
    ["LOCAL", local],
    ["HOST", host],
    ["HOST2", host2],
    ["HOST3", host3],
    ["HOST4", shorterHost(host3)],
    ["EXT", around.extension],
    ["EXT2", ext2],
    ["EXT3", ext3],
    ["EXT4", afterDash(ext3)],
    ...(around.default === undefined ? [] : [["DEFAULT", around.default]] as const),
    ["DTLINE", deliveredToLine(around.recipient)],
    ["RPLINE", returnPathLine(around.sender)],
    ["UFLINE", fromLine(around.sender, around.unixSeconds)],
  ]);
}
