/**
 * Queueing a message from a tool: by the daemon qmail-queue, or by the program that QMAILQUEUE names. Either gets the
 * content in pieces, and the envelope's end only when all of the content was there: what goes wrong before leaves nothing
 * in the queue.
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { toOctets } from "../../lib/octets.ts";
import type { Envelope } from "../../lib/queue/envelope.ts";
import { exitText } from "../../lib/queue/exit_code.ts";
import { Submission } from "../../lib/queue/submission.ts";
import { Client } from "../../lib/wire/client.ts";
import { type Caller, Ending, variable } from "./caller.ts";
import { shell, shellArguments } from "./child.ts";
import { say } from "./run_program.ts";

/** So long the daemon may be away, for it may just be restarted. */
const connectMs = 5000;

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Queues it and says `NAME: qp N`. Throws an {@link Ending}, 100 or 111 by what the queue said. */
export async function queueMail(name: string, caller: Caller, envelope: Envelope, content: Pieces): Promise<void> {
  const program = variable(caller, "QMAILQUEUE") ?? "";
  const { code, qp } = program === ""
    ? await queueByDaemon(caller, envelope, content)
    : await queueByProgram(caller, program, envelope, content);
  if (code !== 0) throw refusal(code);
  await say(`${name}: qp ${qp}`);
}

/** What a queue's exit code means for who called the tool; `undefined` is a crash. */
export function refusal(code: number | undefined): Ending {
  const text = code === undefined ? "Zqq crashed (#4.3.0)" : exitText(code);
  return new Ending(text.startsWith("D") ? 100 : 111, text.slice(1));
}

interface Queued {
  readonly code: number | undefined;
  readonly qp: number;
}

async function queueByDaemon({ home }: Caller, envelope: Envelope, content: Pieces): Promise<Queued> {
  const client = new Client(home.socket("qmail-queue"), { connectMs });
  const submission = new Submission(client, "uid", Deno.uid() ?? 0);
  try {
    // Content that cannot be read ends here; the daemon drops what has no envelope.
    for await (const piece of content) await submission.write(piece);
    return await submission.commit(envelope);
  } finally {
    client.close();
  }
}

/** The envelope as qmail-queue reads it from descriptor 1. */
export function formatCallerEnvelope({ sender, recipients }: Envelope): string {
  // A NUL in an address would be another recipient; no variable and no argument can hold one.
  return `F${sender}\0${recipients.map((recipient) => `T${recipient}\0`).join("")}\0`;
}

/**
 * Message on descriptor 0, envelope on descriptor 1, in the queue's home (qmail's interface). The envelope's pipe is the
 * child's descriptor 3 until its shell moves it: node gives a child pipes at any number, but only those beyond 2 are such
 * that the child can read.
 */
async function queueByProgram(
  { home, environment }: Caller,
  program: string,
  envelope: Envelope,
  content: Pieces,
): Promise<Queued> {
  const child = spawn(shell, shellArguments(environment, [program], "exec 1<&3 3<&-"), {
    cwd: home.dir,
    env: {},
    stdio: ["pipe", "ignore", "inherit", "pipe"],
  });
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? undefined));
  });
  const [messagePipe, envelopePipe] = [child.stdin as Writable, child.stdio[3] as Writable];
  // A program that refuses without reading to the end has said why by its code.
  for (const pipe of [messagePipe, envelopePipe]) pipe.on("error", () => {});
  try {
    for await (const piece of content) {
      if (!await Promise.race([written(messagePipe, piece), ended.then(() => false)])) break;
    }
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  messagePipe.end();
  envelopePipe.end(Buffer.from(toOctets(formatCallerEnvelope(envelope))));
  return { code: await ended, qp: child.pid ?? 0 };
}

/** Settles when `pipe` took the octets, with false when nobody reads them. */
function written(pipe: Writable, octets: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => pipe.write(octets, (error) => resolve(error == null)));
}
