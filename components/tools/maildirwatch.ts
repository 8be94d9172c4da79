/**
 * maildirwatch: shows the new mail in $MAILDIR on a VT100 terminal, again every half minute, until it is ended. Exit code:
 * 111 where the Maildir cannot be read.
 * @module
 */
import { splitField } from "../lib/message/field_kinds.ts";
import { HeaderReader } from "../lib/message/header_reader.ts";
import { toOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { writeOctets } from "./support/input.ts";
import { listMaildir } from "./support/maildir_list.ts";

const everyMs = 30_000;
/** Cursor to the first place, and all behind it cleared. */
const clear = "\x1b[;H\x1b[;J";
const [screenLines, screenColumns] = [23, 79];
const headBytes = 16 * 1024;

/** One line about a message: who, and what about. No octet of it reaches the terminal that could steer it. */
export function describeHead(head: Uint8Array): string {
  const reader = new HeaderReader();
  const state = reader.push(head);
  const fields = (state.kind === "whole" ? state.header : reader.end()).fields.map(splitField);
  const value = (key: string) =>
    fields.find((field) => field.key === key)?.value.replace(/[\r\n\t ]+/g, " ").trim() ?? "";
  return `${value("from")}: ${value("subject")}`.replace(/[^ -~]/g, "?").slice(0, screenColumns);
}

/** The whole screen, the latest mail last. */
export function formatScreen(lines: readonly string[]): string {
  const shown = lines.slice(-(screenLines - 1));
  return `${clear}${lines.length} new message${lines.length === 1 ? "" : "s"}\n${
    shown.map((line) => `${line}\n`).join("")
  }`;
}

function headOf(path: string): Uint8Array {
  using file = Deno.openSync(path, { read: true });
  const buffer = new Uint8Array(headBytes);
  return buffer.subarray(0, file.readSync(buffer) ?? 0);
}

async function watch(maildir: string): Promise<never> {
  for (;;) {
    const files = listMaildir(maildir, ["new"], Infinity);
    await writeOctets(Deno.stdout, toOctets(formatScreen(files.map(({ path }) => describeHead(headOf(path))))));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

if (import.meta.main) await runTool("maildirwatch", () => watch(Deno.args[0] ?? ""));
