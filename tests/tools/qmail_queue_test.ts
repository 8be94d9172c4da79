/**
 * The program qmail-queue as others run it: message on descriptor 0, envelope on descriptor 1, an exit code.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { readMail, waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const envelope = "Famy@a.example\0Tdemo@localhost\0\0";

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", ""] }).outputSync().success;
  } catch {
    return false;
  }
}

const python = hasPython();
const isRoot = Deno.uid() === 0;

describe("qmail-queue, the program", () => {
  let system: System;
  const path = (name: string) => `${system.baseDir}/${name}`;

  /** Runs a shell's line in which `$qq` is the program; answers what it wrote. Its own failure is a failure here. */
  async function shell(line: string, ids: { uid?: number; gid?: number } = {}): Promise<string> {
    const output = await new Deno.Command("/bin/sh", {
      args: ["-c", line],
      cwd: system.baseDir,
      env: { qq: system.home.bin("qmail-queue") },
      ...ids,
    }).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map((octets) => new TextDecoder().decode(octets));
    assertEquals([output.code, stderr], [0, ""]);
    return stdout!;
  }

  function write(name: string, content: string): void {
    Deno.writeFileSync(path(name), toOctets(content));
    Deno.chmodSync(path(name), 0o644);
  }

  /** The exit code for a message and an envelope in files. */
  async function codeOf(message: string, envelope: string): Promise<number> {
    write("msg", message);
    write("env", envelope);
    return Number(await shell("code=0; $qq <msg 1<env || code=$?; echo $code"));
  }

  const idle = () => waitFor(() => isQueueEmpty(system.home), "an empty queue");

  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system?.stop());

  it("queues a message of files and answers 0, with no output", async () => {
    write("msg", "Subject: of files\n\nHello\n");
    write("env", envelope);
    assertEquals(await shell("$qq <msg 1<env; echo $?"), "0\n");
    const mail = await waitForMailWith(system.home, "Subject: of files");
    assertMatch(mail, /^Return-Path: <amy@a\.example>\n/);
    assertMatch(mail, new RegExp(`\\nReceived: \\(qmail [0-9]+ invoked by uid ${Deno.uid()}\\); `));
    assertStringIncludes(mail, "\nSubject: of files\n\nHello\n");
  });

  it("reads an envelope from where the caller stands in a file", async () => {
    write("msg", "Subject: from the middle\n\n");
    write("env", `read before\n${envelope}`);
    assertEquals(
      await shell("(dd bs=12 count=1 of=/dev/null 2>/dev/null; exec 3<&0; $qq <msg 1<&3; echo $?) <env"),
      "0\n",
    );
    await waitForMailWith(system.home, "Subject: from the middle");
  });

  it("reads both from pipes, the envelope after the message", async () => {
    write("msg", "Subject: of pipes\n\n");
    write("env", envelope);
    assertEquals(await shell("mkfifo fifo; (cat env >fifo) & cat msg | (exec 3<fifo; $qq 1<&3; echo $?)"), "0\n");
    await waitForMailWith(system.home, "Subject: of pipes");
  });

  it("keeps addresses and content octet for octet", async () => {
    const content = "Subject: octets \xff\xfe\n\n\x00\r\nFrom here\n.\n..\nno line end";
    assertEquals(await codeOf(content, "F\xe9@a.example\0Tdemo-\xfc\x01x@localhost\0\0"), 0);
    const mail = await waitForMailWith(system.home, "Subject: octets");
    assertStringIncludes(mail, "Return-Path: <\xe9@a.example>\n");
    assertStringIncludes(mail, content);
  });

  it("takes an envelope without recipients, and an empty message", async () => {
    assertEquals(await codeOf("", "F\0\0"), 0);
    assertEquals(await codeOf("", envelope), 0);
    await idle();
  });

  const longest = "demo-".padEnd(1002 - "@localhost".length, "x");
  const codes = [
    { name: "an address of 1002 octets", envelope: `F\0T${longest}@localhost\0\0`, want: 0 },
    { name: "a recipient of 1003 octets", envelope: `F\0Tx${longest}@localhost\0\0`, want: 11 },
    { name: "a sender of 1003 octets", envelope: `Fx${longest}@localhost\0Tdemo@localhost\0\0`, want: 11 },
    { name: "an envelope over the limit", envelope: `F\0${`T${longest}@localhost\0`.repeat(2100)}\0`, want: 31 },
    { name: "no envelope", envelope: "", want: 54 },
    { name: "an envelope without its last NUL", envelope: envelope.slice(0, -1), want: 54 },
    { name: "an envelope that ends in a recipient", envelope: "F\0Tdemo@loc", want: 54 },
    { name: "an envelope that begins with a recipient", envelope: "Tdemo@localhost\0\0", want: 91 },
    { name: "an unknown record", envelope: "F\0Xdemo@localhost\0\0", want: 91 },
  ];
  for (const { name, envelope, want } of codes) {
    it(`answers ${want} for ${name}`, async () => {
      assertEquals(await codeOf(`Subject: ${want === 0 ? "taken" : "never to be seen"}\n\n`, envelope), want);
      if (want === 0) return;
      await idle();
      assert(!readMail(system.home).some((mail) => mail.includes("never to be seen")));
    });
  }

  it("answers 54 where descriptor 1 is closed, or opened for writing only", async () => {
    write("msg", "Subject: x\n\n");
    assertEquals(await shell("code=0; $qq <msg 1>&- || code=$?; echo $code"), "54\n");
    assertEquals(await shell("code=0; $qq <msg 1>out || code=$?; echo $code"), "54\n");
  });

  it("leaves nothing of a large message whose caller gives up", async () => {
    assertEquals(await shell("code=0; head -c 3000000 /dev/zero | $qq 1</dev/null || code=$?; echo $code"), "54\n");
    await idle();
  });

  it("takes a message of 20 MB, octet for octet", async () => {
    const lines = "0123456789".repeat(7).concat("\n");
    const content = `Subject: large\n\n${lines.repeat(20_000_000 / lines.length)}`;
    assertEquals(await codeOf(content, envelope), 0);
    const mail = await waitForMailWith(system.home, "Subject: large");
    assertEquals(mail.slice(mail.indexOf("Subject: large")) === content, true);
  });

  it(
    `has a caller in another language${python ? "" : " (skipped: python3 is not installed)"}`,
    { ignore: !python },
    async () => {
      const program = `
import os, subprocess, sys
def queue(message, envelope):
    r, w = os.pipe()
    child = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=r)
    os.close(r)
    child.stdin.write(message)
    child.stdin.close()
    os.write(w, envelope)
    os.close(w)
    return child.wait()
print(queue(b"Subject: of Python\\n\\nx\\n" * 1, b"Famy@a.example\\0Tdemo@localhost\\0\\0"))
print(queue(b"x\\n" * 500000, b"Famy@a.example\\0Tdemo@localhost\\0"))
`;
      write("caller.py", program);
      assertEquals(await shell('python3 caller.py "$qq"'), "0\n54\n");
      await waitForMailWith(system.home, "Subject: of Python");
    },
  );

  it(`serves any user${isRoot ? "" : " (skipped: not root)"}`, { ignore: !isRoot }, async () => {
    write("msg", "Subject: from another\n\n");
    write("env", envelope);
    assertEquals(await shell("$qq <msg 1<env; echo $?", { uid: 65534, gid: 65534 }), "0\n");
    assertStringIncludes(await waitForMailWith(system.home, "Subject: from another"), "invoked by uid 65534)");
  });

  it("lets nothing of the caller's environment in", async () => {
    write("msg", "Subject: environment\n\n");
    write("env", envelope);
    const set = `HOME=/nowhere PATH= DENO_DIR=/nowhere ENV=${path("msg")} BASH_ENV=${path("msg")} DENO_NO_PROMPT=0`;
    assertEquals(await shell(`/usr/bin/env ${set} $qq <msg 1<env; echo $?`), "0\n");
  });

  it("answers 74 while the daemon is away", async () => {
    await system.end();
    assertEquals(await codeOf("Subject: away\n\n", envelope), 74);
    assertEquals(await codeOf("x".repeat(1_000_000), envelope), 74);
  });
});
