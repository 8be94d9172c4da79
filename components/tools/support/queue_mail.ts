/**
 * Queueing a message from a tool: by the program that QMAILQUEUE names, else by the daemon qmail-queue, or on a host without
 * one by qmail-qmqpc. Each gets the
 * content in pieces, and the envelope's end only when all of the content was there: what goes wrong before leaves nothing
 * in the queue.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { ChainSubmission, Hops } from "../../lib/filters/hand_on.ts";
import { parseRouteText } from "../../lib/filters/route.ts";
import type { Envelope } from "../../lib/queue/envelope.ts";
import { exitCode, exitText } from "../../lib/queue/exit_code.ts";
import { crashed, QueueProgram } from "../../lib/queue/queue_program.ts";
import { Submission } from "../../lib/queue/submission.ts";
import type { IntoQueue } from "../../lib/smtp/incoming_message.ts";
import type { QueueReply } from "../../lib/wire/queue_protocol.ts";
import { Client } from "../../lib/wire/client.ts";
import { type Caller, Ending, variable } from "./caller.ts";
import { startQueueProgram } from "./queue_program.ts";
import { say } from "./run_program.ts";

/** So long the daemon may be away, for it may just be restarted. */
const connectMs = 5000;
/** qmail-queue's limit of an address, with its NUL. */
const longestAddress = 1003;

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A caller's way into the queue, for any number of messages, one after the other. */
export interface CallersQueue extends Disposable {
  /** Begins a message. */
  begin(): IntoQueue | QueueProgram;
}

export function callersQueue(caller: Caller): CallersQueue {
  const program = variable(caller, "QMAILQUEUE") || caller.queueProgram;
  if (program !== undefined) return { begin: () => startQueueProgram(caller, program), [Symbol.dispose]: () => {} };
  const uid = Deno.uid() ?? 0;
  if (caller.filters !== undefined) return throughFilters(caller.home, caller.filters, uid);
  const client = new Client(caller.home.socket("qmail-queue"), { connectMs });
  return {
    begin: () => new Submission(client, "uid", uid),
    // What is not committed by then is dropped by the daemon.
    [Symbol.dispose]: () => client.close(),
  };
}

function throughFilters(home: Home, filters: string, uid: number): CallersQueue {
  const route = parseRouteText(filters);
  // As the script was written by the start of the server, so it is read here.
  if (!route.ok) throw new Error(`the filters of this program's script: ${route.error}`);
  const hops = new Hops(home);
  return {
    begin: () => new ChainSubmission(hops, { origin: "uid", uid, route: route.value }),
    [Symbol.dispose]: () => hops.close(),
  };
}

/** Queues it and says `NAME: qp N`. Throws an {@link Ending}, 100 or 111 by what the queue said. */
export async function queueMail(name: string, caller: Caller, envelope: Envelope, content: Pieces): Promise<void> {
  await say(`${name}: qp ${await queueSilently(caller, envelope, content)}`);
}

/** Queues it and answers the queue's number of it. Throws an {@link Ending}, 100 or 111 by what the queue said. */
export async function queueSilently(
  caller: Caller,
  { sender, recipients }: Envelope,
  content: Pieces,
): Promise<number> {
  if ([sender, ...recipients].some((address) => address.length + 1 > longestAddress)) {
    throw refusal(exitCode.addressTooLong);
  }
  using queue = callersQueue(caller);
  const submission = queue.begin();
  try {
    for await (const piece of content) {
      await submission.write(piece);
      if (submission instanceof QueueProgram && submission.hasEnded) break;
    }
  } catch (error) {
    // Content that cannot be read to its end is not queued.
    await submission.abort();
    throw error;
  }
  const reply: QueueReply = await submission.commit({ sender, recipients });
  if (reply.code !== exitCode.queued) throw refusal(reply.code, reply.text);
  return reply.qp;
}

/** What a queue's exit code means for who called the tool; `said`: a filter's own words for it. */
export function refusal(code: number, said?: string): Ending {
  const text = code === crashed ? "Zqq crashed (#4.3.0)" : said ?? exitText(code);
  return new Ending(text.startsWith("D") ? 100 : 111, text.slice(1));
}
