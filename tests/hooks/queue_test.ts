/** Programs in qmail-queue's place: what they read, what their codes mean, and that nothing of a broken message counts. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { captureLog } from "../support/captured_log.ts";
import { isRunning } from "../support/processes.ts";
import { waitFor } from "../support/wait.ts";
import { ignore, note, type World, world } from "./world.ts";

const envelope = { sender: "amy@a.example", recipients: ["bob\xff@b.example", ""] };
const small = "Subject: small\n\nhello \xff\0\n";
const environment = new Map([["RELAYCLIENT", ""], ["QS_SPAM", "on it's"]]);
const keep = 'cat > message; cat <&1 > envelope; printf %s "$QS_SPAM" > variable';

/** Has that program stand for qmail-queue; answers its path. */
function queueBy(here: World, text: string): string {
  const path = here.program("queue", text);
  here.configure({ "tcp.smtp": `:allow,QMAILQUEUE="${path}"\n` });
  return path;
}

async function queue(here: World, program: string, content: string) {
  const submission = here.client.begin(program, environment, "network", 7);
  for (let at = 0; at < content.length; at += 100_000) {
    await submission.write(toOctets(content.slice(at, at + 100_000)));
  }
  return await submission.commit(envelope);
}

describe(`programs that queue${note}`, { ignore }, () => {
  it("get message and envelope octet for octet, small ones and large ones", async () => {
    await using here = world();
    const program = queueBy(here, keep);
    here.start();
    for (const content of [small, "", `Subject: large\n\n${"0123456789abcde\xff".repeat(60_000)}`]) {
      assertEquals(await queue(here, program, content), { code: 0, qp: 0 });
      const got = ["message", "envelope", "variable"].map((name) =>
        fromOctets(Deno.readFileSync(`${here.home.dir}/${name}`))
      );
      assert(got[0] === content);
      assertEquals(got.slice(1), ["Famy@a.example\0Tbob\xff@b.example\0T\0\0", "on it's"]);
    }
  });

  it("answer by their codes, 82 with the text on descriptor 6, and a crash in qmail's words", async () => {
    await using here = world();
    const program = queueBy(here, "cat > /dev/null; . ./end");
    here.start();
    const ends: readonly { readonly text: string; readonly want: object }[] = [
      ...[0, 11, 31, 51, 71, 81, 91, 120].map((code) => ({ text: `exit ${code}`, want: { code, qp: 0 } })),
      { text: "printf 'Dnot here (#5.7.1)' >&6; exit 82", want: { code: 82, qp: 0, text: "Dnot here (#5.7.1)" } },
      { text: "printf 'Za\\nb\\033c' >&6; exit 82", want: { code: 82, qp: 0, text: "Za?b?c" } },
      { text: "printf 'not here' >&6; exit 82", want: { code: 82, qp: 0 } },
      { text: "printf D >&6; exit 82", want: { code: 82, qp: 0 } },
      { text: "seq 5000 >&6; exit 82", want: { code: 82, qp: 0 } },
      { text: "printf Dunasked >&6; exit 0", want: { code: 0, qp: 0 } },
      { text: "kill -SEGV $$", want: { code: 71, qp: 0, text: "Zqq crashed (#4.3.0)" } },
    ];
    for (const { text, want } of ends) {
      Deno.writeTextFileSync(`${here.home.dir}/end`, text);
      assertEquals(await queue(here, program, small) as object, want, text);
    }
  });

  it("may answer before they have read all", async () => {
    await using here = world();
    const program = queueBy(here, "exit 31");
    here.start();
    assertEquals(await queue(here, program, "x".repeat(3_000_000)), { code: 31, qp: 0 });
    assertEquals(await queue(here, program, small), { code: 31, qp: 0 });
  });

  const broken = "cat > message.new; mv message.new message; cat <&1 > envelope; touch over";
  it("are ended with all they started when a message is taken back, and never see an envelope's end", async () => {
    await using here = world();
    const program = queueBy(here, `trap '' TERM; echo $$ > pid.new; mv pid.new pid; ${broken}`);
    here.start();
    const submission = here.client.begin(program, environment, "network", 7);
    await submission.write(new Uint8Array(200_000));
    const pid = Number(await waitFor(() => here.has("pid") && here.read("pid"), "the program"));
    submission.abort();
    await waitFor(() => !isRunning(pid), `the end of ${pid}`);
    assert(!here.has("over"));
  });

  it("are ended when their time is over, before the envelope or after it", async () => {
    await using here = world();
    const program = queueBy(here, "trap '' TERM; cat > /dev/null; cat <&1 > envelope; exec sleep 1000");
    here.start({ queueMs: 300 });
    assertEquals(await queue(here, program, small), { code: 52, qp: 0 });
    await using there = world();
    const other = queueBy(there, "trap '' TERM; exec sleep 1000");
    there.start({ pieceMs: 300 });
    assertEquals(await queue(there, other, "x".repeat(3_000_000)), { code: 52, qp: 0 });
  });

  it("that the configuration does not name are never started", async () => {
    using _log = captureLog();
    await using here = world();
    queueBy(here, keep);
    const stranger = here.program("stranger", keep);
    here.start();
    for (const program of [stranger, "/bin/sh", "", "../x", "gone"]) {
      assertEquals(await queue(here, program, small), { code: 120, qp: 0 }, program);
    }
    assert(!here.has("message"));
  });

  it("never start with a variable that holds a line end", async () => {
    await using here = world();
    const program = queueBy(here, keep);
    here.start();
    const submission = here.client.begin(program, new Map([["A", "b\nc"]]), "network", 7);
    submission.write(toOctets(small));
    assertEquals(await submission.commit(envelope), { code: 81, qp: 0 });
    assert(!here.has("message"));
  });

  it("are so many at once and no more", async () => {
    await using here = world();
    const program = queueBy(here, "echo >> begun; cat > /dev/null; cat <&1 > /dev/null");
    here.start({ queues: 2 });
    const begun = await Promise.all([1, 2].map(async () => {
      const submission = here.client.begin(program, environment, "network", 7);
      await submission.write(new Uint8Array(200_000));
      return submission;
    }));
    await waitFor(() => here.has("begun") && here.read("begun").length === 2, "two programs");
    assertEquals(await queue(here, program, small), { code: 71, qp: 0 });
    assertEquals(await Promise.all(begun.map((one) => one.commit(envelope))), [{ code: 0, qp: 0 }, { code: 0, qp: 0 }]);
    assertEquals(await queue(here, program, small), { code: 0, qp: 0 });
  });

  it("is 74 while hooks is away, and where it dies with the message", async () => {
    await using here = world();
    const program = queueBy(
      here,
      "trap '' TERM; cat > /dev/null; echo $$ > read.new; mv read.new read; exec sleep 1000",
    );
    assertEquals(await queue(here, program, small), { code: 74, qp: 0 });
    const child = await here.startProcess();
    const answer = queue(here, program, small);
    const pid = Number(await waitFor(() => here.has("read") && here.read("read"), "the program"));
    child.kill("SIGKILL");
    assertEquals(await answer, { code: 74, qp: 0 });
    await waitFor(() => !isRunning(pid), `the end of ${pid}`);
  });

  it("hold up nobody else while they do not read", async () => {
    await using here = world();
    const program = queueBy(here, "while [ ! -e go ]; do sleep 0.02; done; cat > /dev/null");
    here.configure({ smtpplugins: "[mail]\n:echo N\n" });
    here.start();
    const slow = queue(here, program, "x".repeat(3_000_000));
    assertEquals(await here.client.spp("mail", new Map()), { kind: "lines", lines: ["N"] });
    Deno.writeTextFileSync(`${here.home.dir}/go`, "");
    assertEquals(await slow, { code: 0, qp: 0 });
  });

  it("speak qmail-queue's own protocol once they are named, and a message before that ends the connection", async () => {
    using log = captureLog();
    await using here = world();
    queueBy(here, keep);
    here.start();
    const client = new Client(here.home.socket("hooks"));
    const request = { op: "message", origin: "network", uid: 7, ...envelope };
    const answer = await client.request(request).then(() => "answered", (error: Error) => error.name);
    client.close();
    assertEquals(answer, "ConnectionLost");
    assert(log.lines().some((line) => line.startsWith("garbage socket=hooks")), log.lines().join("\n"));
  });
});
