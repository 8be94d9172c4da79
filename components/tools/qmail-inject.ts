/**
 * qmail-inject: takes a message as people and programs write it, completes its header and queues it (qmail's interface).
 * Says nothing unless it fails. Exit codes: 0; 100 where the header, an address or the call is wrong or the queue refused
 * the message; 111 try again.
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
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
import { exitCode } from "../lib/queue/exit_code.ts";
import { Submission } from "../lib/queue/submission.ts";
import { Client } from "../lib/wire/client.ts";
import { type Caller, Ending, variable } from "./support/caller.ts";
import { shell, shellArguments } from "./support/child.ts";
import { readInput, writeOctets } from "./support/input.ts";
import { formatCallerEnvelope, refusal } from "./support/queue_mail.ts";
import { runProgram } from "./support/run_program.ts";

type Pieces = AsyncIterable<Uint8Array>;

/** A call of qmail-inject: as people make it, or as another program does in its own process. */
export interface InjectCall {
  readonly args: readonly string[];
  /** Variables with other values than the caller's; `undefined`: as if not set. */
  readonly variables?: ReadonlyMap<InjectVariable, string | undefined>;
  readonly input: Pieces;
}

/** So long the daemon may be away, for it may just be restarted. */
const connectMs = 5000;
/** qmail-queue's limit of an address, with its NUL. */
const longestAddress = 1003;
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
  if (!parsed.value.print) return await queue(caller, environment, prepared.value, content);
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

/** Throws an {@link Ending} unless the message is on stable storage. */
async function queue(
  caller: Caller,
  environment: InjectEnvironment,
  envelope: Envelope,
  content: Pieces,
): Promise<void> {
  const sizes = [envelope.sender, ...envelope.recipients].map((address) => address.length + 1);
  if (sizes.some((size) => size > longestAddress)) throw refusal(exitCode.addressTooLong);
  const program = environment.get("QMAILQUEUE") ?? "";
  if (program !== "") return await queueByProgram(caller, program, envelope, content);
  if (sizes.reduce((sum, size) => sum + size, 0) > longestEnvelope) {
    throw new Ending(100, `envelope is longer than ${longestEnvelope} bytes`);
  }
  const client = new Client(caller.home.socket("qmail-queue"), { connectMs });
  const submission = new Submission(client, "uid", Deno.uid() ?? 0);
  try {
    for await (const piece of content) await submission.write(piece);
    const { code } = await submission.commit({ sender: envelope.sender, recipients: envelope.recipients });
    if (code !== exitCode.queued) throw refusal(code);
  } finally {
    // What is not committed by now is dropped by the daemon.
    client.close();
  }
}

/**
 * Message on descriptor 0, envelope on descriptor 1, in the queue's home (qmail's interface). The envelope comes in by
 * descriptor 3, for only there node makes a pipe that a child can read.
 */
async function queueByProgram(caller: Caller, program: string, envelope: Envelope, content: Pieces): Promise<void> {
  const child = spawn(shell, shellArguments(caller.environment, [program], "exec 1<&3 3<&-\n"), {
    cwd: caller.home.dir,
    env: {},
    stdio: ["pipe", "ignore", "inherit", "pipe"],
  });
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? undefined));
  });
  const [message, addresses] = [child.stdin as Writable, child.stdio[3] as Writable];
  // One that refuses before it has read all says why by its code.
  for (const pipe of [message, addresses]) pipe.on("error", () => {});
  const write = (piece: Uint8Array) =>
    new Promise<boolean>((resolve) => message.write(piece, (error) => resolve(error == null)));
  try {
    for await (const piece of content) {
      if (!await Promise.race([write(piece), ended.then(() => false)])) break;
    }
  } catch (error) {
    // Without the envelope's end it is not to take what it has for the whole.
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  message.end();
  addresses.end(Buffer.from(toOctets(formatCallerEnvelope(envelope))));
  const code = await ended;
  if (code !== exitCode.queued) throw refusal(code);
}

if (import.meta.main) {
  await runProgram("qmail-inject", (caller) => inject(caller, { args: caller.args, input: readInput() }));
}
