/**
 * Programs that hand mail on over LMTP (RFC 2033), to our port and to our socket: each recipient has an answer of its own, at
 * RCPT and after the message.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fromOctets } from "../../components/lib/octets.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { Postfix, postfixNeed } from "../support/postfix.ts";
import { needs, runProgram, runWell, swaksNeed } from "../support/program.ts";
import { startSystem, type System } from "../support/system.ts";

const body = ".a dot\n..two\n.\nl\xc3\xa4nger " + "x".repeat(900) + "\nlast\n";

/** Two of these have a mailbox. smtplib reads one reply to a message; the other one is for who counts. */
const python = `
import smtplib, sys
host, port, subject = sys.argv[1], int(sys.argv[2]), sys.argv[3]
recipients = ["demo@localhost", "nobody@localhost", "postmaster@localhost"]
content = b"Subject: %s\\r\\n\\r\\n" % subject.encode() + sys.stdin.buffer.read()
with smtplib.LMTP(host, port, local_hostname="py.example") as server:
    server.ehlo()
    assert server.has_extn("pipelining") and server.has_extn("enhancedstatuscodes")
    refused = server.sendmail("amy@a.example", recipients, content, mail_options=["BODY=8BITMIME"])
    assert refused == {"nobody@localhost": (550, b"5.1.1 sorry, no mailbox here by that name")}, refused
    code, text = server.getreply()
    assert code == 250 and text.startswith(b"2.0.0 ok "), (code, text)
`;

describe("mail handed on over LMTP by", () => {
  let system: System;
  /** Host and port, or the socket. */
  const places: Record<"TCP" | "a Unix socket", readonly [string, number]> = { TCP: ["", 0], "a Unix socket": ["", 0] };

  beforeAll(async () => {
    system = await startSystem({
      controls: {
        listeners: "smtp 127.0.0.1:0\nlmtp 127.0.0.1:0\nlmtp unix:lmtp/in\n",
        relayclients: undefined,
        databytes: "3000\n",
      },
    });
    places.TCP = ["127.0.0.1", system.ports["lmtp"]!];
    places["a Unix socket"] = [`${system.home.run("lmtp")}/in`, 0];
  });
  afterAll(() => system?.stop());

  const assertBoth = async (subject: string, text: string) => {
    for (const mailbox of ["demo@localhost", "postmaster@localhost"]) {
      const message = await waitForMailWith(system.home, `\nSubject: ${subject}\n`, mailbox);
      assert(message.startsWith(`Return-Path: <amy@a.example>\nDelivered-To: ${mailbox}\n`), message);
      assertMatch(message, /\n {2}by localhost with LMTP; /);
      assert(message.endsWith(`\n\n${text}`), message);
      assertEquals(newMail(system.home, mailbox).length > 0, true);
    }
  };
  const tag = (name: string, over: string) => `${name}-${over.replaceAll(" ", "-")}`;

  for (const over of ["TCP", "a Unix socket"] as const) {
    const pythonNeed = needs(["python3"]);
    it(`Python's smtplib, over ${over}${pythonNeed.note}`, { ignore: pythonNeed.ignore }, async () => {
      const [host, port] = places[over];
      const subject = tag("python", over);
      const input = body.replaceAll("\n", "\r\n");
      await runWell("python3", ["-c", python, host, String(port), subject], { input });
      await assertBoth(subject, body);
    });

    it(`Swaks, over ${over}: two replies to one message${swaksNeed.note}`, { ignore: swaksNeed.ignore }, async () => {
      const [host, port] = places[over];
      const subject = tag("swaks", over);
      const args = [
        ...port === 0 ? ["--socket", host] : ["--server", host, "--port", String(port)],
        ...["--protocol", "LMTP", "--helo", "swaks.example", "--from", "amy@a.example"],
        ...["--to", "demo@localhost,nobody@localhost,postmaster@localhost"],
        ...["--header", `Subject: ${subject}`],
      ];
      const { code, stdout } = await runProgram("swaks", [...args, "--body", ".x"]);
      assertEquals(code, 0, stdout);
      assertStringIncludes(stdout, " -> LHLO swaks.example\n");
      assertMatch(stdout, /\n<\*\* 550 5\.1\.1 /);
      const after = stdout.slice(stdout.indexOf("\n -> .\n"));
      assertEquals(after.match(/^<- {2}250 2\.0\.0 ok /gm)?.length, 2, after);
      await waitForMailWith(system.home, `\nSubject: ${subject}\n`);
      await waitForMailWith(system.home, `\nSubject: ${subject}\n`, "postmaster@localhost");

      const large = await runProgram("swaks", [...args, "--body", "x".repeat(4000)]);
      assertEquals(large.code, 26, large.stdout);
      assertEquals(large.stdout.match(/^<\*\* 552 5\.3\.4 /gm)?.length, 2, large.stdout);
    });

    it(`Postfix, over ${over}, who tells each sender the truth${postfixNeed.note}`, {
      ignore: postfixNeed.ignore,
    }, async () => {
      const [host, port] = places[over];
      // The socket is for qmail-smtpd's group; Postfix's lmtp is of another.
      if (port === 0) Deno.chmodSync(host, 0o666);
      const transport = port === 0 ? `lmtp:unix:${host}` : `lmtp:inet:${host}:${port}`;
      await using postfix = await Postfix.start({ default_transport: transport });
      const to = ["demo@localhost", "nobody@localhost", "postmaster@localhost"];
      const subject = tag("postfix", over);
      await postfix.send({ from: "amy@a.example", to, content: `Subject: ${subject}\n\n${body}` });
      for (const recipient of ["demo@localhost", "postmaster@localhost"]) {
        assertMatch(await postfix.waitForStatus(recipient), /dsn=2\.0\.0, status=sent \(250 2\.0\.0 ok [0-9]+ qp /);
      }
      assertMatch(
        await postfix.waitForStatus("nobody@localhost"),
        /dsn=5\.1\.1, status=bounced \(host .* 550 5\.1\.1 /,
      );
      await assertBoth(subject, body);
      const since = postfix.log.length;
      await postfix.send({
        from: "amy@a.example",
        to: to.slice(0, 1),
        content: "x".repeat(900).concat("\n").repeat(5),
      });
      assertMatch(await postfix.waitForStatus("demo@localhost", since), /status=bounced .*(552 5\.3\.4|message size)/);
    });
  }

  it("somebody who says EHLO or HELO there: he is told that it is none of these", async () => {
    const conn = await Deno.connect({ path: places["a Unix socket"][0], transport: "unix" });
    await conn.write(new TextEncoder().encode("EHLO c.example\r\nHELO c.example\r\nQUIT\r\n"));
    const said = fromOctets(new Uint8Array(await new Response(conn.readable).arrayBuffer())).split("\r\n");
    assertEquals(said.map((line) => line.slice(0, 3)), ["220", "500", "500", "221", ""]);
  });
});
