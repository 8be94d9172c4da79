/**
 * qmail-inject: takes a message as people and programs write it, completes its header and queues it (qmail's interface).
 * Says nothing unless it fails. Exit codes: 0; 100 where the header, an address or the call is wrong or the queue refused
 * the message; 111 try again.
 * @module
 */
import { readControlsOf } from "../../config/read.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { HeaderReader, longestHeader, type ReadHeader } from "../lib/message/header_reader.ts";
import {
  type InjectEnvironment,
  injectOptions,
  type InjectVariable,
  injectVariables,
  parseInjectArguments,
} from "../lib/message/inject/options.ts";
import { formatReturnPath, prepareMessage } from "../lib/message/inject/prepare.ts";
import { LineEnds } from "../lib/message/line_ends.ts";
import { fromOctets, toOctets, utf8Octets } from "../lib/octets.ts";
import { longestEnvelope } from "../lib/queue/caller_envelope.ts";
import type { Envelope } from "../lib/queue/envelope.ts";
import { type Caller, Ending, variable } from "./support/caller.ts";
import { shell, shellArguments } from "./support/child.ts";
import { readInput, writeOctets } from "./support/input.ts";
import { queueSilently } from "./support/queue_mail.ts";
import { runProgram } from "./support/run_program.ts";

type Pieces = AsyncIterable<Uint8Array>;

/** A call of qmail-inject: as people make it, or as another program does in its own process. */
export interface InjectCall {
  readonly args: readonly string[];
  /** Variables with other values than the caller's; `undefined`: as if not set. */
  readonly variables?: ReadonlyMap<InjectVariable, string | undefined>;
  readonly input: Pieces;
}

/** Of what a fatal text repeats. */
const mostSaid = 2000;

/** Does all of it; answers the exit code, having said why it is not 0. */
export async function inject(caller: Caller, call: InjectCall): Promise<number> {
  try {
    await work(caller, call);
    return 0;
  } catch (error) {
    const ending = error instanceof Ending ? error : new Ending(111, utf8Octets(String(error)));
    // Part of it may be the message's: no octet of it may steer a terminal.
    const text = ending.message.slice(0, mostSaid).replace(/[^\t\n\x20-\x7e\x80-\xff]/g, "?");
    await writeOctets(Deno.stderr, `qmail-inject: fatal: ${text}\n`).catch(() => {});
    return ending.code;
  }
}

async function work(caller: Caller, { args, variables = new Map(), input }: InjectCall): Promise<void> {
  const environment = new Map<InjectVariable, string>();
  for (const name of injectVariables) {
    const value = variables.has(name) ? variables.get(name) : variable(caller, name);
    if (value !== undefined) environment.set(name, value);
  }
  const parsed = parseInjectArguments(args);
  if (!parsed.ok) throw new Ending(100, parsed.error);
  const controls = readControlsOf(caller.home, "qmail-inject");
  if (!controls.ok) throw new Ending(111, utf8Octets(controls.error.join("; ")));
  const options = injectOptions(parsed.value, environment, controls.value);
  if (!options.ok) throw new Ending(100, `unable to parse this line:\n${options.error}`);

  const pieces = input[Symbol.asyncIterator]();
  const header = await readHeader(pieces);
  const moment = { unixSeconds: Math.floor(Date.now() / 1000), pid: Deno.pid };
  const followups = await readFollowups(caller, environment);
  const prepared = prepareMessage(header.fields, options.value, moment, followups);
  if (!prepared.ok) throw new Ending(100, prepared.error);

  const content = contentOf(prepared.value.header, header, pieces);
  if (!parsed.value.print) {
    checkEnvelope(caller, prepared.value);
    await queueSilently(caller, prepared.value, content);
    return;
  }
  await writeOctets(Deno.stdout, `Return-Path: ${formatReturnPath(prepared.value.sender)}\n`);
  for await (const piece of content) await writeOctets(Deno.stdout, piece);
}

async function next(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const { done, value } = await pieces.next();
    return done === true ? undefined : value;
  } catch {
    throw new Ending(111, "read error");
  }
}

async function readHeader(pieces: AsyncIterator<Uint8Array>): Promise<ReadHeader> {
  const reader = new HeaderReader();
  for (let piece = await next(pieces); piece !== undefined; piece = await next(pieces)) {
    const state = reader.push(piece);
    if (state.kind === "whole") return state.header;
    if (state.kind === "too long") throw new Ending(100, `header is longer than ${longestHeader} bytes`);
  }
  return reader.end();
}

async function* contentOf(
  header: string,
  { hasBody, rest, crlf }: ReadHeader,
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield toOctets(header);
  if (!hasBody) return;
  yield toOctets("\n");
  const body = new LineEnds(crlf);
  for (let piece: Uint8Array | undefined = rest; piece !== undefined; piece = await next(pieces)) {
    yield body.push(piece);
  }
  yield body.end();
}

/** The lists of QMAILMFTFILE, in lower case; none where it cannot be read. */
async function readFollowups(caller: Caller, environment: InjectEnvironment): Promise<ReadonlySet<string>> {
  const path = environment.get("QMAILMFTFILE") ?? "";
  if (path === "") return new Set();
  // Which file that is nobody knows before: cat(1) may read it, as the caller might.
  const { success, stdout } = await new Deno.Command(shell, {
    args: shellArguments(caller.environment, ["/bin/cat", "--", path]),
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  }).output();
  const lines = success ? fromOctets(stdout).split("\n") : [];
  return new Set(lines.map((line) => lowerCaseAscii(line.replace(/[ \t]+$/, ""))).filter((line) => /^[^#]/.test(line)));
}

/**
 * Throws an {@link Ending} for more recipients than qmail-queue takes; a program of the caller's may take more. And for none:
 * Unlike qmail, which takes such a message and throws it away. Programs that hand one to qmail-queue itself still may.
 */
function checkEnvelope(caller: Caller, { sender, recipients }: Envelope): void {
  if (recipients.length === 0) throw new Ending(100, "no recipients");
  const octets = [sender, ...recipients].reduce((sum, address) => sum + address.length + 1, 0);
  if (octets <= longestEnvelope || (variable(caller, "QMAILQUEUE") ?? "") !== "") return;
  throw new Ending(100, `envelope is longer than ${longestEnvelope} bytes`);
}

if (import.meta.main) {
  await runProgram("qmail-inject", (caller) => inject(caller, { args: caller.args, input: readInput() }));
}
