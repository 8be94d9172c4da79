/**
 * qbiff: tells of the message on its input on those terminals where the user is logged in and wants to hear of it (`biff y`
 * sets the owner's execute bit). Exit code: 0, for mail is delivered whether or not somebody hears of it.
 * @module
 */
import { ifThere } from "../lib/disk/if_there.ts";
import { splitField } from "../lib/message/field_kinds.ts";
import { HeaderReader } from "../lib/message/header_reader.ts";
import { fromOctets } from "../lib/octets.ts";
import { type Caller, requireVariable, variable } from "./support/caller.ts";
import { runFed, shell } from "./support/child.ts";
import { readInput } from "./support/input.ts";
import { runProgram } from "./support/run_program.ts";

/** One record of utmp on Linux, whatever the machine. */
const recordBytes = 384;
const userProcess = 7;

/** The terminals (names below /dev) where `user` is logged in. What is no such record is none. */
export function terminalsOf(utmp: Uint8Array, user: string): string[] {
  const terminals: string[] = [];
  const text = (from: number, bytes: number) => fromOctets(utmp.subarray(from, from + bytes)).replace(/\0.*$/s, "");
  for (let at = 0; at + recordBytes <= utmp.length; at += recordBytes) {
    if (new DataView(utmp.buffer, utmp.byteOffset + at).getInt16(0, true) !== userProcess) continue;
    const line = text(at + 8, 32);
    if (text(at + 44, 32) === user && /^[A-Za-z0-9]+(\/[A-Za-z0-9]+)?$/.test(line)) terminals.push(line);
  }
  return [...new Set(terminals)];
}

const mostOctets = 78;

/** What is said of a message: subject and the first of the text. Nothing in it can steer a terminal. */
export function announcement(local: string, sender: string, subject: string, body: string): string {
  const printable = (text: string) => text.replace(/[\r\n\t ]+/g, " ").replace(/[^ -~]/g, "?");
  const head = printable(`*** TO <${local}> FROM <${sender}>`);
  return `\r\n${head}\r\n${printable(`${subject.trim()} ${body}`).trim().slice(0, mostOctets)}\r\n`;
}

async function readBeginning(): Promise<{ subject: string; body: string }> {
  const reader = new HeaderReader();
  for await (const piece of readInput()) {
    const state = reader.push(piece);
    if (state.kind === "too long") return { subject: "", body: "" };
    if (state.kind === "whole") return beginningOf(state.header);
  }
  return beginningOf(reader.end());
}

function beginningOf({ fields, rest }: ReturnType<HeaderReader["end"]>): { subject: string; body: string } {
  const subject = fields.map(splitField).find(({ key }) => key === "subject")?.value ?? "";
  return { subject, body: fromOctets(rest.subarray(0, 4 * mostOctets)) };
}

/** Only a terminal of the user's own with his execute bit, and one that is stopped does not hold up the mail. */
const write = `
text=$(/bin/cat; echo x)
for name; do
  terminal=/dev/$name
  [ -c "$terminal" ] && [ -O "$terminal" ] || continue
  case $(/usr/bin/stat -L -c %A "$terminal") in ???x*|???s*) ;; *) continue ;; esac
  /usr/bin/timeout 5 /bin/sh -c 'printf %s "$1" >"$2"' sh "\${text%?x}" "$terminal" || :
done
`;

async function qbiff(caller: Caller): Promise<number> {
  const utmp = ifThere(() => Deno.readFileSync("/var/run/utmp"));
  const terminals = terminalsOf(utmp ?? new Uint8Array(), requireVariable(caller, "USER"));
  if (terminals.length === 0) return 0;
  const { subject, body } = await readBeginning();
  const text = announcement(requireVariable(caller, "LOCAL"), variable(caller, "SENDER") ?? "", subject, body);
  const octets = new TextEncoder().encode(`${text}\n`);
  await runFed({ ...caller, environment: [] }, [shell, "-c", write, "sh", ...terminals], [octets]);
  return 0;
}

if (import.meta.main) await runProgram("qbiff", qbiff);
