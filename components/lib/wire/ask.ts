/**
 * One question to a component, for programs that run once and end: connects once, waits for one answer.
 * @module
 */
import { describeError } from "../log/log.ts";
import type { Frame } from "./frame.ts";
import { Pipe } from "./pipe.ts";

/** There was no answer; the message says why. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** No process listens on the socket: it does not run, or it is asleep. */
export class NobodyListens extends NoAnswer {
  override name = "NobodyListens";
}

/** What a component that is busy may take to answer. */
const answerMs = 10_000;

/** As {@link ask}, where a process that does not run remembers nothing that could be asked for: `undefined` then. */
export async function askIfRunning(path: string, request: object): Promise<Frame | undefined> {
  try {
    return await ask(path, request);
  } catch (error) {
    if (error instanceof NobodyListens) return undefined;
    throw error;
  }
}

/** Sends `request` to the socket at `path`, answers the reply. Throws {@link NoAnswer}, and FrameError for garbage. */
export async function ask(path: string, request: object, limitMs: number = answerMs): Promise<Frame> {
  const pipe = await connect(path);
  const timer = setTimeout(() => pipe.close(), limitMs);
  try {
    pipe.send({ ...request, id: 1 });
    for await (const frame of pipe.frames()) return frame;
    throw new NoAnswer(`${path} gave no answer`);
  } finally {
    clearTimeout(timer);
    pipe.close();
  }
}

async function connect(path: string): Promise<Pipe> {
  try {
    return new Pipe(await Deno.connect({ transport: "unix", path }));
  } catch (error) {
    // A socket that a dead process left refuses; before the first start there is none.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      throw new NobodyListens(`cannot connect to ${path}: nobody listens`);
    }
    throw new NoAnswer(`cannot connect to ${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return describeError(error);
}
