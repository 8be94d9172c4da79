/**
 * Handing a message to the first of a chain: as to qmail-queue (lib/queue/submission.ts), but that one who is away or dies
 * is passed over where control/filters says so, and that nobody waits for ever for one who hangs.
 *
 * What a filter was given and not answered for is sent once more to the one behind it only while it is small enough to
 * have been kept; of a larger one the client hears to try again. As after any lost answer the message may then be twice
 * in the queue, and is never lost.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { exitCode } from "../queue/exit_code.ts";
import { Submission, type SubmittedEnvelope } from "../queue/submission.ts";
import type { IntoQueue } from "../smtp/incoming_message.ts";
import { Client } from "../wire/client.ts";
import { ProgramSubmission } from "../wire/hooks_client.ts";
import { type Origin, type QueueReply, smallMessageBytes } from "../wire/queue_protocol.ts";
import { type Chain, type FilterName, type Hop, isFilterName } from "./chain.ts";
import { formatRoute, formatRouteText, type Route, routeVariable } from "./route.ts";
import { noteVariables } from "./variables.ts";

/** Times to wait, in ms. */
export interface Patience {
  /** For a filter that is being started. */
  readonly connectMs: number;
  /** For qmail-queue that is. */
  readonly queueConnectMs: number;
  /** Until a piece of a large message has been taken. */
  readonly pieceMs: number;
  /** For qmail-queue's answer. */
  readonly queueMs: number;
  /** For each filter on the way, more than serveFilter() gives it. */
  readonly filterMs: number;
  /** For each program on the way: more than hooks gives it. */
  readonly programMs: number;
}

/** Eight filters take less than the ten minutes a client waits (RFC 5321 §4.5.3.2.6). */
export const usualPatience: Patience = {
  connectMs: 2000,
  queueConnectMs: 5000,
  pieceMs: 60_000,
  queueMs: 120_000,
  filterMs: 45_000,
  programMs: 310_000,
};

export interface HopsOptions {
  readonly patience?: Patience;
  /** Told of a filter that messages go on without. */
  readonly onPassedOver?: (name: string, reason: string) => void;
  /** Told of what nobody foresaw, such as a socket that is not granted. */
  readonly onSurprise?: (error: unknown) => void;
}

/** The connections of one process to those that may be next. Each is made when first needed. */
export class Hops {
  readonly home: Home;
  readonly patience: Patience;
  readonly onPassedOver: (name: string, reason: string) => void;
  readonly onSurprise: (error: unknown) => void;
  readonly #clients = new Map<FilterName | "qmail-queue", Client>();

  constructor(
    home: Home,
    { patience = usualPatience, onPassedOver = () => {}, onSurprise = () => {} }: HopsOptions = {},
  ) {
    this.home = home;
    this.patience = patience;
    this.onPassedOver = onPassedOver;
    this.onSurprise = onSurprise;
  }

  client(name: FilterName | "qmail-queue"): Client {
    let client = this.#clients.get(name);
    if (client === undefined) {
      const { connectMs, queueConnectMs } = this.patience;
      client = new Client(this.home.socket(name), { connectMs: name === "qmail-queue" ? queueConnectMs : connectMs });
      this.#clients.set(name, client);
    }
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}

export interface Handing {
  readonly origin: Origin;
  readonly uid: number;
  readonly route: Route;
  /** What an operator's program in the chain finds beside the client's own variables. */
  readonly environment?: ReadonlyMap<string, string>;
}

/** Somebody who is given the message. */
interface Target {
  readonly into: IntoQueue;
  /** Breaks the connection off; absent: `abort` does. */
  readonly client?: Client;
}

/** One message on its way through a chain. Used as a Submission is; with an empty chain it goes to qmail-queue. */
export class ChainSubmission implements IntoQueue {
  readonly #hops: Hops;
  readonly #handing: Handing;
  /** From the one on who has the message, or is to get it. */
  #chain: Chain;
  #kept: Uint8Array[] = [];
  #bytes = 0;
  #target: Target | undefined;
  #isLost = false;
  #isAborted = false;

  constructor(hops: Hops, handing: Handing) {
    this.#hops = hops;
    this.#handing = handing;
    this.#chain = handing.route.chain;
  }

  /** As Submission's: adds content; settles when more may follow; never throws. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#isLost || this.#isAborted || chunk.length === 0) return undefined;
    if (this.#target !== undefined) return this.#pass(this.#target, chunk);
    this.#kept.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes > smallMessageBytes ? this.#begin() : undefined;
  }

  /** As Submission's. Code 74 where whoever is next is away or hangs, and may not be passed over. */
  async commit(envelope: SubmittedEnvelope): Promise<QueueReply> {
    if (this.#isLost || this.#isAborted) return lost;
    if (this.#target !== undefined) return await this.#ask(this.#target, envelope);
    for (;;) {
      const target = this.#open();
      for (const chunk of this.#kept) void target.into.write(chunk);
      const reply = await this.#ask(target, envelope);
      const hop = this.#chain[0];
      if (hop?.onTrouble !== "pass" || !isTrouble(hop, reply) || this.#isAborted) return reply;
      this.#passOver(hop, "no answer");
    }
  }

  /** As Submission's: nothing of it stays. */
  abort(): void {
    this.#isAborted = true;
    this.#kept = [];
    this.#target?.into.abort();
  }

  #passOver({ name }: Hop, reason: string): void {
    this.#hops.onPassedOver(name, reason);
    this.#chain = this.#chain.slice(1);
  }

  #open(): Target {
    const { origin, uid, route, environment } = this.#handing;
    const [hop, ...chain] = this.#chain;
    if (hop === undefined) {
      const client = this.#hops.client("qmail-queue");
      return { into: new Submission(client, origin, uid), client };
    }
    const rest = { ...route, chain };
    if (isFilterName(hop.name)) {
      const client = this.#hops.client(hop.name);
      return { into: new Submission(client, origin, uid, formatRoute(rest, hop)), client };
    }
    const variables = new Map([...noteVariables(route.client), ...environment ?? []]);
    variables.set(routeVariable, formatRouteText(rest));
    return { into: new ProgramSubmission(this.#hops.home.socket("hooks"), hop.name, variables, origin, uid) };
  }

  /** The message is too large to be kept: whoever is there now gets it. */
  async #begin(): Promise<void> {
    try {
      await this.#stream();
    } catch (error) {
      this.#hops.onSurprise(error);
      this.#isLost = true;
    }
  }

  async #stream(): Promise<void> {
    for (let hop = this.#chain[0]; hop?.onTrouble === "pass" && isFilterName(hop.name); hop = this.#chain[0]) {
      if (await this.#hops.client(hop.name).connect() !== undefined) break;
      this.#passOver(hop, "away");
    }
    if (this.#isAborted) return;
    const target = this.#target = this.#open();
    const kept = this.#kept;
    this.#kept = [];
    for (const chunk of kept) await this.#pass(target, chunk);
  }

  async #pass(target: Target, chunk: Uint8Array): Promise<void> {
    const room = target.into.write(chunk);
    if (room === undefined) return;
    const taken = room.then(() => true).catch(this.#hops.onSurprise);
    if (await within(this.#hops.patience.pieceMs, taken) === undefined) this.#breakOff(target);
  }

  async #ask(target: Target, envelope: SubmittedEnvelope): Promise<QueueReply> {
    const unforeseen = (error: unknown): QueueReply => {
      this.#hops.onSurprise(error);
      return { code: exitCode.configuration, qp: 0 };
    };
    const reply = await within(this.#patienceMs(), target.into.commit(envelope).catch(unforeseen));
    if (reply !== undefined) return reply;
    this.#breakOff(target);
    return lost;
  }

  #breakOff({ into, client }: Target): void {
    this.#isLost = this.#target !== undefined;
    into.abort();
    // It takes nothing from anybody: the others on this connection wait in vain as well.
    client?.pipe?.close();
  }

  #patienceMs(): number {
    const { queueMs, filterMs, programMs } = this.#hops.patience;
    return this.#chain.reduce((sum, { name }) => sum + (isFilterName(name) ? filterMs : programMs), queueMs);
  }
}

const lost: QueueReply = { code: exitCode.connectionLost, qp: 0 };

/** qmail's code for a queue program that could not be run. */
const cannotExec = 120;

/** Whether the hop itself failed: a filter that answers has judged; hooks answers for its programs in any case. */
function isTrouble({ name }: Hop, { code, text }: QueueReply): boolean {
  if (code === exitCode.connectionLost) return true;
  if (isFilterName(name)) return false;
  return code === exitCode.timeout || code === cannotExec || text?.startsWith("Zqq crashed") === true;
}

/** undefined where it took longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), ms));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
