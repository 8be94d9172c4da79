/**
 * The asking side of hooks: programs of the operator as the rules' oracles, and as a way into the queue.
 * @module
 */
import { environmentDefect } from "../hooks/environment.ts";
import type { HookEnvironment, PluginAnswer, PluginStage, RcptcheckAnswer } from "../policy/oracles.ts";
import { exitCode } from "../queue/exit_code.ts";
import { Submission, type SubmittedEnvelope } from "../queue/submission.ts";
import { Client, ConnectionLost } from "./client.ts";
import { environmentPairs, parsePluginAnswer, parseRcptcheckReply } from "./hooks_protocol.ts";
import type { Origin, QueueReply } from "./queue_protocol.ts";

const away = "hooks is away";

export interface HooksClientOptions {
  /** Told why a program could not be asked. */
  readonly onTrouble?: (reason: string) => void;
}

export class HooksClient {
  readonly #path: string;
  readonly #client: Client;
  readonly #onTrouble: (reason: string) => void;

  /** `path` of the socket `hooks`. */
  constructor(path: string, { onTrouble = () => {} }: HooksClientOptions = {}) {
    this.#path = path;
    this.#client = new Client(path);
    this.#onTrouble = onTrouble;
  }

  /**
   * The exit code of the program in RCPTCHECK; 120 where it could not be started, undefined where it crashed, took too
   * long, or hooks is away. Never rejects.
   */
  async rcptcheck(environment: HookEnvironment): Promise<RcptcheckAnswer> {
    const program = environment.get("RCPTCHECK") ?? "";
    const defect = environmentDefect(environment);
    if (defect !== undefined) return this.#trouble(defect);
    try {
      const request = { op: "rcptcheck", program, environment: environmentPairs(environment) };
      const reply = parseRcptcheckReply(await this.#client.request(request));
      return reply.kind === "exited" ? reply.code : this.#trouble(reply.detail);
    } catch (error) {
      return this.#trouble(error instanceof ConnectionLost ? away : String(error));
    }
  }

  /** What the plug-ins of a section say. Never rejects. */
  async spp(stage: PluginStage, environment: HookEnvironment): Promise<PluginAnswer> {
    const defect = environmentDefect(environment);
    if (defect !== undefined) return this.#failure(defect);
    try {
      const request = { op: "spp", stage, environment: environmentPairs(environment) };
      return parsePluginAnswer(await this.#client.request(request));
    } catch (error) {
      return this.#failure(error instanceof ConnectionLost ? away : String(error));
    }
  }

  /** Begins one message for the program that QMAILQUEUE names, over a connection of its own. */
  begin(program: string, environment: HookEnvironment, origin: Origin, uid: number): ProgramSubmission {
    return new ProgramSubmission(this.#path, program, environment, origin, uid);
  }

  close(): void {
    this.#client.close();
  }

  #trouble(reason: string): undefined {
    this.#onTrouble(reason);
    return undefined;
  }

  #failure(detail: string): PluginAnswer {
    this.#onTrouble(detail);
    return { kind: "failure", detail };
  }
}

/**
 * One message on its way into a program: a Submission over a connection of its own, so that a program which does not read
 * holds up nobody else, and what breaks off is seen at once.
 */
export class ProgramSubmission {
  readonly #client: Client;
  readonly #submission: Submission;
  readonly #isUsable: boolean;

  constructor(path: string, program: string, environment: HookEnvironment, origin: Origin, uid: number) {
    const opening = { op: "program", program, environment: environmentPairs(environment) };
    this.#client = new Client(path, { onOpen: (pipe) => pipe.send(opening) });
    this.#submission = new Submission(this.#client, origin, uid);
    this.#isUsable = environmentDefect(environment) === undefined;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#isUsable ? this.#submission.write(chunk) : undefined;
  }

  /** Queues it: the program's exit code, as qmail-queue's. What the client asked for beside the addresses has no way in. */
  async commit({ sender, recipients }: SubmittedEnvelope): Promise<QueueReply> {
    if (!this.#isUsable) return { code: exitCode.bug, qp: 0 };
    try {
      return await this.#submission.commit({ sender, recipients });
    } finally {
      this.#client.close();
    }
  }

  abort(): void {
    this.#submission.abort();
    this.#client.close();
  }
}
