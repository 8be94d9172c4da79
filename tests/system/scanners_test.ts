/** Scanners of other makes in a whole system: clamd, rspamd and milters, with scripted ones in their places. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { answer, number, script } from "../lib/milter/scripted_milter.ts";
import { milterServer } from "../milter/server.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";

async function readUntil(conn: Deno.Conn, end: string): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.endsWith(end)) {
    const length = await conn.read(buffer);
    if (length === null) return text;
    text += fromOctets(buffer.subarray(0, length));
  }
  return text;
}

async function clamd(conn: Deno.Conn): Promise<void> {
  const text = await readUntil(conn, "\0\0\0\0");
  await conn.write(toOctets(text.includes("EICAR") ? "stream: Eicar FOUND\0" : "stream: OK\0"));
}

async function rspamd(conn: Deno.Conn): Promise<void> {
  const text = await readUntil(conn, "\nend\n");
  const body = JSON.stringify({ action: text.includes("Subject: spam") ? "add header" : "no action", score: 7 });
  await conn.write(toOctets(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
}

async function send(system: System, subject: string, body = "hello\n"): Promise<readonly [number | undefined, string]> {
  using client = await SmtpClient.connect(system.ports["smtp"]!);
  const content = `Subject: ${subject}\n\n${body}end\n`;
  const { end } = await client.send({ from: "amy@a.example", to: ["demo@localhost"], content });
  return [end?.code, JSON.stringify(end)];
}

describe("scanners in a system", () => {
  it("see mail in turn and are obeyed; without one of them mail waits, or goes on as control/filters says", async () => {
    const milter = milterServer(script({ E: answer("m", `${number(1)}Subject\0changed\0`) + answer("c") }));
    await using milterEnd = milter.server;
    await using rspamdEnd = scriptedServer(rspamd);
    await using clamdEnd = scriptedServer(clamd);
    await using system = await startSystem({
      controls: {
        filters: "smtp: clamd rspamd milter\n",
        clamd: `127.0.0.1:${clamdEnd.port}\n`,
        rspamd: `127.0.0.1:${rspamdEnd.port}\n`,
        milters: `127.0.0.1:${milterEnd.port}\n`,
      },
    });
    assertEquals((await send(system, "spam", "one\n"))[0], 250);
    const mail = await waitForMailWith(system.home, "\none\nend\n");
    assertMatch(mail, /\nReceived: .*\n {2}by localhost.*\nSubject: changed\nX-Spam: Yes\n\none\nend\n$/);
    const [code, said] = await send(system, "virus", "EICAR\n");
    assertEquals(code, 554);
    assert(said.includes("message contains Eicar (#5.7.1)"), said);
    await clamdEnd[Symbol.asyncDispose]();
    assertEquals((await send(system, "later"))[0], 451);
    system.writeControl("filters", "smtp: clamd=pass rspamd milter\n");
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    assertEquals((await send(system, "without", "two\n"))[0], 250);
    await waitForMailWith(system.home, "\ntwo\nend\n");
    // What a chain names without saying where it is changes nothing.
    system.writeControl("milters", "");
    assertMatch((await system.reload()).join("\n"), /control\/milters names none/);
  });
});
