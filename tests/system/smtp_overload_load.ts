/**
 * `deno run -A tests/system/smtp_overload_load.ts`: good clients deliver while many others hold connections and say
 * nothing, or next to nothing. Run by hand: it measures, and fails only where somebody within the limits was refused.
 *
 * Everybody comes from an address of 127/8 that few others share, as strangers; so no limit of a client is met.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { fail } from "../../scripts/fail.ts";
import { measureProcess } from "../../scripts/bench/processes.ts";
import { latencyOf } from "../../scripts/bench/statistics.ts";
import { freePort } from "../support/free_port.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";

const help = `Usage: deno run -A tests/system/smtp_overload_load.ts [options]

  --idle N        connections that hear the greeting and say nothing (default 5000)
  --slow N        connections that say an octet every 5 s (default 500)
  --good N        clients that deliver, a message a second each, every one over a new connection (default 100)
  --seconds N     how long they deliver, once without the others and once beside them (default 30)
  --limit N       control/concurrencyincoming (default: a third more than there are clients, so that nobody is in the way;
                  with less than a quarter more, strangers get the patience of an overloaded server)
  --processes N   control/smtpdprocesses (default 1)
  --log           prints what the system said

Exit code 0; 1 where a connection within the limits was refused or a good client's mail was.`;

const octetEveryMs = 5000;
const goodEveryMs = 1000;
/** Connections opened at one time; a listener's backlog has room for so many. */
const openAtOnce = 100;
const perAddress = 20;

/** An address of a group's own for the nth of it. */
function addressOf(group: number, n: number): string {
  const at = Math.floor(n / perAddress);
  return `127.${group}.${at >> 7}.${(at & 127) + 1}`;
}

/** A connection that does nothing but be there. */
interface Held {
  readonly socket: Socket;
  /** What it heard first: "220", another code, or "" where it was closed before. */
  readonly greeting: string;
  isOpen: boolean;
}

function hold(port: number, localAddress: string): Promise<Held> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    let held: Held | undefined;
    const greeted = (greeting: string) => resolve(held ??= { socket, greeting, isOpen: true });
    socket.on("data", (octets: Buffer) => greeted(octets.toString("latin1", 0, 3)));
    socket.on("error", () => {});
    socket.on("close", () => {
      greeted("");
      held!.isOpen = false;
    });
  });
}

async function holdMany(port: number, count: number, group: number): Promise<Held[]> {
  const all: Held[] = [];
  for (let n = 0; n < count; n += openAtOnce) {
    const some = Array.from({ length: Math.min(openAtOnce, count - n) }, (_, at) => n + at);
    all.push(...await Promise.all(some.map((each) => hold(port, addressOf(group, each)))));
  }
  return all;
}

/** Has each say an octet every 5 s, at different times; answers what ends that. */
function dribble(all: readonly Held[]): () => void {
  const text = "EHLO slow.example\r\nNOOP\r\n";
  let step = 0;
  const parts = 50;
  const timer = setInterval(() => {
    const said = text[Math.floor(step / parts) % text.length]!;
    for (let n = step % parts; n < all.length; n += parts) if (all[n]!.isOpen) all[n]!.socket.write(said);
    step++;
  }, octetEveryMs / parts);
  return () => clearInterval(timer);
}

interface Delivered {
  /** From the connection to the 250 for the message. */
  readonly latenciesMs: number[];
  /** What was said instead of it. */
  readonly refusals: string[];
}

async function deliver(port: number, clients: number, seconds: number): Promise<Delivered> {
  const found: Delivered = { latenciesMs: [], refusals: [] };
  const endMs = performance.now() + seconds * 1000;
  const one = async (n: number) => {
    // One after the other, not all at the same moment.
    for (let atMs = performance.now() + goodEveryMs * n / clients; atMs < endMs; atMs += goodEveryMs) {
      const restMs = atMs - performance.now();
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
      const beganMs = performance.now();
      const refusal = await deliverOne(port, addressOf(9, n));
      if (refusal === undefined) found.latenciesMs.push(performance.now() - beganMs);
      else found.refusals.push(refusal);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, n) => one(n)));
  return found;
}

async function deliverOne(port: number, localAddress: string): Promise<string | undefined> {
  try {
    using client = await SmtpClient.connect(port, { localAddress });
    const content = `Subject: load\n\n${`${"x".repeat(70)}\n`.repeat(40)}`;
    const replies = await client.send({ from: "amy@a.example", to: ["demo@localhost"], content });
    if (replies.end?.code === 250) return undefined;
    return JSON.stringify(replies.end ?? replies.recipients[0] ?? replies.mail);
  } catch (error) {
    return String(error);
  }
}

/** Memory of all processes of qmail-smtpd. */
async function smtpdPssKib(system: System): Promise<number> {
  const { components } = await system.status();
  const pids = components.filter(({ name }) => /^qmail-smtpd(-[0-9]+)?$/.test(name)).map(({ pid }) => pid ?? 0);
  return pids.reduce((sum, pid) => sum + measureProcess(pid).pssKib, 0);
}

function mostFiles(): number {
  return Number(/^Max open files\s+([0-9]+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1] ?? Infinity);
}

function wholeNumber(name: string, given: unknown, absent: number): number {
  if (given === undefined) return absent;
  if (/^[0-9]{1,6}$/.test(String(given))) return Number(given);
  fail(`smtp_overload_load: --${name} takes a whole number, got ${JSON.stringify(given)}`);
}

function formatDelivered(what: string, { latenciesMs, refusals }: Delivered): string {
  const { p50, p95, p99, max } = latencyOf(latenciesMs);
  const figures = `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
  return `${what}: ${latenciesMs.length} messages delivered, ${refusals.length} refused; ${figures}`;
}

/** What the held ones came to: how many were greeted, refused by which code, and are still there. */
function formatHeld(what: string, all: readonly Held[]): string {
  const greetings = new Map<string, number>();
  for (const { greeting } of all) greetings.set(greeting, (greetings.get(greeting) ?? 0) + 1);
  const counts = Array.from(greetings, ([code, count]) => `${code === "" ? "closed" : code}: ${count}`);
  return `${what}: ${all.length} (${counts.join(", ")}), open at the end ${all.filter(({ isOpen }) => isOpen).length}`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["idle", "slow", "good", "seconds", "limit", "processes"],
    boolean: ["log", "help"],
    unknown: (arg) => fail(`smtp_overload_load: ${arg} is not known\n\n${help}`),
  });
  if (args["help"] === true) return console.log(help);
  const number = (name: string, absent: number) => wholeNumber(name, args[name], absent);
  const [idle, slow, good] = [number("idle", 5000), number("slow", 500), number("good", 100)];
  const [seconds, processes] = [number("seconds", 30), number("processes", 1)];
  const limit = number("limit", Math.ceil((idle + slow + good) * 4 / 3));
  const files = idle + slow + 2 * good + 100;
  if (files > mostFiles()) {
    fail(`smtp_overload_load: needs ${files} open files, may have ${mostFiles()}: see ulimit -n`);
  }

  await using system = await startSystem({
    controls: {
      concurrencyincoming: `${limit}\n`,
      smtpdprocesses: `${processes}\n`,
      relayclients: undefined,
      // With port 0 each process would have a port of its own.
      listeners: `smtp 127.0.0.1:${freePort()}\nadmin 127.0.0.1:0\n`,
    },
  });
  const port = system.ports["smtp"]!;
  console.log(`idle ${idle}, slow ${slow}, good ${good}, limit ${limit}, processes ${processes}`);
  const alone = await deliver(port, good, seconds);
  console.log(formatDelivered("alone", alone));
  const beforeKib = await smtpdPssKib(system);
  const openedMs = performance.now();
  const idleOnes = await holdMany(port, idle, 7);
  const slowOnes = await holdMany(port, slow, 8);
  console.log(`all opened in ${Math.round(performance.now() - openedMs)} ms`);
  const stopDribbling = dribble(slowOnes);
  const openKib = await smtpdPssKib(system);
  const beside = await deliver(port, good, seconds);
  const afterKib = await smtpdPssKib(system);
  console.log(formatDelivered("beside the others", beside));
  console.log(formatHeld("idle", idleOnes));
  console.log(formatHeld("slow", slowOnes));
  const each = ((openKib - beforeKib) / Math.max(1, idle + slow)).toFixed(1);
  const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`;
  console.log(
    `memory of qmail-smtpd (PSS): before ${mib(beforeKib)}, all open ${mib(openKib)} (${each} KiB each), after ${
      mib(afterKib)
    }`,
  );
  stopDribbling();
  for (const { socket } of [...idleOnes, ...slowOnes]) socket.destroy();
  if (args["log"] === true) console.log(system.log.text());
  const refused = [...alone.refusals, ...beside.refusals];
  for (const refusal of [...new Set(refused)].slice(0, 5)) console.log(`refused: ${refusal}`);
  const turnedAway = [...idleOnes, ...slowOnes].some(({ greeting }) => greeting !== "220");
  if (refused.length > 0 || turnedAway && limit > idle + slow + good) Deno.exitCode = 1;
}

if (import.meta.main) await main();
