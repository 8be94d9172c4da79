/**
 * `sendmail -bs` as a program: transcripts, what only the process shows, and other software as its client.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname } from "@std/path";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { fromOctets } from "../../components/lib/octets.ts";
import { FakeQueue } from "../qmail-smtpd/fake_queue.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { pythonIsInstalled } from "../support/python_email.ts";
import { startSystem } from "../support/system.ts";
import { play } from "../support/transcript.ts";
import { within } from "../support/wait.ts";
import { type Bin, makeBin, runLine } from "./support/bin.ts";
import { localTranscripts, me } from "./support/local_transcripts.ts";
import { SmtpPipe } from "./support/smtp_pipe.ts";

describe("sendmail -bs", () => {
  let bin: Bin;
  let queue: FakeQueue;
  const start = (env: Record<string, string> = {}) => new SmtpPipe(bin.home.bin("sendmail"), { env });

  beforeEach(() => {
    bin = makeBin(["sendmail"]);
    Deno.mkdirSync(bin.home.control(""), { recursive: true });
    Deno.mkdirSync(dirname(bin.home.socket("qmail-queue")), { recursive: true });
    Deno.writeTextFileSync(bin.home.control("me"), `${me}\n`);
    queue = new FakeQueue(bin.home);
  });
  afterEach(() => {
    queue.stop();
    bin[Symbol.dispose]();
  });

  /** Greeting, EHLO, MAIL, RCPT and DATA. */
  async function untilContent(client: SmtpPipe): Promise<void> {
    await client.send("EHLO c.example\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\n");
    const replies: (string | undefined)[] = [];
    for (let count = 0; count < 5; count++) replies.push((await client.reply())?.slice(0, 3));
    assertEquals(replies, ["220", "250", "250", "250", "354"]);
  }

  for (const transcript of localTranscripts) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      queue.code = Number(transcript.settings.get("queue") ?? 0);
      await using client = start();
      await play(transcript, {
        send: (octets) => client.send(octets),
        line: () => client.line(),
        finish: () => client.finish(),
        queued: () => queue.messages.map(({ envelope, content }) => ({ ...envelope, content })),
      });
    });
  }

  it("hands in as its user, and exits 0 after QUIT", async () => {
    await using client = start();
    await untilContent(client);
    await client.send("Subject: x\r\n\r\nä\xff\r\n.\r\n");
    assertMatch((await client.reply())!, /^250 2\.0\.0 ok [0-9]+ qp 4896$/);
    assertEquals(await client.say("QUIT"), `221 2.0.0 ${me}`);
    assertEquals(await client.code(), 0);
    const [message] = queue.messages;
    const uid = Deno.uid()!;
    assertEquals(message!.envelope, { origin: "uid", uid, sender: "s@s.example", recipients: ["joe@example.com"] });
    assertMatch(
      message!.content,
      /^Received: from c\.example \(sendmail-bs@localhost \[127\.0\.0\.1\]\)\n {2}by mx\.example\.com with ESMTP; [^\n]+\nSubject: x\n\nä\xff\n$/,
    );
  });

  it("exits 1 where the client ends without QUIT, inside a message or not, and queues nothing", async () => {
    for (const octets of ["", "NOOP\r\n", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nx\r\n."]) {
      await using client = start();
      await client.send(octets);
      await client.finish();
      assertEquals(await client.code(), 1);
    }
    assertEquals(queue.messages, []);
  });

  it("passes on 20 MB as they come, and leaves nothing of them where the client ends inside", async () => {
    const line = `${"x".repeat(998)}\r\n`;
    const piece = line.repeat(100);
    queue.keep = false;
    {
      await using client = start();
      await untilContent(client);
      for (let count = 0; count < 200; count++) await client.send(piece);
      await client.send(".\r\n");
      assertMatch((await client.reply())!, /^250 /);
    }
    assert(queue.bytes > 999 * 20_000, String(queue.bytes));
    const opened = queue.opened;
    await using client = start();
    await untilContent(client);
    for (let count = 0; count < 20; count++) await client.send(piece);
    await queue.until(() => queue.opened > opened);
    await client.finish();
    assertEquals([await client.code(), queue.messages], [1, []]);
  });

  it("says 451 while qmail-queue is away, to a large message too, and queues again once it is back", async () => {
    await using client = start();
    await untilContent(client);
    queue.stop();
    assertEquals(await client.say("lost\r\n."), "451 4.4.2 communication with mail server failed (#4.4.2)");
    await client.send("MAIL FROM:<>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\n");
    for (const want of ["250", "250", "354"]) assertEquals((await client.reply())?.slice(0, 3), want);
    await client.send(`${"x".repeat(998)}\r\n`.repeat(300));
    assertEquals(await client.say("."), "451 4.4.2 communication with mail server failed (#4.4.2)");
    queue.start();
    await client.send("MAIL FROM:<>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nkept\r\n.\r\n");
    for (const want of ["250", "250", "354", "250"]) assertEquals((await client.reply())?.slice(0, 3), want);
    assertEquals(queue.messages.length, 1);
  });

  const endings = [
    "\n.\n",
    "\n.\r\n",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r.\r",
    "\r\n.\r\r\n",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
  ];
  it(`ends content at none of ${JSON.stringify(endings)}`, async () => {
    const second = "MAIL FROM:<admin@example.com>\r\nRCPT TO:<amy@example.com>\r\nDATA\r\nsecond\r\n";
    await using client = start();
    await client.line();
    for (const ending of endings) {
      await client.send("MAIL FROM:<>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\n");
      for (const want of ["250", "250", "354"]) assertEquals((await client.reply())?.slice(0, 3), want);
      await client.send(`hello${ending}${second}.\r\n`);
      assertMatch((await client.reply())!, /^550 5\.5\.2 (?:bare CR|bare LF|NUL) /);
    }
    assertEquals(await client.say("NOOP"), "250 2.0.0 ok");
    assertEquals(queue.messages, []);
  });

  it("survives lines that are none, and is in step after them", async () => {
    await using client = start();
    await client.line();
    assertEquals(await client.say("x".repeat(1_000_000)), "500 5.5.2 line too long");
    for (const line of ["\0\xff", "MAIL FROM:<a\0@b.example>", "RCPT TO:<\r", "__proto__", "MAIL FROM:<a@b\x1b[2J>"]) {
      assertMatch((await client.say(line))!, /^5/, JSON.stringify(line));
    }
    assertEquals(await client.say("NOOP"), "250 2.0.0 ok");
  });

  it("ends where nobody reads its replies", async () => {
    await using client = start();
    await client.line();
    await client.stopReading();
    await client.send("NOOP\r\n");
    assertEquals(await client.code(), 1);
  });

  it("gives QMAILQUEUE's program message and envelope, and the connection's variables", async () => {
    const script = `#!/bin/sh\ncat >'${bin.dir}/message'; tr '\\0' '\\n' <&1 >'${bin.dir}/envelope'\n` +
      `env >'${bin.dir}/env'\nexit "\${CODE:-0}"\n`;
    Deno.writeTextFileSync(`${bin.dir}/qq`, script, { mode: 0o755 });
    const read = (name: string) => fromOctets(Deno.readFileSync(`${bin.dir}/${name}`));
    {
      await using client = start({ QMAILQUEUE: `${bin.dir}/qq`, RELAYCLIENT: "x", OTHER: "kept" });
      await untilContent(client);
      assertMatch((await client.say("text\r\n."))!, /^250 2\.0\.0 ok [0-9]+ qp [1-9][0-9]*$/);
    }
    assertMatch(read("message"), /^Received: .*\n {2}by .*\ntext\n$/);
    assertEquals(read("envelope"), "Fs@s.example\nTjoe@example.com\n\n");
    const variables = read("env").split("\n").filter((line) => !/^(?:PATH|PWD|SHLVL|_|QMAILQUEUE)=/.test(line));
    assertEquals(variables.filter((line) => line !== "").sort(), [
      ...["DATABYTES=0", "OTHER=kept", "PROTO=TCP", "RELAYCLIENT=", "TCPLOCALHOST=localhost", "TCPLOCALIP=127.0.0.1"],
      ...["TCPREMOTEHOST=localhost", "TCPREMOTEINFO=sendmail-bs", "TCPREMOTEIP=127.0.0.1"],
    ]);
    await using client = start({ QMAILQUEUE: `${bin.dir}/qq`, CODE: "31" });
    await untilContent(client);
    assertEquals(await client.say("."), "554 5.3.0 mail server permanently rejected message (#5.3.0)");
  });

  it("gives that program no envelope for a message that came to no end, or is refused", async () => {
    const script = `#!/bin/sh\ncat >/dev/null\ncat <&1 >>'${bin.dir}/envelopes'\n`;
    Deno.writeTextFileSync(`${bin.dir}/qq`, script, { mode: 0o755 });
    {
      await using client = start({ QMAILQUEUE: `${bin.dir}/qq` });
      await untilContent(client);
      assertMatch((await client.say("bare\nline\r\n."))!, /^550 5\.5\.2 bare LF/);
      await client.send("MAIL FROM:<>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nhalf\r\n");
      await client.finish();
      assertEquals(await client.code(), 1);
    }
    let envelopes = "";
    try {
      envelopes = Deno.readTextFileSync(`${bin.dir}/envelopes`);
    } catch (error) {
      assert(error instanceof Deno.errors.NotFound);
    }
    assertEquals(envelopes, "");
  });

  it("says 451 where that program crashes", async () => {
    Deno.writeTextFileSync(`${bin.dir}/qq`, "#!/bin/sh\nkill -9 $$\n", { mode: 0o755 });
    await using client = start({ QMAILQUEUE: `${bin.dir}/qq` });
    await untilContent(client);
    assertMatch((await client.say("x\r\n."))!, /^451 4\.3\.0 /);
    assertEquals(await client.say("NOOP"), "250 2.0.0 ok");
  });

  it("is no server for a connection from elsewhere: 100, and not a word to it", async () => {
    const { code, stdout, stderr } = await bin.run("sendmail -bs", { env: { PROTO: "TCP" }, input: "NOOP\r\n" });
    assertEquals([code, stdout], [100, ""]);
    assertEquals(stderr, "sendmail: fatal: -bs serves no connection from elsewhere: PROTO is set\n");
  });

  const python = `
import smtplib, subprocess, sys
class Pipe:
    def __init__(self, program):
        self.child = subprocess.Popen([program, "-bs", "-i"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    def sendall(self, octets):
        self.child.stdin.write(octets)
        self.child.stdin.flush()
    def makefile(self, mode):
        return self.child.stdout
    def close(self):
        self.child.stdin.close()
class Client(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        self.pipe = Pipe(host)
        return self.pipe
client = Client(sys.argv[1], 25)
for subject in ("one", "two"):
    client.sendmail("s@s.example", ["joe@example.com", "a@b.example"], "Subject: %s\\n\\n.dot\\n.\\nend" % subject)
client.quit()
sys.exit(client.pipe.child.wait())
`;
  it(
    `serves Python's smtplib${pythonIsInstalled ? "" : " (skipped: python3 is not installed)"}`,
    { ignore: !pythonIsInstalled },
    async () => {
      const args = ["-c", python, bin.home.bin("sendmail")];
      const child = new Deno.Command("python3", { args, stderr: "piped", stdin: "null" }).output();
      const { code, stderr } = await within(child, 20_000, () => "smtplib");
      assertEquals([code, fromOctets(stderr)], [0, ""]);
      assertEquals(queue.messages.map(({ envelope }) => envelope.recipients), [
        ["joe@example.com", "a@b.example"],
        ["joe@example.com", "a@b.example"],
      ]);
      assert(queue.messages[1]!.content.endsWith("\nSubject: two\n\n.dot\n.\nend\n"));
    },
  );
});

describe("sendmail -bs in a whole system", () => {
  it("has mail delivered, and what does not exist bounced", async () => {
    await using system = await startSystem();
    const commands = ["HELO x", "MAIL FROM:<demo@localhost>", "RCPT TO:<demo@localhost>", "RCPT TO:<nobody@localhost>"];
    const input = [...commands, "DATA", "Subject: by pipe", "", "Hello", ".", "QUIT", ""].join("\r\n");
    const { code, stdout, stderr } = await runLine(system.home, system.baseDir, "sendmail -bs", { input });
    assertEquals([code, stderr, stdout.split("\r\n").at(-2)!.slice(0, 3)], [0, "", "221"], stdout);
    const mail = await waitForMailWith(system.home, "\nSubject: by pipe\n\nHello\n");
    const uid = Deno.uid();
    assertMatch(
      mail,
      new RegExp(`\\(qmail [0-9]+ invoked by uid ${uid}\\); [^\n]+\nReceived: from x \\(sendmail-bs@localhost `),
    );
    await waitForMailWith(system.home, "<nobody@localhost>:");
  });
});
