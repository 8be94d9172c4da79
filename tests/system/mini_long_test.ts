/**
 * A host without a queue in front of one with: sendmail → qmail-qmqpc → qmail-qmqpd → the queue → a Maildir, also while
 * the queue's host dies.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freePort } from "../support/free_port.ts";
import { readMail, waitForMailWith } from "../support/maildir.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { runLine } from "../tools/support/bin.ts";

/** One attempt of sendmail's on a host without a queue; answers its exit code. */
async function sendFrom(front: System, number: number, recipient: string): Promise<number> {
  const folder = `${front.baseDir}/${number}`;
  Deno.mkdirSync(folder, { recursive: true });
  const input = `Subject: number ${number}.\n\nhi\n`;
  return (await runLine(front.home, folder, `sendmail -f amy@a.example ${recipient}`, { input })).code;
}

async function startPair(): Promise<{ front: System; host: System } & AsyncDisposable> {
  const port = freePort();
  const host = await startSystem({
    controls: { listeners: `smtp 127.0.0.1:0\nqmqp 127.0.0.1:${port}\nadmin 127.0.0.1:0\n` },
  });
  const controls = { mode: "mini\n", qmqpservers: `127.0.0.1:${port}\n` };
  const front = await startSystem({ controls });
  return {
    front,
    host,
    [Symbol.asyncDispose]: async () => {
      await front.stop();
      await host.stop();
    },
  };
}

describe("a host with control/mode mini", () => {
  it("runs nothing but the supervisor, says so, and hands all its mail to the queue host", async () => {
    await using pair = await startPair();
    const { front, host } = pair;
    assertEquals((await front.status()).components, []);
    assertStringIncludes(front.log.text(), "dqmail runs: no process, for control/mode is mini: this host has no queue");
    assertMatch(front.log.text(), /mail is handed over QMQP to 127\.0\.0\.1:[0-9]+\n/);

    front.writeControl("mode", "full\n");
    assertEquals(await front.reload(), [
      'Cannot use control file "mode": expected mini until the next start, got "full"',
    ]);

    const run = (line: string, input: string) => runLine(front.home, front.baseDir, line, { input });
    const lines = [
      ["sendmail -f amy@a.example demo@localhost", "Subject: by sendmail\n\nhi\n"],
      ["qmail-inject", "Subject: by qmail-inject\nTo: demo@localhost\n\nhi\n"],
      ["mailsubj 'by mailsubj' demo@localhost", "hi\n"],
      [
        "SENDER=amy@a.example NEWSENDER=amy@a.example DTLINE='Delivered-To: x\n' forward demo@localhost",
        "Subject: by forward\n\nhi\n",
      ],
      ["printf 'Famy@a.example\\0Tdemo@localhost\\0\\0' >env; qmail-queue 1<env", "Subject: by qmail-queue\n\nhi\n"],
      [
        "sendmail -bs",
        "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<demo@localhost>\r\nDATA\r\nSubject: by sendmail -bs\r\n\r\nhi\r\n.\r\nQUIT\r\n",
      ],
    ] as const;
    for (const [line, input] of lines) {
      const { code, stderr } = await run(line, input);
      assertEquals(code, 0, `${line}: ${stderr}`);
      const subject = /by [\w -]+\w/.exec(`${line}${input}`)![0];
      const mail = await waitForMailWith(host.home, `Subject: ${/Subject: (.*?)\r?\n/.exec(input)?.[1] ?? subject}`);
      assertMatch(mail, /\nReceived: from unknown \(\[127\.0\.0\.1\]\)\n {2}by localhost with QMQP; /);
    }
  });

  it("says try again while the queue host is away, and has lost nothing when it is back", async () => {
    await using pair = await startPair();
    const { front, host } = pair;
    const count = 30;
    const accepted = new Set<number>();
    const codes = new Set<number>();
    /** Sends it once; as whoever runs sendmail would, it is sent again where that says 111. */
    const send = async (number: number) => {
      const code = await sendFrom(front, number, "demo@localhost");
      codes.add(code);
      if (code === 0) accepted.add(number);
      return code === 0;
    };
    const sendAll = async (numbers: readonly number[]) => {
      for (let at = 0; at < numbers.length; at += 3) await Promise.all(numbers.slice(at, at + 3).map(send));
    };
    const all = Array.from({ length: count }, (_, at) => at);
    const killed = waitFor(() => accepted.size >= 5, "some mail to be accepted", 30_000).then(() => host.killAll());
    await Promise.all([sendAll(all), killed]);
    // With the host dead in between, some were refused for now.
    assert(accepted.size < count);
    const before = [...accepted];
    assertEquals([...codes].sort(), [0, 111]);

    await host.start();
    for (const number of before) await waitForMailWith(host.home, `Subject: number ${number}.`);
    await sendAll(all.filter((number) => !accepted.has(number)));
    assertEquals(accepted.size, count);
    for (const number of all) await waitForMailWith(host.home, `Subject: number ${number}.`);
  });

  it("is one of several in front of a host that relays: nothing is lost over the death of it, or of the next host", async () => {
    const [qmqp, smtp] = [freePort(), freePort()];
    await using next = await startSystem({
      controls: {
        me: "next.example\n",
        rcpthosts: "next.example\n",
        listeners: `smtp 127.0.0.1:${smtp}\nadmin 127.0.0.1:0\n`,
      },
    });
    await using host = await startSystem({
      controls: {
        listeners: `smtp 127.0.0.1:0\nqmqp 127.0.0.1:${qmqp}\nadmin 127.0.0.1:0\n`,
        smtproutes: `next.example:127.0.0.1:${smtp}\n`,
      },
    });
    const controls = { mode: "mini\n", qmqpservers: `127.0.0.1:${qmqp}\n` };
    await using left = await startSystem({ controls });
    await using right = await startSystem({ controls });
    const recipient = "demo@next.example";
    const arrived = (number: number) =>
      readMail(next.home, recipient).some((mail) => mail.includes(`\nSubject: number ${number}.\n`));
    const accepted = new Set<number>();
    const send = async (number: number) => {
      if (await sendFrom(number % 2 === 0 ? left : right, number, recipient) === 0) accepted.add(number);
    };
    /** Sends what is left of the first `count`, once each. */
    const sendUpTo = async (count: number) => {
      for (let at = 0; at < count; at += 2) {
        await Promise.all([at, at + 1].filter((number) => !accepted.has(number)).map(send));
      }
    };

    const hostKilled = waitFor(() => accepted.size >= 2, "some mail to be accepted", 30_000).then(() => host.killAll());
    await Promise.all([sendUpTo(6), hostKilled]);
    await host.start();
    const nextKilled = waitFor(() => arrived(0), "the first message", 30_000).then(() => next.killAll());
    await Promise.all([sendUpTo(10), nextKilled]);
    await sendUpTo(10);
    assertEquals(accepted.size, 10);
    await next.start();
    // Those that met nobody wait for their next turn.
    await waitFor(
      async () => {
        await host.signal("qmail-send", "SIGALRM");
        return [...accepted].every(arrived);
      },
      "all that was accepted",
      60_000,
    );
  });
});
