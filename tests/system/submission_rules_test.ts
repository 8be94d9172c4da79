/**
 * Who may hand in mail, and as whom: real clients are refused in the words that `deno task explain` has for it, and let in
 * where it says so.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Explanation } from "../../scripts/explain/explain.ts";
import { setPassword } from "../support/logins.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { needs, type Run, runProgram, runWell, swaksNeed } from "../support/program.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";

const demo = "demo@localhost";

/** Swaks's exit codes. */
const codes = { mailRefused: 23, rcptRefused: 24, authFailed: 28 } as const;

describe("mail of who", () => {
  let system: System;
  let password = "secret";

  beforeAll(async () => {
    system = await startSystem({
      tls: true,
      controls: {
        listeners: "smtp 127.0.0.1:0\nsubmission 127.0.0.1:0\nsubmissions 127.0.0.1:0\n",
        relayclients: undefined,
        senderlogins: "demo@localhost:news@localhost\ndemo@localhost:@team.example\n",
      },
    });
    await setPassword(system, demo, password);
  });
  afterAll(() => system?.stop());

  const swaks = (entrance: string, more: readonly string[], { from = demo, to = demo } = {}): Promise<Run> =>
    runProgram("swaks", [
      ...["--server", "127.0.0.1", "--port", `${system.ports[entrance]}`, "--helo", "swaks.example"],
      ...["--from", from, "--to", to, ...more],
    ]);
  const login = (secret = password) => ["--auth", "PLAIN", "--auth-user", demo, "--auth-password", secret];
  const secured = (entrance: string) => entrance === "submissions" ? "--tls-on-connect" : "--tls";

  const explain = async (entrance: string, { from = demo, to = demo, as }: Asked): Promise<Explanation> => {
    const question = ["--from", from, "--to", to, "--ip", "127.0.0.1", "--entrance", entrance];
    const more = as === undefined ? [] : ["--login", as];
    const { stdout, stderr } = await runTask("explain", ["--home", system.home.dir, "--json", ...question, ...more]);
    assertEquals(stderr, "");
    return JSON.parse(stdout);
  };

  interface Asked {
    readonly from?: string;
    readonly to?: string;
    /** Logs in as demo. */
    readonly as?: typeof demo;
  }
  interface Case extends Asked {
    readonly who: string;
    readonly entrance: string;
    /** The rule that refuses it, and Swaks's code for that; undefined: it is accepted. */
    readonly refused?: readonly [rule: string, code: number];
  }
  const cases: readonly Case[] = [
    { who: "has not logged in", entrance: "submission", refused: ["login", codes.mailRefused] },
    { who: "has not logged in, over TLS", entrance: "submissions", refused: ["login", codes.mailRefused] },
    {
      who: "writes in another's name",
      entrance: "submission",
      as: demo,
      from: "postmaster@localhost",
      refused: ["senderlogin", codes.mailRefused],
    },
    {
      who: "writes in another's name, over TLS",
      entrance: "submissions",
      as: demo,
      from: "amy@r.example",
      refused: ["senderlogin", codes.mailRefused],
    },
    { who: "writes as control/senderlogins has it", entrance: "submissions", as: demo, from: "news@localhost" },
    { who: "writes from a domain control/senderlogins has", entrance: "submission", as: demo, from: "X@team.example" },
    {
      who: "is nobody here, to elsewhere",
      entrance: "smtp",
      to: "bob@r.example",
      refused: ["relay", codes.rcptRefused],
    },
    {
      who: "is nobody here, to nobody",
      entrance: "smtp",
      to: "nobody@localhost",
      refused: ["mailbox", codes.rcptRefused],
    },
    { who: "is nobody here, to demo", entrance: "smtp", from: "amy@r.example" },
    { who: "has logged in, to elsewhere", entrance: "submission", as: demo, to: "bob@r.example" },
  ];
  const need = swaksNeed;
  for (const { who, entrance, as, from, to, refused } of cases) {
    const envelope = { ...from === undefined ? {} : { from }, ...to === undefined ? {} : { to } };
    const outcome = refused === undefined ? "is taken" : "is refused";
    it(`${who}, ${outcome} by ${entrance}, as explain says${need.note}`, { ignore: need.ignore }, async () => {
      const { answer, rules } = await explain(entrance, { ...envelope, ...as === undefined ? {} : { as } });
      assertEquals([answer.kind, answer.rule], refused === undefined ? ["accept", undefined] : ["refuse", refused[0]]);
      const since = system.log.length;
      const { code, stdout } = await swaks(entrance, [secured(entrance), ...as === undefined ? [] : login()], envelope);
      assertEquals(code, refused?.[1] ?? 0, stdout);
      assertStringIncludes(stdout, `  ${answer.reply}\n`.replace(/^ {2}/, refused === undefined ? "  " : " "));
      if (refused === undefined) return;
      const { reason } = rules.find(({ said }) => said === "refuses")!;
      await system.waitForLog(
        (line) => line.includes(" refused-") && line.endsWith(` reason=${reason}`),
        10_000,
        since,
      );
    });
  }

  it(`has a wrong password is refused, and that of an unknown login in the same words${need.note}`, need, async () => {
    for (const name of [demo, "nobody@localhost"]) {
      const auth = ["--auth-user", name, "--auth-password", "wrong"];
      const { code, stdout } = await swaks("submission", ["--tls", "--auth", "PLAIN", ...auth]);
      assertEquals(code, codes.authFailed, stdout);
      assertStringIncludes(stdout, "<~* 535 5.7.8 authentication failed\n");
    }
    await system.waitForLog((line) => /^auth: login-failed .* login=demo@localhost .* reason=password$/.test(line));
    await system.waitForLog((line) => /^auth: login-failed .* login=nobody@localhost .* reason=no-user$/.test(line));
    assert(!system.log.text().includes("wrong"));
  });

  it(`speaks in the clear is offered no AUTH, and refused it${need.note}`, need, async () => {
    const { code, stdout, stderr } = await swaks("submission", login());
    assertEquals(code, codes.authFailed, stdout);
    assertStringIncludes(stderr, "Host did not advertise authentication");
    using client = await SmtpClient.connect(system.ports["submission"]!);
    const { code: reply, lines } = await client.command(`AUTH PLAIN ${btoa(`\0${demo}\0${password}`)}`);
    assertEquals([reply, lines], [538, ["5.7.11 auth not available without TLS"]]);
    assertEquals((await client.command(`MAIL FROM:<${demo}>`)).code, 530);
  });

  it(`would log in at port 25 is told that there is no such command${need.note}`, need, async () => {
    const { code, stdout } = await swaks("smtp", ["--tls", ...login()]);
    assertEquals(code, codes.authFailed, stdout);
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    assertEquals((await client.command("AUTH PLAIN")).code, 502);
  });

  it(`gives no Date and Message-ID gets them; what is signed stays as it is${need.note}`, need, async () => {
    const submit = async (header: string, entrance: string, more: readonly string[]) => {
      const path = `${system.baseDir}/letter`;
      Deno.writeTextFileSync(path, `${header}\r\n\r\n.x`);
      const { code, stdout } = await swaks(entrance, [secured(entrance), ...more, "--data", `@${path}`]);
      assertEquals(code, 0, stdout);
      return await waitForMailWith(system.home, `\n${header.split("\r\n")[0]}\n`);
    };
    const bare = await submit("Subject: bare\r\nFrom: demo@localhost", "submission", login());
    assertMatch(bare, / \+0000\nDate: [^\n]+ -0000\nMessage-ID: <[^\n]+@localhost>\nSubject: bare\nFrom: /);
    assert(bare.endsWith("\nSubject: bare\nFrom: demo@localhost\n\n.x\n"), bare);
    const signed = await submit("Subject: signed\r\nDKIM-Signature: v=1", "submissions", login());
    assert(!/^(Date|Message-ID):/m.test(signed), signed);
    const stranger = await submit("Subject: stranger\r\nFrom: amy@r.example", "smtp", []);
    assert(!/^(Date|Message-ID):/m.test(stranger), stranger);
  });

  it(`has a new password logs in with that one, and with the old one no more${need.note}`, need, async () => {
    const old = password;
    password = "another";
    await setPassword(system, demo, password);
    const before = newMail(system.home).length;
    assertEquals((await swaks("submissions", ["--tls-on-connect", ...login(old)])).code, codes.authFailed);
    assertEquals((await swaks("submissions", ["--tls-on-connect", ...login()])).code, 0);
    await waitForMailWith(system.home, "\nReceived: from swaks.example ");
    assert(newMail(system.home).length >= before);
  });

  const curl = needs(["curl"]);
  it(`has TLS by curl, and no right password, is denied${curl.note}`, { ignore: curl.ignore }, async () => {
    const args = ["-sS", "--insecure", `smtps://127.0.0.1:${system.ports["submissions"]}`, "--mail-from", demo];
    const more = ["--mail-rcpt", demo, "--upload-file", "-"];
    const { code, stderr } = await runProgram("curl", [...args, "--user", `${demo}:wrong`, ...more], {
      input: "x\r\n",
    });
    assertEquals([code, stderr], [67, "curl: (67) Login denied\n"]);
    await runWell("curl", [...args, "--user", `${demo}:${password}`, ...more], { input: "Subject: curl\r\n\r\nx\r\n" });
    await waitForMailWith(system.home, "\nSubject: curl\n");
  });
});
