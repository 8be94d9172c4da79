/**
 * A counting SMTP sink on loopback. As a program of its own it answers {@link SinkRequest}s, one JSON value a line, with
 * a {@link SinkReport} each:
 *
 *     echo '{"kind":"start","port":0,"delayMs":0}' | deno run --allow-net=127.0.0.0/8 scripts/bench/sink.ts
 *
 * @module
 */
import net from "node:net";
import process from "node:process";
import { nowMs } from "./clock.ts";
import { answerLines } from "./json_lines.ts";
import { beginSession, feed, type Received } from "./sink_session.ts";
import { addMark, type Mark } from "./timeline.ts";

/** What the sink can be asked. */
export type SinkRequest =
  /** Listen; port 0 takes a free one. */
  | { readonly kind: "start"; readonly port: number; readonly delayMs: number }
  /** Count from zero; messages numbered below `firstNumber` are only counted as late. */
  | { readonly kind: "reset"; readonly firstNumber: number }
  /** Answer as soon as so many deliveries are there, or when the time is over. */
  | { readonly kind: "await"; readonly deliveries: number; readonly limitMs: number }
  | { readonly kind: "report" }
  /** As "report", with the time of each number's first arrival. */
  | { readonly kind: "arrivals" };

/** What the sink has seen since the last reset. */
export interface SinkReport {
  readonly port: number;
  readonly messages: number;
  readonly recipients: number;
  /** Opened since the reset; those kept from before count only in `mostOpen`. */
  readonly connections: number;
  readonly mostOpen: number;
  /** Different pairs of running number and recipient; `recipients` above it are duplicates. */
  readonly deliveries: number;
  readonly duplicates: number;
  /** Different running numbers. */
  readonly numbers: number;
  /** Messages without a number, and numbered ones of an earlier run. */
  readonly unnumbered: number;
  readonly late: number;
  /** When the last new delivery came, milliseconds since 1970; 0 before the first. */
  readonly lastAtMs: number;
  /** How the count of deliveries rose. */
  readonly marks: readonly Mark[];
  /** Processor time of the sink's process. */
  readonly cpuMs: number;
  /** Running number, and when its end came, milliseconds since 1970; only where that was asked for. */
  readonly arrivals?: readonly (readonly [number, number])[];
}

/** A sink that listens. */
export interface Sink extends AsyncDisposable {
  readonly port: number;
  reset(firstNumber: number): void;
  report(): SinkReport;
  /** When each number came first, milliseconds since 1970. */
  arrivals(): ReadonlyMap<number, number>;
  /** The report as soon as `deliveries` are there, or after `limitMs`. */
  reached(deliveries: number, limitMs: number): Promise<SinkReport>;
}

function nothingYet(firstNumber: number) {
  const zero = { messages: 0, recipients: 0, connections: 0, mostOpen: 0, duplicates: 0, unnumbered: 0, late: 0 };
  const marks: Mark[] = [];
  return {
    ...zero,
    lastAtMs: 0,
    marks,
    firstNumber,
    deliveries: new Set<string>(),
    numbers: new Map<number, number>(),
  };
}

type Counts = ReturnType<typeof nothingYet>;

/** Starts a sink on 127.0.0.1. `delayMs` passes before each reply to a message. */
export async function startSink(options: { readonly port: number; readonly delayMs: number }): Promise<Sink> {
  let counts = nothingYet(0);
  let waiting: { readonly deliveries: number; readonly done: () => void } | undefined;
  const open = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    counts.connections++;
    counts.mostOpen = Math.max(counts.mostOpen, open.size);
    socket.on("close", () => open.delete(socket));
    serve(socket, options.delayMs, (message) => {
      count(counts, message);
      if (waiting !== undefined && counts.deliveries.size >= waiting.deliveries) waiting.done();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: "127.0.0.1", backlog: 1024 }, resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  const report = () => reportOf(port, counts);
  return {
    port,
    report,
    arrivals: () => counts.numbers,
    reset: (firstNumber) => counts = { ...nothingYet(firstNumber), mostOpen: open.size },
    async reached(deliveries, limitMs) {
      if (counts.deliveries.size >= deliveries) return report();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { deliveries, done: resolve };
      const timer = setTimeout(resolve, limitMs);
      await promise;
      clearTimeout(timer);
      waiting = undefined;
      return report();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(socket: net.Socket, delayMs: number, onMessage: (message: Received) => void): void {
  const { session, greeting } = beginSession();
  socket.on("error", () => {}); // a client that goes away in the middle has delivered nothing; "close" follows
  socket.on("data", (chunk: Uint8Array) => {
    const { replies, received, closing } = feed(session, chunk);
    received.forEach(onMessage);
    if (closing) socket.end(replies);
    else if (replies !== "" && received.length > 0 && delayMs > 0) setTimeout(() => socket.write(replies), delayMs);
    else if (replies !== "") socket.write(replies);
  });
  socket.write(greeting);
}

function count(counts: Counts, message: Received): void {
  if (message.running === undefined) counts.unnumbered++;
  else if (message.running < counts.firstNumber) counts.late++;
  else {
    const before = counts.deliveries.size;
    for (const recipient of message.recipients) counts.deliveries.add(`${message.running} ${recipient}`);
    if (!counts.numbers.has(message.running)) counts.numbers.set(message.running, nowMs());
    counts.messages++;
    counts.recipients += message.recipients.length;
    counts.duplicates += message.recipients.length - (counts.deliveries.size - before);
    if (counts.deliveries.size === before) return;
    counts.lastAtMs = Date.now();
    addMark(counts.marks, counts.lastAtMs, counts.deliveries.size);
  }
}

function reportOf(port: number, { firstNumber: _, deliveries, numbers, ...counts }: Counts): SinkReport {
  const { user, system } = process.cpuUsage();
  return { port, ...counts, deliveries: deliveries.size, numbers: numbers.size, cpuMs: (user + system) / 1000 };
}

/** The program: starts when told to, then answers until its input ends. */
async function main(): Promise<void> {
  let sink: Sink | undefined;
  await answerLines(async (line) => {
    const request = line as SinkRequest;
    if (request.kind === "start") sink = await startSink(request);
    if (sink === undefined) throw new Error(`Cannot answer "${request.kind}": the sink was not started`);
    if (request.kind === "reset") sink.reset(request.firstNumber);
    if (request.kind === "arrivals") return { ...sink.report(), arrivals: [...sink.arrivals()] };
    return request.kind === "await" ? await sink.reached(request.deliveries, request.limitMs) : sink.report();
  });
  await sink?.[Symbol.asyncDispose]();
}

if (import.meta.main) await main();
