/**
 * One question to the qmail-send of a home.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { ask, NoAnswer } from "../../components/lib/wire/ask.ts";
import { parseTrouble } from "../../components/lib/wire/control_protocol.ts";
import type { Frame } from "../../components/lib/wire/frame.ts";
import { inWords } from "../cli/called.ts";

/** A message that is being moved while the disk is full may keep its answer waiting for long. */
const answerMs = 600_000;

/** qmail-send could not read what it was asked about. */
export class Trouble extends Error {
  override name = "Trouble";
}

/** Answers the reply. Throws an Error that says what to do where nobody answers, and {@link Trouble}. */
export async function askSend(home: Home, request: object): Promise<Frame> {
  const reply = await askSocket(home, request);
  const trouble = parseTrouble(reply);
  if (trouble !== undefined) throw new Trouble(trouble);
  return reply;
}

async function askSocket(home: Home, request: object): Promise<Frame> {
  try {
    return await ask(home.socket("send-control"), request, answerMs);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const advice = error.message.endsWith("permission denied")
      ? "this is for root, and for the user who started it"
      : `is it running? "deno task status --home ${home.dir}" tells, "deno task start --home ${home.dir}" starts it`;
    throw new NoAnswer(`qmail-send does not answer: ${error.message}; ${inWords(advice)}`);
  }
}

/** Whether a qmail-send runs that answers us. */
export async function sendRuns(home: Home): Promise<boolean> {
  try {
    await ask(home.socket("send-status"), { op: "status" });
    return true;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  }
}
