/**
 * Fresh mail: one small message after the other to a mailbox or a host where nothing else is waiting, numbered, so that
 * each one's arrival can be told. A message is sent when its time has come, whether or not those before have arrived: mail
 * that is kept waiting would otherwise delay the next question, and seem rarer than it is.
 * @module
 */
import net from "node:net";
import { nowMs, pause } from "./clock.ts";
import { beginDialogue, endDialogue, envelopeCommands, onReply, type Step, takeReplies } from "./load_dialogue.ts";
import { buildPayload, stampNumber } from "./payload.ts";

export interface FreshJob {
  /** An address in 127.0.0.0/8. */
  readonly host: string;
  readonly port: number;
  /** Taken in turn, by the running number. */
  readonly recipients: readonly string[];
  readonly messages: number;
  readonly everyMs: number;
  /** The running number in the first message; the others follow it. */
  readonly firstNumber: number;
  /** Ends the sending early; asked before each message but the first of each recipient. */
  readonly over?: () => boolean;
}

/** One message that was accepted. */
export interface Sent {
  readonly running: number;
  readonly recipient: string;
  /** When the 250 after the message came; milliseconds since 1970. */
  readonly acceptedAtMs: number;
  /** From connect to that 250. */
  readonly acceptMs: number;
}

const sizeBytes = 1024;
/** A server that does not answer for so long counts as one that refuses. */
const silenceMs = 60_000;

/** Sends all of them. Rejects where one is refused: then there is nothing to measure. */
export async function sendFresh(job: FreshJob): Promise<readonly Sent[]> {
  const payload = buildPayload(sizeBytes, new Date().toUTCString().replace("GMT", "+0000"));
  const octets = payload.octets.slice();
  const sent: Sent[] = [];
  const begin = performance.now();
  for (let index = 0; index < job.messages; index++) {
    if (index >= job.recipients.length && job.over?.() === true) break;
    const waitMs = begin + index * job.everyMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
    const running = job.firstNumber + index;
    const recipient = job.recipients[running % job.recipients.length] ?? "";
    stampNumber(octets, payload, running);
    sent.push({ running, recipient, ...await sendOne(job, recipient, octets) });
  }
  return sent;
}

function sendOne(
  { host, port }: FreshJob,
  recipient: string,
  octets: Uint8Array,
): Promise<Pick<Sent, "acceptedAtMs" | "acceptMs">> {
  const { promise, resolve, reject } = Promise.withResolvers<Pick<Sent, "acceptedAtMs" | "acceptMs">>();
  const begin = nowMs();
  let dialogue = beginDialogue(envelopeCommands("sender@source.example", [recipient]), true);
  let buffered = "";
  const socket = net.connect({ host, port, noDelay: true, timeout: silenceMs });

  function perform(step: Step): void {
    if (step.kind === "closed") return void socket.end();
    dialogue = step.dialogue;
    if (step.kind === "send") socket.write(step.text, "latin1");
    else if (step.kind === "payload") socket.write(octets);
    else if (step.kind === "ended") {
      const now = nowMs();
      if (step.outcome.kind === "accepted") resolve({ acceptedAtMs: now, acceptMs: now - begin });
      else reject(new Error(`Cannot send to ${recipient}: ${step.outcome.reply}`));
      perform(endDialogue(dialogue));
    }
  }

  socket.on("data", (chunk) => {
    const { replies, rest } = takeReplies(buffered + chunk.toString("latin1"));
    buffered = rest;
    for (const reply of replies) perform(onReply(dialogue, reply));
  });
  socket.on("timeout", () => socket.destroy());
  socket.on("error", (error) => reject(new Error(`Cannot send to ${recipient}: ${error.message}`)));
  socket.on("close", () => reject(new Error(`Cannot send to ${recipient}: the connection was closed too soon`)));
  return promise;
}
