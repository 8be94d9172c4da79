/**
 * A queue changes hands: from qmail, with every state its programs leave, and back to qmail after an orderly stop.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { describe, it } from "@std/testing/bdd";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Home } from "../../config/home.ts";
import { readMail, waitForMail } from "../support/maildir.ts";
import { type Arrival, garbage, type OriginalCase, originalCases, originalText } from "../support/original_mail.ts";
import { type FoundMessage, OriginalQueue, readOriginalQueue } from "../support/original_queue.ts";
import { messageFiles } from "../support/queue_files.ts";
import { waitForDeferral } from "../support/retry.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

function controlsFor(sink: SmtpSink): Readonly<Record<string, string>> {
  return {
    smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
    virtualdomains: "virt.example:demo\nnobody.example:nobody\n",
    percenthack: "localhost\n",
    bounceformat: "qsbmf\n",
  };
}

/** Writes all cases, and what is no message, into a queue of the original's; answers their numbers by name. */
function leave(home: Home, split: number): ReadonlyMap<string, number> {
  const queue = new OriginalQueue(home.queue(), split);
  queue.abandonBirth();
  return new Map(
    [...originalCases, ...garbage].map(({ name, files, times }) => [
      name,
      queue.put({ mess: originalText(name), ...files }, times),
    ]),
  );
}

/** Numbers of the messages of which there is any file. */
function numbersLeft(home: Home): number[] {
  const numbers = messageFiles(home).map((path) => Number(path.slice(path.lastIndexOf("/") + 1)));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function sameNumbers(home: Home, numbers: readonly number[]): boolean {
  return numbersLeft(home).join(" ") === numbers.join(" ");
}

/** `case: what arrived`, one a line of the comparison. */
function line(name: string, arrival: Arrival): string {
  const { kind, from, to } = arrival;
  const more = kind === "bounce" ? ` about ${JSON.stringify(arrival.paragraphs.toSorted())}` : "";
  return `${name}: ${kind} to ${to} from <${from}>${more}`;
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}: (.*?)\r?$`, "m").exec(text)?.[1] ?? "";
}

/** One message in a mailbox. */
function localLine(message: string): string {
  const end = message.indexOf("\n\n");
  const [head, body] = [message.slice(0, end), message.slice(end + 2)];
  const to = field(head, "Delivered-To");
  const from = field(head, "Return-Path").slice(1, -1).replace(/^"(.*)"@/, "$1@");
  if (!body.startsWith("Hi. This is the qmail-send program")) {
    return line(field(head, "X-Case"), { kind: "local", to, from });
  }
  const [report = "", copy = ""] = body.split("--- Below this line is");
  const [, ...paragraphs] = report.slice(0, -2).split("\n\n").map((paragraph) => `${paragraph}\n`);
  return line(field(copy, "X-Case"), { kind: "bounce", to, from, paragraphs });
}

/** The sink's addresses are decoded. */
function inOctets(address: string): string {
  return fromOctets(new TextEncoder().encode(address));
}

/** Whatever arrived anywhere. */
function arrived(home: Home, sink: SmtpSink): string[] {
  const remote = sink.taken.flatMap(({ sender, recipients, content }) =>
    recipients.map((to) => line(field(content, "X-Case"), { kind: "remote", to: inOctets(to), from: inOctets(sender) }))
  );
  const local = ["demo@localhost", "postmaster@localhost"].flatMap((mailbox) => readMail(home, mailbox).map(localLine));
  return [...local, ...remote].sort();
}

function expected(cases: readonly OriginalCase[]): string[] {
  return cases.flatMap(({ name, arrives }) => arrives.map((arrival) => line(name, arrival))).sort();
}

/** Waits until these messages are left and as much has arrived as is expected (bounces may be elsewhere in between). */
async function assertArrived(
  { home, log }: System,
  sink: SmtpSink,
  { cases, left }: { cases: readonly OriginalCase[]; left: readonly number[] },
): Promise<void> {
  const want = expected(cases);
  const all = () => sameNumbers(home, left) && arrived(home, sink).length >= want.length;
  // What is missing then is shown below.
  await waitFor(all, "all of them", 30_000).catch(() => {});
  assertEquals(arrived(home, sink), want);
  assert(sameNumbers(home, left), `${messageFiles(home).join("\n")}\n${log.text()}`);
}

/** What a program of the home's bin/ prints. */
function printed(home: Home, program: string): string {
  const { code, stdout, stderr } = new Deno.Command(home.bin(program)).outputSync();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout);
}

describe("the queue of a qmail that was stopped or crashed", () => {
  for (const split of [23, 1, 7]) {
    it(`split ${split} ways is delivered: what was T once or in one bounce, what was D not again, what was never accepted to nobody`, async () => {
      await using sink = await startSmtpSink();
      let ids: ReadonlyMap<string, number> = new Map();
      await using system = await startSystem({
        controls: controlsFor(sink),
        prepare: (home) => ids = leave(home, split),
      });
      const { home } = system;
      const file = home.control("queuesplit");
      const said = system.log.lines().filter((line) => line.startsWith("the queue is split "));
      if (split === 23) assertEquals([said, existsSync(file)], [[], false]);
      else {
        assertEquals(said, [`the queue is split ${split} ways, not 23: wrote ${file}`]);
        assertEquals(Deno.readTextFileSync(file), `${split}\n`);
      }

      const waiting = originalCases.filter(({ waits }) => waits === true);
      const due = originalCases.filter(({ waits }) => waits !== true);
      const left = waiting.map(({ name }) => ids.get(name)!).sort((a, b) => a - b);
      await assertArrived(system, sink, { cases: due, left });
      assertEquals(
        printed(home, "qmail-qstat"),
        `messages in queue: ${waiting.length}\nmessages in queue but not yet preprocessed: 0\n`,
      );
      assertMatch(
        printed(home, "qmail-qread"),
        /^.* GMT {2}#[0-9]+ {2}[0-9]+ {2}<demo-t@localhost> \n\tlocal\tdemo@localhost\n\tremote\tr19@r\.example\n {2}done\tremote\tr20@r\.example\n$/,
      );

      await system.signal("qmail-send", "SIGALRM");
      await assertArrived(system, sink, { cases: originalCases, left: [] });
      const discarded = () => system.log.lines().filter((line) => line.includes("triple bounce: discarding")).length;
      await waitFor(() => discarded() === 2, "both failed double bounces to be discarded");
      assertEquals(await runTask("queue", ["check", "--home", home.dir]), { code: 0, stdout: "", stderr: "" });

      // And it stays a queue for new mail, split as it was.
      await sendMail(system.ports["smtp"]!, { from: "amy@r.example", to: ["later@r.example"], content: "x\n" });
      await waitForDeferral(system);
      assertEquals(await system.end(), 0);
      assertEquals(readOriginalQueue(home.queue(), split).size, 1);
      assertEquals(arrived(home, sink), expected(originalCases));
    });
  }

  it("is left alone while its qmail-send runs (it holds lock/sendmutex), and taken over when that has ended", async () => {
    await using sink = await startSmtpSink();
    const mess = originalText("locked");
    let mutex: Deno.FsFile | undefined;
    await using system = new System({
      controls: controlsFor(sink),
      prepare: (home) => {
        new OriginalQueue(home.queue(), 23).put({ mess, info: "Fdemo@localhost\0", local: "Tdemo@localhost\0" });
        mutex = Deno.openSync(home.queue("lock", "sendmutex"), { write: true });
      },
    });
    const before = messageFiles(system.home);
    assert(await mutex!.tryLock(true));
    const started = system.start();
    try {
      await system.waitForLog((line) => line.includes("sendmutex is locked"), 20_000);
      assertEquals(messageFiles(system.home), before);
    } finally {
      mutex!.close();
      await started;
    }
    await waitForMail(system.home);
    await waitFor(() => messageFiles(system.home).length === 0, "an empty queue");
  });

  it("keeps what somebody writes just now, when garbage is looked for again", async () => {
    await using sink = await startSmtpSink();
    let queue: OriginalQueue | undefined;
    await using system = await startSystem({
      controls: controlsFor(sink),
      prepare: (home) => queue = new OriginalQueue(home.queue(), 23),
    });
    const { home } = system;
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    for (const command of ["MAIL FROM:<amy@example.org>", "RCPT TO:<demo@localhost>", "DATA"]) {
      await client.command(command);
    }
    client.write(`Subject: slow\r\n\r\n${"x".repeat(70).concat("\r\n").repeat(8000)}`);
    const written = await waitFor(() => {
      const files = messageFiles(home);
      return files.length === 1 && files[0]!.startsWith(home.queue("mess")) && files;
    }, "a part of the message in the queue");
    for (const { name, files, times } of garbage) queue!.put({ mess: originalText(name), ...files }, times);
    assert(messageFiles(home).length > written.length);
    await system.signal("qmail-send", "SIGKILL");
    await waitFor(() => messageFiles(home).length === written.length, "the garbage to go");
    assertEquals(messageFiles(home), written);
    client.write("end\r\n.\r\n");
    assertEquals((await client.reply()).code, 250);
    const [message] = await waitForMail(home);
    assert(message!.endsWith("\nend\n"));
    await waitFor(() => messageFiles(home).length === 0, "an empty queue");
  });
});

/** All there is of the one message in a queue. */
function only(home: Home, split: number): { id: number; message: FoundMessage } {
  const [[id, message] = [0, {}], ...more] = readOriginalQueue(home.queue(), split);
  assertEquals(more, []);
  return { id, message };
}

describe("the queue after an orderly stop", () => {
  const split = 7;
  const start = (sink: SmtpSink, controls: Readonly<Record<string, string>> = {}): Promise<System> =>
    startSystem({ controls: { ...controlsFor(sink), queuesplit: `${split}\n`, ...controls } });

  it("is one qmail can go on with: a first attempt's D and T, failures, birth and next attempt (S5), in qmail's files", async () => {
    await using sink = await startSmtpSink();
    await using system = await start(sink);
    const from = "demo-a@localhost";
    const to = ["demo@localhost", "ok@r.example", "later@r.example", "refused@r.example", "later2@r.example"];
    await sendMail(system.ports["smtp"]!, { from, to, content: "Subject: x\n\nx\n" });
    await waitForDeferral(system);
    assertEquals(await system.end(), 0);

    const { message: { mess, info, remote, bounce, ...others } } = only(system.home, split);
    assertEquals(others, {});
    assertMatch(
      mess!.content,
      /^Received: \(qmail [0-9]+ invoked from network\); [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} -0000\n/,
    );
    assertEquals(info!.content, `F${from}\0`);
    assertEquals(
      remote!.content,
      "Dok@r.example\0Tlater@r.example\0Drefused@r.example\0Tlater2@r.example\0",
    );
    assertEquals(
      bounce!.content,
      "<refused@r.example>:\n127.0.0.1 does not like recipient.\nRemote host said: 550 not this one\n\n",
    );
    const wait = remote!.mtimeSeconds - info!.mtimeSeconds;
    assert(Number.isInteger(Math.sqrt(wait)) && wait >= 400, `the next attempt comes ${wait} s after the birth`);
    assertEquals((await runTask("queue", ["check", "--home", system.home.dir])).stdout, "");
  });

  it("is one qmail can go on with: what was its own keeps its birth and its failures, with the next of qmail's attempts", async () => {
    await using sink = await startSmtpSink();
    const before = "<gone@r.example>:\nSorry.\n\n";
    const birthSeconds = Math.floor(Date.now() / 1000) - 100_000;
    let id = 0;
    await using system = await startSystem({
      controls: controlsFor(sink),
      prepare: (home) =>
        id = new OriginalQueue(home.queue(), split).put({
          mess: originalText("round trip"),
          info: "Fdemo@localhost\0",
          local: "Ddemo-x@localhost\0Tnobody@localhost\0",
          remote: "Tlater@r.example\0Dgone@r.example\0Tok@r.example\0",
          bounce: before,
        }, { info: birthSeconds, local: birthSeconds + 400, remote: birthSeconds + 400 }),
    });
    await system.waitForLog((line) => line.includes(": deferral: "));
    await waitForDeferral(system);
    await waitFor(() => !messageFiles(system.home).some((path) => path.includes("/local/")), "the local channel's end");
    assertEquals(await system.end(), 0);

    const found = only(system.home, split);
    const { mess, info, remote, bounce, ...others } = found.message;
    assertEquals([found.id, others], [id, {}]);
    assertEquals(mess!.content, originalText("round trip"));
    assertEquals([info!.content, info!.mtimeSeconds], ["Fdemo@localhost\0", birthSeconds]);
    assertEquals(remote!.content, "Tlater@r.example\0Dgone@r.example\0Dok@r.example\0");
    assertEquals(
      bounce!.content,
      `${before}<nobody@localhost>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n`,
    );
    // (316 + 20)²: the root of the age, rounded down, and 20 more.
    assertEquals(remote!.mtimeSeconds - birthSeconds, 336 ** 2);
  });

  it("is one qmail can go on with: a channel's file is there only while it has recipients to do", async () => {
    await using sink = await startSmtpSink();
    await using system = await start(sink, { concurrencylocal: "0\n" });
    const to = ["ok@r.example", "later@r.example", "demo@localhost", "postmaster@localhost"];
    await sendMail(system.ports["smtp"]!, { from: "", to, content: "Subject: x\n\nx\n" });
    await waitFor(() => sink.taken.length === 1, "the first recipient");
    await system.waitForLog((line) => line.includes(": deferral: "));
    assertEquals(await system.end(), 0);
    const { message: { mess: _mess, info, local, remote, ...others } } = only(system.home, split);
    assertEquals(others, {});
    assertEquals([info!.content, local!.content, remote!.content], [
      "F\0",
      "Tdemo@localhost\0Tpostmaster@localhost\0",
      "Dok@r.example\0Tlater@r.example\0",
    ]);
  });

  it("is one qmail can go on with: what was not tried yet waits as qmail-queue leaves it (S4)", async () => {
    await using sink = await startSmtpSink();
    await using system = await start(sink, {
      concurrencylocal: "0\n",
      concurrencyremote: "0\n",
      // Straight into qmail's layout.
      journalbytes: "0\n",
    });
    const to = ["demo@localhost", "r@r.example"];
    await sendMail(system.ports["smtp"]!, { from: "demo-b@localhost", to, content: "Subject: x\n\nx\n" });
    await system.waitForLog((line) => line.includes("info msg "));
    assertEquals(await system.end(), 0);
    const { message: { mess: _mess, intd, todo, ...others } } = only(system.home, split);
    assertEquals(others, {});
    assertEquals(intd!.inode, todo!.inode);
    assertMatch(todo!.content, /^u[0-9]+\0p[0-9]+\0Fdemo-b@localhost\0Tdemo@localhost\0Tr@r\.example\0$/);
  });
});

describe("deno task start", () => {
  /** What lies below `dir`: paths. */
  function tree(dir: string): string[] {
    return Array.from(Deno.readDirSync(dir)).flatMap(({ name, isDirectory }) => [
      `${dir}/${name}`,
      ...isDirectory ? tree(`${dir}/${name}`) : [],
    ]).sort();
  }

  const rows: readonly { what: string; control?: string; change: (dir: string) => void; says: string }[] = [
    {
      what: "a split that control/queuesplit has otherwise",
      control: "23\n",
      change: () => {},
      says: 'Cannot use control file "queuesplit": expected 7, as many as there are folders in QUEUE/mess, got "23"\n',
    },
    {
      what: "a control/queuesplit that is none",
      control: "0\n",
      change: () => {},
      says: 'Cannot read control file "queuesplit": expected a whole number of folders from 1 to 10000, got "0"\n',
    },
    {
      what: "a folder that is missing",
      change: (dir) => Deno.removeSync(`${dir}/local/3`),
      says: "Cannot use the queue in HOME: queue/local/3 is missing, for queue/mess has folders up to 6; " +
        "mess, info, local, remote have to have the same\n",
    },
    {
      what: "a split todo",
      change: (dir) => Deno.mkdirSync(`${dir}/todo/0`),
      says:
        "Cannot use the queue in HOME: queue/todo/0 is a folder: this queue splits todo, too (the big-todo patch), " +
        "which nothing here reads; let the qmail that wrote it deliver what is in it, and begin with a new queue\n",
    },
  ];
  for (const { what, control, change, says } of rows) {
    it(`refuses ${what} with code 100, names it, and changes nothing`, async () => {
      using dir = tempDir();
      Deno.chmodSync(dir.path, 0o755);
      const home = `${dir.path}/h`;
      new OriginalQueue(`${home}/queue`, 7);
      change(`${home}/queue`);
      if (control !== undefined) {
        Deno.mkdirSync(`${home}/control`);
        Deno.writeTextFileSync(`${home}/control/queuesplit`, control);
      }
      const before = tree(home);
      const { code, stdout, stderr } = await runTask("start", ["--home", home]);
      assertEquals([code, stdout], [100, ""]);
      assertEquals(stderr, says.replace("QUEUE", `${home}/queue`).replace("HOME", home));
      assertEquals(tree(home), before);
    });
  }

  it("keeps the split of a running queue: a reload with another is refused, and says why", async () => {
    await using system = await startSystem();
    system.writeControl("queuesplit", "7\n");
    assertEquals(await system.reload(), [
      'Cannot use control file "queuesplit": expected 23, the split of the running queue, got "7"',
    ]);
    await sendMail(system.ports["smtp"]!, {
      from: "amy@example.org",
      to: ["demo@localhost"],
      content: "Subject: on\n\n",
    });
    assertStringIncludes((await waitForMail(system.home))[0]!, "Subject: on\n");
  });
});
