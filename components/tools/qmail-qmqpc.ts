/**
 * qmail-qmqpc: in qmail-queue's place (QMAILQUEUE, or bin/qmail-queue of a host without a queue), with its descriptors and
 * its exit codes. Hands the message to a server of control/qmqpservers; exit code 0 means that the server has said that it
 * has it on stable storage. QMQP begins with a message's length, so the message is held in memory.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { longestNetstring } from "../lib/qmtp/netstring.ts";
import { frameMail } from "../lib/qmtp/qmqp_client.ts";
import { CallerEnvelope } from "../lib/queue/caller_envelope.ts";
import type { Envelope } from "../lib/queue/envelope.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import { handOver } from "./support/qmqp.ts";
import { type Read, readEnvelope, readMessage } from "./support/queue_input.ts";

/** The whole input, or the exit code that refuses it. */
async function readMail(message: Read, envelope: Read): Promise<{ pieces: Uint8Array[]; envelope: Envelope } | number> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (let piece = await message(); piece !== undefined; piece = await message()) {
    bytes += piece.length;
    // No server takes it; the rest need not be read.
    if (bytes > longestNetstring) return exitCode.refused;
    pieces.push(piece);
  }
  const reader = new CallerEnvelope();
  for (let piece = await envelope(); piece !== undefined; piece = await envelope()) {
    const state = reader.push(piece);
    if (state.kind === "refused") return state.code;
    if (state.kind === "whole") return { pieces, envelope: state.envelope };
  }
  return reader.endedCode();
}

/** Answers the exit code. */
async function queue(home: Home): Promise<number> {
  const controls = readControls(home, ["qmqpservers"]);
  if (!controls.ok || controls.value.qmqpservers.length === 0) return exitCode.configuration;
  const mail = await readMail(readMessage, readEnvelope).catch(() => exitCode.readError);
  if (typeof mail === "number") return mail;
  const bytes = mail.pieces.reduce((sum, { length }) => sum + length, 0);
  const frame = frameMail(bytes, mail.envelope);
  if (frame === undefined) return exitCode.refused;
  return await handOver(controls.value.qmqpservers, frame, mail.pieces);
}

if (import.meta.main) {
  const home = parseHomeArgs(parseArgs(Deno.args, { string: homeOptions }));
  Deno.exit(await queue(home).catch(() => exitCode.bug));
}
