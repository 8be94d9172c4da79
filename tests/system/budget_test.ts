/**
 * What a message costs each process of a running system, in calls of the kernel, one message after the other: each waits until
 * the one before it has come to its end, so none shares what a crowd would share. Beside the budgets of the components, which
 * count what our code asks for, this counts what the runtime makes of it.
 */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertBudget, type Look } from "../support/budget.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { type Calls, callsDuring, straceNeed } from "../support/strace.ts";
import { startSystem, type System } from "../support/system.ts";

const messages = 100;
const warmUp = 20;
/** The runtime wakes its threads and reads once more than it must, now and then. */
const slack = 1.3;

/**
 * Calls a message, as measured; those of a kind that is not named may be one in ten messages. To lower one, lower it here.
 * (qmail-getpw is asked once a second, however many messages there are.)
 */
type Measured = Readonly<Record<string, Readonly<Record<string, number>>>>;

const local: Measured = {
  "qmail-smtpd": { writes: 6.1, reads: 5.1 },
  "qmail-queue": { writes: 6.1, reads: 2, syncs: 1.1, seeks: 2 },
  // Two or three of them are the runtime that wakes itself for the rests before the next lines of the log: on a quiet machine
  // each line that ends a message finds such a rest.
  "qmail-send": { writes: 7.3, reads: 3 },
  "qmail-lspawn": { writes: 2.1, reads: 3.1, seeks: 1 },
  // What the runtime looks at along each path, before it says that it is granted, are readlinks.
  "qmail-local": { writes: 6, reads: 1, syncs: 2, opens: 2.1, renames: 1, looks: 36 },
};

const relayed: Measured = {
  "qmail-smtpd": { writes: 6.1, reads: 5.1 },
  "qmail-queue": { writes: 6.1, reads: 2, syncs: 1.1, seeks: 2 },
  "qmail-send": { writes: 5, reads: 3 },
  "qmail-rspawn": { writes: 2, reads: 3.1, seeks: 1 },
  // The replies of a group come in one read, or in as many as there are, where the machine is busy.
  "qmail-remote": { writes: 3.1, reads: 6.5 },
  "resolver": {},
};

/** Waits and the like are as many as the scheduler makes them, and are not counted. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  writes: ["write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg"],
  reads: ["read", "readv", "pread64", "preadv", "recvfrom", "recvmsg"],
  syncs: ["fsync", "fdatasync", "sync_file_range"],
  seeks: ["lseek"],
  opens: ["open", "openat", "connect", "accept4"],
  renames: ["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  looks: ["stat", "statx", "newfstatat", "lstat", "readlink", "readlinkat", "access"],
};

const look: Look = {
  writes:
    "strace -f -p PID: sendto for frames and replies, write for files, lines of the log, and threads that are woken",
  reads: "strace -f -p PID: recvfrom for sockets, read for files",
  syncs: "components/qmail-queue/journal/writer.ts, components/qmail-local/maildir.ts",
  looks: "the lengths of paths, and how many calls name one: the runtime looks at each part before it grants it",
};

function byKind(process: string, calls: Calls): (readonly [string, number])[] {
  return Object.entries(kinds).map(([kind, names]) =>
    [`${kind} of ${process}`, names.reduce((sum, name) => sum + (calls[name] ?? 0), 0)] as const
  );
}

/** The process that qmail-lspawn has started for virtual mailboxes. */
function childOf(parent: number): number {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The fourth field; the second, a program's name in brackets, may hold blanks.
      const fields = Deno.readTextFileSync(`/proc/${name}/stat`).replace(/^.*\) /, "").split(" ");
      if (Number(fields[1]) === parent) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`process ${parent} has no child`);
}

async function pidsOf(system: System, names: readonly string[]): Promise<Record<string, number>> {
  const { components } = await system.status();
  const pidOf = (name: string) => components.find((component) => component.name === name)?.pid ?? 0;
  return Object.fromEntries(
    names.map((name) => [name, name === "qmail-local" ? childOf(pidOf("qmail-lspawn")) : pidOf(name)]),
  );
}

describe(`a system's calls a message${straceNeed.note}`, { ignore: straceNeed.ignore }, () => {
  let sink: SmtpSink;
  let system: System;
  let client: SmtpClient;

  beforeAll(async () => {
    sink = await startSmtpSink("127.0.0.1", { onMail: () => {} });
    system = await startSystem({ controls: { idleseconds: "0\n", smtproutes: `r.example:127.0.0.1:${sink.port}\n` } });
    client = await SmtpClient.connect(system.ports["smtp"]!);
  });

  afterAll(async () => {
    client.close();
    await system.stop();
    await sink[Symbol.asyncDispose]();
  });

  const content = `Subject: a\n\n${`${"x".repeat(71)}\n`.repeat(142)}`;

  /** Each once the one before it has come to its end. */
  async function send(recipient: string, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const before = system.log.length;
      await client.send({ from: "demo@localhost", to: [recipient], content });
      await system.waitForLog((line) => line.includes("end msg"), undefined, before);
    }
  }

  async function check(what: string, recipient: string, measured: Measured): Promise<void> {
    // What is made when it is first needed is there, and the code that runs often is compiled.
    await send(recipient, warmUp);
    const calls = await callsDuring(await pidsOf(system, Object.keys(measured)), () => send(recipient, messages));
    const counts = Object.entries(calls).flatMap(([name, called]) => byKind(name, called));
    const budget = Object.entries(measured).flatMap(([name, expected]) =>
      Object.keys(kinds).map((kind) => {
        const most = Math.ceil((expected[kind] ?? 0) * slack * messages) + messages / 10;
        return [`${kind} of ${name}`, { most }] as const;
      })
    );
    const places = budget.map(([what]) => [what, look[what.split(" ")[0]!] ?? "strace -f -p PID"]);
    assertBudget(
      `${messages} messages ${what}`,
      Object.fromEntries(counts),
      Object.fromEntries(budget),
      Object.fromEntries(places),
    );
  }

  it("are within their budget where it is delivered locally", () =>
    check("delivered locally", "demo@localhost", local));
  it("are within their budget where it is relayed", () => check("relayed", "user@r.example", relayed));
});
