/**
 * qmail-queue, the program: message on descriptor 0, envelope on descriptor 1, the result as exit code, no output
 * (qmail's interface, so that whatever runs qmail-queue can run this). It hands all to the daemon of the same name, which
 * alone writes to the queue; exit code 0 means that the message is on stable storage. Codes: components/lib/queue/
 * exit_code.ts.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../config/home.ts";
import { ChainSubmission, Hops } from "../lib/filters/hand_on.ts";
import { parseRouteText } from "../lib/filters/route.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { CallerEnvelope } from "../lib/queue/caller_envelope.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import { Submission } from "../lib/queue/submission.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";
import { Client } from "../lib/wire/client.ts";
import { type Read, readEnvelope, readMessage } from "./support/queue_input.ts";

/** qmail's limit: below the age at which an abandoned file is garbage. */
const longestMs = 86_400_000;
/** So long the daemon may be away, for it may just be restarted. */
const connectMs = 5000;

/** Reads both and hands them over; answers the exit code. */
async function queue(submission: IntoQueue, message: Read, envelope: Read): Promise<number> {
  try {
    for (let piece = await message(); piece !== undefined; piece = await message()) await submission.write(piece);
    const reader = new CallerEnvelope();
    for (let piece = await envelope(); piece !== undefined; piece = await envelope()) {
      const state = reader.push(piece);
      if (state.kind === "refused") return state.code;
      if (state.kind === "whole") return (await submission.commit(state.envelope)).code;
    }
    return reader.endedCode();
  } catch {
    // What else could fail here is the reading; a lost daemon is a code of the submission.
    return exitCode.readError;
  }
}

/** `filters`: of a program in a chain of filters, that ran this, what comes behind it; undefined: that is no such text. */
function begin(home: Home, filters: string): IntoQueue | undefined {
  const uid = Deno.uid() ?? 0;
  if (filters === "") return new Submission(new Client(home.socket("qmail-queue"), { connectMs }), "uid", uid);
  const route = parseRouteText(filters);
  return route.ok ? new ChainSubmission(new Hops(home), { origin: "uid", uid, route: route.value }) : undefined;
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: [...homeOptions, "filters"] });
  setTimeout(() => Deno.exit(exitCode.timeout), longestMs);
  const submission = begin(parseHomeArgs(args), String(args["filters"] ?? ""));
  if (submission === undefined) Deno.exit(exitCode.configuration);
  // What is not committed when the connection ends is dropped by the daemon.
  Deno.exit(await queue(submission, readMessage, readEnvelope));
}
