/**
 * A host without a queue in front of one with: sendmail → qmail-qmqpc → qmail-qmqpd → the queue → a Maildir, also while
 * the queue's host dies.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freePort } from "../support/free_port.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { runLine } from "../tools/support/bin.ts";

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
      const input = `Subject: number ${number}.\n\nhi\n`;
      const folder = `${front.baseDir}/${number}`;
      Deno.mkdirSync(folder, { recursive: true });
      const { code } = await runLine(front.home, folder, "sendmail -f amy@a.example demo@localhost", { input });
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
});
