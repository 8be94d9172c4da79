/**
 * Programs that people send mail with, against the whole: what they send arrives in the Maildir.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import nodemailer from "nodemailer";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { startSystem, type System } from "../support/system.ts";

interface Run {
  readonly code: number;
  readonly said: string;
}

async function run(program: string, args: readonly string[]): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

function isInstalled(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync()
      .success;
  } catch {
    return false;
  }
}

const sender = "amy@example.org";
const body = ".a dot\n..two\n.\nl\xc3\xa4nger " + "x".repeat(900) + "\nlast\n";

/** A session of Python's smtplib: two messages, an address that is refused, one with a BODY parameter. */
const python = `
import smtplib, sys
host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
text = open(path, "rb").read()
with smtplib.SMTP(host, port, local_hostname="py.example") as server:
    server.ehlo()
    assert server.has_extn("pipelining") and server.has_extn("size") and server.has_extn("8bitmime")
    refused = server.sendmail("${sender}", ["demo@localhost", "nobody@localhost"], text, mail_options=["BODY=8BITMIME"])
    assert refused == {"nobody@localhost": (550, b"5.1.1 sorry, no mailbox here by that name")}, refused
    assert server.sendmail("${sender}", ["postmaster@localhost"], text) == {}
    try:
        server.sendmail("${sender}", ["nobody@localhost"], text)
        raise SystemExit("was not refused")
    except smtplib.SMTPRecipientsRefused:
        pass
`;

describe("mail sent with", () => {
  let system: System;
  let port: number;

  /** A message with a subject of its own, as a file with CRLF. */
  const letter = (subject: string, program: string): string => {
    const path = `${system.baseDir}/${subject}`;
    const whole = `From: ${sender}\nTo: demo@localhost\nSubject: ${subject}\n\n${body}`;
    // swaks ends the last line itself.
    const text = program === "swaks" ? whole.slice(0, -1) : whole;
    Deno.writeFileSync(path, Uint8Array.from(text.replaceAll("\n", "\r\n"), (char) => char.charCodeAt(0)));
    return path;
  };
  const assertArrived = async (subject: string, mailbox?: string) => {
    const message = await waitForMailWith(system.home, `\nSubject: ${subject}\n`, mailbox);
    assert(message.startsWith(`Return-Path: <${sender}>\n`), message);
    assert(message.endsWith(`\n\n${body}`), message);
  };

  beforeAll(async () => {
    system = await startSystem({ controls: { relayclients: undefined } });
    port = system.ports["smtp"]!;
  });
  afterAll(() => system?.stop());

  const swaks = ["--from", sender, "--to", "demo@localhost", "--helo", "swaks.example"];
  const clients: readonly {
    readonly program: string;
    readonly name: string;
    readonly args: (file: string) => readonly string[];
  }[] = [
    {
      program: "swaks",
      name: "swaks",
      args: (file) => ["--server", `127.0.0.1:${port}`, ...swaks, "--data", `@${file}`],
    },
    {
      program: "swaks",
      name: "swaks, pipelining",
      args: (file) => ["--server", `127.0.0.1:${port}`, ...swaks, "--pipeline", "--data", `@${file}`],
    },
    {
      program: "curl",
      name: "curl smtp://",
      args: (file) => [
        ...["-sS", `smtp://127.0.0.1:${port}/curl.example`, "--mail-from", sender],
        ...["--mail-rcpt", "demo@localhost", "--upload-file", file],
      ],
    },
    {
      program: "python3",
      name: "Python's smtplib",
      args: (file) => ["-c", python, "127.0.0.1", String(port), file],
    },
  ];
  for (const { program, name, args } of clients) {
    const skip = !isInstalled(program);
    it(
      `${name} arrives octet for octet${skip ? ` (skipped: ${program} is not installed)` : ""}`,
      { ignore: skip },
      async () => {
        const subject = name.replaceAll(/[^a-z]/gi, "-");
        const { code, said } = await run(program, args(letter(subject, program)));
        assertEquals(code, 0, said);
        await assertArrived(subject);
        if (program === "python3") await assertArrived(subject, "postmaster@localhost");
      },
    );
  }

  it("nodemailer arrives, over one connection kept open; a stranger's domain is refused", async () => {
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
    });
    try {
      for (let count = 0; count < 10; count++) {
        const { accepted, rejected } = await transport.sendMail({
          from: sender,
          to: ["demo-node@localhost", "nobody@localhost"],
          subject: `nodemailer ${count}`,
          text: "Grüße\n.\n",
        });
        assertEquals([accepted, rejected], [["demo-node@localhost"], ["nobody@localhost"]]);
      }
      const error = await transport.sendMail({ from: sender, to: "bob@elsewhere.example", text: "x" }).catch((error) =>
        error
      );
      assertStringIncludes(String(error), "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts");
    } finally {
      transport.close();
    }
    const message = await waitForMailWith(system.home, "\nSubject: nodemailer 9\n");
    assertStringIncludes(message, "\nDelivered-To: demo-node@localhost\n");
    assert(newMail(system.home).length >= 10);
  });
});
