/**
 * A connection on which a program stands in for qmail-queue: each message that comes in goes into a process of that
 * program, whose exit code is the answer (qmail's interface).
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { crashed, QueueProgram } from "../lib/queue/queue_program.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import type { Envelope } from "../lib/queue/envelope.ts";
import { keep, type Kept } from "../lib/process/kept_output.ts";
import { endOf } from "../lib/process/program_end.ts";
import type { QueueReply, QueueRequest } from "../lib/wire/queue_protocol.ts";
import { endChild } from "./programs.ts";

export interface QueueSurroundings {
  /** Starts the program; throws what the system says. */
  readonly start: () => ChildProcess;
  readonly queueMs: number;
  readonly pieceMs: number;
  /** Whether one more may be started; to be told when one has ended. */
  readonly take: () => boolean;
  readonly release: () => void;
  /** Told what a program said on its standard error, and why one could not be started. */
  readonly onSaid: (text: string) => void;
  readonly onTrouble: (error: unknown) => void;
}

interface Message {
  readonly program: QueueProgram;
  readonly child: ChildProcess;
  readonly said: Kept;
  /** It was ended since it took too long. */
  late: boolean;
}

export class QueueIntake {
  readonly #around: QueueSurroundings;
  readonly #messages = new Map<number, Message>();
  /** Ids of messages that could not begin: the rest of them is ignored, `close` answers the code. */
  readonly #failed = new Map<number, number>();

  constructor(around: QueueSurroundings) {
    this.#around = around;
  }

  /**
   * Carries out one request; a promise of nothing means that no further one is to be taken before it settles. Replies go
   * to `reply` whenever they are there.
   */
  take(request: QueueRequest, reply: (answer: QueueReply) => void): Promise<void> | undefined {
    switch (request.op) {
      case "message":
        this.#open(request.id);
        void this.#write(request.id, request.content);
        this.#close(request.id, request.envelope, reply);
        return undefined;
      case "open":
        this.#open(request.id);
        return undefined;
      case "data":
        return this.#write(request.id, request.content);
      case "close":
        this.#close(request.id, request.envelope, reply);
        return undefined;
      case "abort":
        this.#drop(request.id);
        return undefined;
    }
  }

  /** The connection ended: nobody says the last word of what was not closed. */
  end(): void {
    for (const id of [...this.#messages.keys()]) this.#drop(id);
    this.#failed.clear();
  }

  #open(id: number): void {
    this.#drop(id);
    if (!this.#around.take()) {
      this.#failed.set(id, exitCode.temporary);
      return;
    }
    // Of a child that could not be started the same is heard twice.
    const release = once(this.#around.release);
    try {
      const child = this.#around.start();
      for (const event of ["exit", "error"]) child.on(event, release);
      const program = new QueueProgram(child, () => endChild(child));
      this.#messages.set(id, { program, child, said: keep(child.stderr!, 4096), late: false });
    } catch (error) {
      release();
      this.#around.onTrouble(error);
      this.#failed.set(id, cannotExec);
    }
  }

  async #write(id: number, content: Uint8Array): Promise<void> {
    const message = this.#messages.get(id);
    if (message === undefined) return;
    const timer = this.#limit(message, this.#around.pieceMs);
    await message.program.write(content);
    clearTimeout(timer);
  }

  #close(id: number, envelope: Envelope, reply: (answer: QueueReply) => void): void {
    const message = this.#messages.get(id);
    const failed = this.#failed.get(id) ?? exitCode.bug;
    this.#messages.delete(id);
    this.#failed.delete(id);
    if (message === undefined) reply({ code: failed, qp: 0 });
    else void this.#finish(message, envelope).then(reply);
  }

  async #finish(message: Message, envelope: Envelope): Promise<QueueReply> {
    const timer = this.#limit(message, this.#around.queueMs);
    try {
      const { code, text } = await message.program.commit(envelope);
      const said = await message.said.text();
      if (said !== "") this.#around.onSaid(said);
      return replyOf(code, text, message.late);
    } catch (error) {
      this.#around.onTrouble(error);
      return { code: cannotExec, qp: 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(id: number): void {
    const message = this.#messages.get(id);
    this.#messages.delete(id);
    this.#failed.delete(id);
    void message?.program.abort();
  }

  #limit(message: Message, ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      message.late = true;
      endChild(message.child);
    }, ms);
  }
}

/** qmail's code for a queue program that could not be run. */
const cannotExec = 120;

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** `code` of the script, or {@link crashed}; `text` is what came with it. */
function replyOf(code: number, text: string | undefined, late: boolean): QueueReply {
  const end = endOf({ code, signal: code === crashed ? "SIGKILL" : null }, late);
  switch (end.kind) {
    case "timeout":
      return { code: exitCode.timeout, qp: 0 };
    case "crashed":
      return { code: exitCode.temporary, qp: 0, text: "Zqq crashed (#4.3.0)" };
    case "exited":
      return { code: end.code, qp: 0, ...(text === undefined ? {} : { text }) };
  }
}
