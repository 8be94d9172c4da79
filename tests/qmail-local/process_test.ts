/** The real qmail-local, with its grant, over its standard streams. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { homeAt } from "../../config/home.ts";
import { DeliveryLink } from "../../components/lib/delivery/link.ts";
import { MessageFile } from "../../components/lib/delivery/message_file.ts";
import { queueFile, queueFolder } from "../../components/lib/queue/layout.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { tempDir } from "../support/temp_dir.ts";

const kibibyte = 1024;
const root = (path: string) => fromFileUrl(new URL(`../../${path}`, import.meta.url));

/** A qmail-local, and `deliver` as qmail-lspawn does it; ends with its scope. */
function world() {
  const dir = tempDir();
  const home = homeAt(dir.path);
  const maildir = home.mail("localhost", "joe", "Maildir");
  for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${maildir}/${folder}`, { recursive: true });
  Deno.mkdirSync(queueFolder(home, "mess", 23), { recursive: true });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", root("deno.json")],
      ...[`--allow-read=${home.mail()}`, `--allow-write=${home.mail()}`, root("components/qmail-local/main.ts")],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const writer = child.stdin.getWriter();
  let held = new Uint8Array();
  const link = new DeliveryLink(
    new Pipe({
      read: async (buffer) => {
        if (held.length === 0) held = (await reader.read()).value ?? held;
        const piece = held.subarray(0, buffer.length);
        held = held.subarray(piece.length);
        buffer.set(piece);
        return piece.length === 0 ? null : piece.length;
      },
      write: async (octets) => {
        await writer.write(octets);
        return octets.length;
      },
      close: () => void writer.close().catch(() => {}),
    }),
    () => {},
  );
  return {
    child,
    maildir,
    files: () =>
      [...Deno.readDirSync(`${maildir}/new`)].map(({ name }) => Deno.readTextFileSync(`${maildir}/new/${name}`)),
    deliver: async (text: string, fields: { sender?: string; recipient?: string; maildir?: string } = {}) => {
      Deno.writeTextFileSync(queueFile(home, "mess", 23), text);
      const file = MessageFile.open(home, 23);
      const recipients = [fields.recipient ?? "joe@localhost"];
      const request = { sender: fields.sender ?? "", recipients, maildir: fields.maildir ?? maildir, hostName: "h" };
      try {
        return (await link.deliver(request, file))[0]!;
      } finally {
        file.close();
      }
    },
    async [Symbol.asyncDispose]() {
      link.close();
      await child.status;
      dir[Symbol.dispose]();
    },
  };
}

const delivered = "Delivered-To: joe@localhost\n";
const manyLines = (bytes: number) => `X-Line: ${"a".repeat(92)}\n`.repeat(Math.ceil(bytes / 101));

describe("qmail-local", () => {
  it("puts Return-Path and Delivered-To in front and leaves the message as it is", async () => {
    await using world_ = world();
    const text = "Subject: a\n\nhello\n";
    const report = await world_.deliver(text, { sender: "amy@a.example" });
    assertEquals(report, { verdict: "K", text: "did 1+0+0\n" });
    assertEquals(world_.files(), [`Return-Path: <amy@a.example>\n${delivered}${text}`]);
  });

  it("delivers a message of many pieces whole", async () => {
    await using world_ = world();
    const text = `Subject: a\n\n${manyLines(700 * kibibyte)}`;
    assertEquals((await world_.deliver(text)).verdict, "K");
    assertEquals(world_.files(), [`Return-Path: <>\n${delivered}${text}`]);
  });

  const loops = [
    { claim: "among its header's first lines", text: `${delivered}\nhello\n`, verdict: "D" },
    { claim: "behind 200 KiB of header", text: `${manyLines(200 * kibibyte)}${delivered}\nhello\n`, verdict: "D" },
    { claim: "as the last line of a message without body", text: `A: b\n${delivered}`, verdict: "D" },
    { claim: "only in the body", text: `A: b\n\n${delivered}`, verdict: "K" },
    {
      claim: "only in a body behind 200 KiB of header",
      text: `${manyLines(200 * kibibyte)}\n${delivered}`,
      verdict: "K",
    },
    { claim: "for another recipient", text: "Delivered-To: amy@localhost\n\nhello\n", verdict: "K" },
  ];
  it("refuses a message that has its Delivered-To in the header, however long that is, and no other", async () => {
    await using world_ = world();
    for (const { claim, text, verdict } of loops) {
      const report = await world_.deliver(text);
      assertEquals(report.verdict, verdict, claim);
      if (verdict === "D") assert(report.text.startsWith("This message is looping:"), claim);
    }
    assertEquals(world_.files().length, 3);
  });

  it("defers when there is no Maildir, or one outside its grant", async () => {
    await using world_ = world();
    const absent = await world_.deliver("A: b\n\n", { maildir: `${world_.maildir}/absent` });
    assertEquals(absent, { verdict: "Z", text: "Unable to chdir to maildir. (#4.2.1)\n" });
    const outside = await world_.deliver("A: b\n\n", { maildir: "/tmp" });
    assertEquals(outside, { verdict: "Z", text: "Temporary error on maildir delivery. (#4.3.0)\n" });
    assertEquals((await world_.deliver("A: b\n\n")).verdict, "K");
  });

  it("is told apart from an answer when it dies", async () => {
    await using world_ = world();
    assertEquals((await world_.deliver("A: b\n\n")).verdict, "K");
    world_.child.kill("SIGKILL");
    await world_.child.status;
    const error = await assertRejects(() => world_.deliver("A: b\n\n")) as Error;
    assertEquals(error.name, "ConnectionLost");
  });
});
