/**
 * maildir2mbox: moves all messages of the Maildir $MAILDIR, oldest first, to the end of the mbox file $MAIL. Exit codes: 0,
 * 111 (then the Maildir has all of them).
 *
 * Unlike qmail: $MAILTMP is not needed. The messages are appended under the mbox file's lock, not to a copy that replaces
 * it, for a delivery that waits for the lock would go into the file that was replaced and be lost. A crash in between
 * leaves messages in both places, never in none.
 * @module
 */
import { toOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { fromLine, FromQuoter } from "../lib/message/mbox_lines.ts";
import { listMaildir, type MaildirFile } from "./support/maildir_list.ts";

const lockMs = 30_000;
const tryEveryMs = 250;

/** The sender as an mbox line has it, of a message's first octets (`Return-Path: <…>`); "" where there is none. */
export function senderOf(head: string): string {
  return /^Return-Path:[ \t]*<([^\n]*)>[ \t\r]*\n/i.exec(head)?.[1] ?? "";
}

async function takeLock(file: Deno.FsFile): Promise<void> {
  for (let waited = 0; !await file.tryLock(true); waited += tryEveryMs) {
    if (waited >= lockMs) throw new Error(`unable to lock the mbox file for ${lockMs / 1000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, tryEveryMs));
  }
}

async function append(mbox: Deno.FsFile, { path, mtimeSeconds }: MaildirFile): Promise<void> {
  const write = (octets: Uint8Array) => {
    for (let at = 0; at < octets.length;) at += mbox.writeSync(octets.subarray(at));
  };
  const quoter = new FromQuoter();
  using file = await Deno.open(path, { read: true });
  const buffer = new Uint8Array(64 * 1024);
  let isFirst = true;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    const piece = buffer.subarray(0, count);
    if (isFirst) write(toOctets(fromLine(senderOf(String.fromCharCode(...piece.subarray(0, 4096))), mtimeSeconds)));
    isFirst = false;
    for (const part of quoter.push(piece)) write(part);
  }
  if (!isFirst) { for (const part of quoter.finish()) write(part); }
}

async function move(maildir: string, mail: string): Promise<void> {
  const messages = listMaildir(maildir, ["new", "cur"], Math.floor(Date.now() / 1000));
  if (messages.length === 0) return;
  using mbox = await Deno.open(mail, { append: true, create: true, mode: 0o600 });
  await takeLock(mbox);
  const end = mbox.statSync().size;
  try {
    for (const message of messages) await append(mbox, message);
    await mbox.sync();
  } catch (error) {
    mbox.truncateSync(end);
    throw error;
  }
  for (const { path } of messages) Deno.removeSync(path);
}

if (import.meta.main) {
  const [maildir = "", mail = ""] = Deno.args;
  await runTool("maildir2mbox", () => move(maildir, mail));
}
