/**
 * Programs that people send mail with, against the process.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { describe, it } from "@std/testing/bdd";
import nodemailer from "nodemailer";
import { World } from "./world.ts";

const content = "From: s@s.example\nTo: joe@example.com\nSubject: hello\n\n.a dot, and a long line\n" +
  "x".repeat(990) + "\n.\n..\n";

interface Client {
  readonly program: string;
  readonly args: (port: number, file: string) => string[];
}

const envelope = { from: "s@s.example", to: "joe@example.com" };
const clients: readonly Client[] = [
  {
    program: "/usr/bin/swaks",
    args: (
      port,
      file,
    ) => [
      "--server",
      `127.0.0.1:${port}`,
      "--from",
      envelope.from,
      "--to",
      envelope.to,
      "--helo",
      "c.example",
      "--data",
      `@${file}`,
    ],
  },
  {
    program: "/usr/bin/swaks",
    args: (
      port,
      file,
    ) => [
      "--pipeline",
      "--server",
      `127.0.0.1:${port}`,
      "--from",
      envelope.from,
      "--to",
      envelope.to,
      "--data",
      `@${file}`,
    ],
  },
  {
    program: "/usr/bin/curl",
    args: (
      port,
      file,
    ) => [
      "-sS",
      `smtp://127.0.0.1:${port}/c.example`,
      "--mail-from",
      envelope.from,
      "--mail-rcpt",
      envelope.to,
      "--upload-file",
      file,
      "--crlf",
    ],
  },
];

describe("qmail-smtpd takes mail from", () => {
  for (const { program, args } of clients) {
    const installed = existsSync(program);
    const name = `${program.slice(program.lastIndexOf("/") + 1)}${
      args(0, "").includes("--pipeline") ? " with PIPELINING" : ""
    }`;
    it(`${name}${installed ? "" : ` (skipped: ${program} is not installed)`}`, { ignore: !installed }, async () => {
      await using world = await World.start();
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, content);
      const { code, stdout, stderr } = await new Deno.Command(program, { args: args(world.port, file), stdin: "null" })
        .output();
      await Deno.remove(file);
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assertEquals(code, 0, said);
      assertEquals(world.queue.messages.length, 1, said);
      const message = world.queue.messages[0]!;
      assertEquals([message.envelope.sender, message.envelope.recipients], [envelope.from, [envelope.to]]);
      assert(message.content.split("\n").slice(2).join("\n").startsWith(content), message.content);
    });
  }

  it("nodemailer", async () => {
    await using world = await World.start();
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: world.port,
      secure: false,
      ignoreTLS: true,
    });
    const info = await transport.sendMail({ ...envelope, subject: "hello", text: ".\n..dots\n" });
    transport.close();
    assertEquals(info.accepted, [envelope.to]);
    assert(world.queue.messages[0]!.content.endsWith("\n\n.\n..dots\n"));
  });

  it(
    "curl when it is refused (skipped: /usr/bin/curl is not installed)".replace(
      existsSync("/usr/bin/curl") ? / \(.*/ : "",
      "",
    ),
    {
      ignore: !existsSync("/usr/bin/curl"),
    },
    async () => {
      await using world = await World.start();
      const args = [
        "-sS",
        `smtp://127.0.0.1:${world.port}`,
        "--mail-from",
        envelope.from,
        "--mail-rcpt",
        "nobody@example.com",
        "--upload-file",
        "-",
      ];
      const { code, stderr } = await new Deno.Command("/usr/bin/curl", { args, stdin: "null" }).output();
      assertEquals(code, 55, new TextDecoder().decode(stderr));
      assertEquals(world.queue.messages.length, 0);
    },
  );
});
