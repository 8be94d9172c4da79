/** The real qmail-local for an account: `.qmail` files followed line by line, with the grant of that account's home. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { world } from "./world.ts";

const message = "Subject: a\n\nhello\n";
const deliveredTo = "Delivered-To: joe@localhost\n";

describe("qmail-local for an account", () => {
  it("follows each line in order and forwards last, in one message, with Delivered-To in front", async () => {
    await using world_ = world({ kind: "account" });
    world_.write(".qmail", "# mine\n&amy@a.example\n./Maildir/\n./mbox  \nbob@b.example\n");
    const report = await world_.deliver(message, { sender: "eve@e.example" });
    assertEquals(report, { verdict: "K", text: "did 2+2+0\nqp 4711\n" });
    const head = `Return-Path: <eve@e.example>\n${deliveredTo}`;
    assertEquals(world_.files(), [`${head}${message}`]);
    assert(/^From eve@e\.example [A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [0-9:]{8} \d{4}\n/.test(world_.read("mbox")));
    assertStringIncludes(world_.read("mbox"), `${head}${message}\n`);
    assertEquals(world_.queued, [{
      envelope: { origin: "uid", uid: 1000, sender: "eve@e.example", recipients: ["amy@a.example", "bob@b.example"] },
      content: `${deliveredTo}${message}`,
    }]);
  });

  it("forwards a message of many pieces whole, and takes hostile octets as they are", async () => {
    await using world_ = world({ kind: "account" });
    world_.write(".qmail", "&\xe9\x80$(id)`id`;|x@b.example\n");
    const text = `Subject: a\n\n${"\xff\x00line\n".repeat(60_000)}`;
    assertEquals((await world_.deliver(text)).text, "did 0+1+0\nqp 4711\n");
    assertEquals(world_.queued[0]?.envelope.recipients, ["\xe9\x80$(id)`id`;|x@b.example"]);
    assert(world_.queued[0]?.content === deliveredTo + text);
  });

  it("delivers, but forwards no more, what has been delivered a dozen times: two at each step were a million soon", async () => {
    await using world_ = world({ kind: "account" });
    world_.write(".qmail", "a@b.example\n");
    world_.write(".qmail-mbox", "./mbox\n");
    const times = (count: number) => "Delivered-To: x@y.example\n".repeat(count) + message;
    assertEquals((await world_.deliver(times(11))).verdict, "K");
    const { verdict, text } = await world_.deliver(times(12));
    assertEquals(verdict + text, "DThis message has been forwarded too often to be forwarded again. (#5.4.6)\n");
    assertEquals(world_.queued.length, 1);
    const kept = await world_.deliver(times(12), { recipient: "joe-mbox@localhost", dash: "-", extension: "mbox" });
    assertEquals(kept.text, "did 1+0+0\n");
  });

  const owners = [
    { files: [], sender: "eve@e.example", want: "eve@e.example" },
    { files: [".qmail-l-owner"], sender: "eve@e.example", want: "joe-l-owner@localhost" },
    {
      files: [".qmail-l-owner", ".qmail-l-owner-default"],
      sender: "eve@e.example",
      want: "joe-l-owner-@localhost-@[]",
    },
    { files: [".qmail-l-owner-default"], sender: "eve@e.example", want: "eve@e.example" },
    { files: [".qmail-l-owner"], sender: "", want: "" },
    { files: [".qmail-l-owner"], sender: "#@[]", want: "#@[]" },
  ];
  it("forwards as the list's owner where there is one, and a bounce as a bounce", async () => {
    await using world_ = world({ kind: "account" });
    world_.write(".qmail-l", "a@b.example\n");
    for (const { files, sender, want } of owners) {
      for (const file of files) world_.write(file, "joe\n");
      const report = await world_.deliver(message, { sender, recipient: "joe-l@localhost", dash: "-", extension: "l" });
      assertEquals(report.verdict, "K");
      assertEquals(world_.queued.pop()?.envelope.sender, want, `${files} ${sender}`);
      for (const file of files) Deno.removeSync(`${world_.userHome}/${file}`);
    }
  });

  const refusals = [
    {
      what: "an address too long",
      code: 0,
      address: `${"a".repeat(1000)}@b.example`,
      want: "Denvelope address too long for qq (#5.1.3)",
    },
    { what: "a full disk", code: 53, address: "a@b.example", want: "Zqq write error or disk full (#4.3.0)" },
    {
      what: "a message refused for good",
      code: 31,
      address: "a@b.example",
      want: "Dmail server permanently rejected message (#5.3.0)",
    },
  ];
  for (const { what, code, address, want } of refusals) {
    it(`reports ${what} as qmail-queue says it`, async () => {
      await using world_ = world({ kind: "account", queueCode: code });
      world_.write(".qmail", `${address}\n`);
      const report = await world_.deliver(message);
      assertEquals(report.verdict + report.text, `${want[0]}Unable to forward message: ${want.slice(1)}.\n`);
    });
  }

  /** `file`: text and mode of `.qmail`; `mode` of the home. */
  const rows: readonly {
    readonly what: string;
    readonly text?: string;
    readonly fileMode?: number;
    readonly homeMode?: number;
    readonly fields?: { dash?: string; extension?: string; defaultDelivery?: string };
    readonly verdict: string;
    readonly report: string;
  }[] = [
    { what: "no file", verdict: "K", report: "did 1+0+0\n" },
    { what: "an empty file", text: "", fileMode: 0o700, verdict: "K", report: "did 1+0+0\n" },
    { what: "only a comment", text: "#\n", verdict: "K", report: "did 0+0+0\n" },
    {
      what: "a blank first line",
      text: " \n&a@b.example\n",
      verdict: "Z",
      report: "Uh-oh: first line of .qmail file is blank. (#4.2.1)\n",
    },
    {
      what: "an x bit over a file",
      text: "./Maildir/\n",
      fileMode: 0o700,
      verdict: "Z",
      report: "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n",
    },
    {
      what: "+list over an mbox",
      text: "a@b.example\n+list\n./mbox\n",
      verdict: "Z",
      report: "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n",
    },
    {
      what: "an x bit over a program",
      text: "|true\n",
      fileMode: 0o700,
      verdict: "Z",
      report: "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n",
    },
    {
      what: "a file others may write",
      text: "a@b.example\n",
      fileMode: 0o606,
      verdict: "Z",
      report: "Uh-oh: .qmail file is writable. (#4.7.0)\n",
    },
    {
      what: "a home others may write",
      homeMode: 0o777,
      verdict: "Z",
      report: "Uh-oh: home directory is writable. (#4.7.0)\n",
    },
    {
      what: "a sticky home",
      homeMode: 0o1700,
      verdict: "Z",
      report: "Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n",
    },
    {
      what: "an extension without a file",
      fields: { dash: "-", extension: "x" },
      verdict: "D",
      report: "Sorry, no mailbox here by that name. (#5.1.1)\n",
    },
    { what: "the list mark alone", text: "+list\n+other\n", verdict: "K", report: "did 0+0+0\n" },
    { what: "/dev/null", text: "/dev/null\n", verdict: "K", report: "did 1+0+0\n" },
    {
      what: "another default delivery",
      fields: { defaultDelivery: "./mbox\n./mbox\n" },
      verdict: "K",
      report: "did 2+0+0\n",
    },
    {
      what: "an mbox that is a folder",
      text: "./Maildir\n",
      verdict: "Z",
      report: "Unable to write HOME/Maildir: it is no regular file. (#4.3.0)\n",
    },
    {
      what: "a Maildir that is not there",
      text: "./absent/\n",
      verdict: "Z",
      report: "Unable to chdir to maildir. (#4.2.1)\n",
    },
  ];
  it("has qmail's answer to everything a home may hold", async () => {
    await using world_ = world({ kind: "account" });
    for (const { what, text, fileMode = 0o600, homeMode = 0o700, fields = {}, verdict, report } of rows) {
      if (text !== undefined) world_.write(".qmail", text, fileMode);
      Deno.chmodSync(world_.userHome, homeMode);
      const got = await world_.deliver(message, fields);
      assertEquals(
        { ...got, text: got.text.replaceAll(world_.userHome, "HOME") },
        { verdict, text: report } as typeof got,
        what,
      );
      if (text !== undefined) Deno.removeSync(`${world_.userHome}/.qmail`);
    }
    assertEquals(world_.queued, []);
  });

  it("is held up by no FIFO, whatever name it has", async () => {
    await using world_ = world({ kind: "account" });
    const fifo = (name: string) => new Deno.Command("mkfifo", { args: [`${world_.userHome}/${name}`] }).outputSync();
    fifo(".qmail");
    fifo("box");
    assertEquals((await world_.deliver(message)).text, "did 1+0+0\n");
    Deno.removeSync(`${world_.userHome}/.qmail`);
    world_.write(".qmail", "./box\n");
    assertEquals((await world_.deliver(message)).verdict, "Z");
    Deno.removeSync(`${world_.userHome}/box`);
    assertEquals((await world_.deliver(message)).text, "did 1+0+0\n");
  });

  it("writes nowhere but in its home, whatever a line says, and reads no .qmail from elsewhere", async () => {
    await using world_ = world({ kind: "account" });
    const outside = `${world_.home.dir}/outside`;
    for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${outside}/${folder}`, { recursive: true });
    for (const line of [`${outside}/`, "./../outside/", `${outside}/mbox`, "./../outside/mbox", "/proc/self/fd/1"]) {
      world_.write(".qmail", `${line}\n`);
      assertEquals((await world_.deliver(message)).verdict, "Z", line);
    }
    const extension = "../../outside/x";
    Deno.writeTextFileSync(`${outside}/x`, "a@b.example\n");
    assertEquals((await world_.deliver(message, { dash: "-", extension })).verdict, "D");
    assertEquals([...Deno.readDirSync(`${outside}/new`)], []);
    assertEquals([...Deno.readDirSync(outside)].length, 4);
    assertEquals(world_.queued, []);
  });

  it("needs a process that may run programs, and says so before it has done anything", async () => {
    await using world_ = world({ kind: "account" });
    world_.write(".qmail", "./Maildir/\na@b.example\n|true\n");
    const report = await world_.deliver(message);
    assertEquals([report.verdict, report.needsPrograms], ["Z", true]);
    assertEquals([world_.files(), world_.queued], [[], []]);
  });

  it("counts a Maildir's limit, refuses what is over it, and keeps its sums", async () => {
    await using world_ = world({ kind: "account" });
    const full = { verdict: "D", text: "The mailbox is full. (#5.2.2)\n" } as const;
    world_.write("Maildir/maildirsize", "10000S,2C\n");
    assertEquals(await world_.deliver(`Subject: a\n\n${"x".repeat(10_000)}\n`), full);
    assertEquals((await world_.deliver(message)).verdict, "K");
    assertEquals((await world_.deliver(message)).verdict, "K");
    assertEquals(await world_.deliver(message), full);
    const sizes = [...Deno.readDirSync(`${world_.maildir}/new`)].map(({ name }) => name.split(",S=")[1]);
    const length = world_.files()[0]!.length;
    assertEquals(sizes, [String(length), String(length)]);
    assertEquals(world_.read("Maildir/maildirsize").trim().split(/\s+/), [`10000S,2C`, String(2 * length), "2"]);
  });
});
