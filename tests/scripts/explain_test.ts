/**
 * `deno task explain`: on a home at rest, and beside a server that runs, whose own answers must be the same.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { homeAt } from "../../config/home.ts";
import type { Explanation } from "../../scripts/explain/explain.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { makeBaseDir, startSystem, type System } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly ip?: string;
  readonly more?: readonly string[];
}

function run(home: string, { from = "amy@sender.example", to = "joe@localhost", ip = "192.0.2.7", more = [] }: Asked) {
  return runTask("explain", ["--home", home, "--from", from, "--to", to, "--ip", ip, ...more]);
}

function explanationOf({ stdout }: TaskResult): Explanation {
  return JSON.parse(stdout) as Explanation;
}

describe("deno task explain, on a home at rest", () => {
  let base: string;
  const home = () => join(base, "h");
  const control = (file: string, text: string) => Deno.writeTextFileSync(homeAt(home()).control(file), text);

  beforeEach(() => {
    base = makeBaseDir();
    Deno.mkdirSync(homeAt(home()).control(""), { recursive: true });
    control("me", "localhost\n");
    control("rcpthosts", "localhost\n");
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  it("ends with 1 and names the rule where one refuses, whoever could not be asked", async () => {
    const result = await run(home(), { to: "joe@evil.example" });
    assertEquals(result.code, 1);
    assertMatch(result.stdout, /^rcpt +relay +refuses: 553 5\.7\.1 /m);
    assertMatch(result.stdout, /^Refused at rcpt by relay: 553 5\.7\.1 /m);
  });

  it("ends with 111 and says who could not be asked", async () => {
    const result = await run(home(), {});
    assertEquals(result.code, 111);
    assertStringIncludes(result.stdout, "Could not be asked: mailbox joe@localhost (qmail-getpw: does not run)");
  });

  it("ends with 0 where nobody has to be asked", async () => {
    control("relayclients", "192.0.2.0/24\n");
    const result = await run(home(), { to: "joe@b.example" });
    assertEquals([result.code, result.stdout.trimEnd().split("\n").at(-1)], [0, "Accepted: 250 2.1.5 ok"]);
  });

  it("goes by the order of control/policy", async () => {
    control("badmailfrom", "@sender.example\n");
    control("badrcptto", "joe@localhost\n");
    const ruleWith = async (order: string) => {
      control("policy", order);
      return explanationOf(await run(home(), { more: ["--json"] })).answer.rule;
    };
    assertEquals(await ruleWith("relay\nbadmailfrom\nbadrcptto\n"), "badmailfrom");
    assertEquals(await ruleWith("relay\nbadrcptto\nbadmailfrom\n"), "badrcptto");
  });

  it("reads tcp.smtp: who is denied, and what is set", async () => {
    control("tcp.smtp", '192.0.2.:deny\n198.51.100.:allow,RELAYCLIENT="",RBLSMTPD="go away"\n');
    const denied = explanationOf(await run(home(), { more: ["--json"] }));
    assertEquals(denied.answer, { kind: "refuse", stage: "connect", reply: "", rule: "tcp.smtp", drops: true });
    const result = await run(home(), { ip: "198.51.100.1", to: "joe@b.example", more: ["--json"] });
    assertEquals([result.code, explanationOf(result).client], [0, {
      ip: "198.51.100.1",
      relaying: true,
      environment: ["RELAYCLIENT=", "RBLSMTPD=go away"],
    }]);
  });

  it("runs no program, counts nothing and keeps nothing", async () => {
    control("greylist", "300\n");
    control("ratelimits", "client 1/h\n");
    control("rcptcheck", "/bin/false\n");
    control("smtpplugins", "[rcpt]\n:echo E550 no\n");
    const { unasked, answer } = explanationOf(await run(home(), { more: ["--json"] }));
    assertEquals(answer.kind, "unsure");
    assertEquals(unasked.map((line) => line.replace(/ .*/, "")), [
      "count",
      "plug-ins",
      "mailbox",
      "RCPTCHECK",
      "greylist",
    ]);
  });

  it("knows entrances and logins", async () => {
    const at = async (...more: string[]) =>
      explanationOf(await run(home(), { from: "amy@localhost", to: "joe@b.example", more: ["--json", ...more] }))
        .answer;
    assertEquals((await at("--entrance", "submission")).rule, "login");
    assertEquals((await at("--entrance", "submission", "--login", "amy")).kind, "accept");
    assertEquals((await at("--entrance", "submission", "--login", "joe")).rule, "senderlogin");
    assertEquals((await at("--entrance", "lmtp")).rule, "relay");
  });

  it("says what is malformed in a control file, and that it cannot say more", async () => {
    control("policy", "relay\nevery-rule\n");
    const result = await run(home(), {});
    assertEquals([result.code, result.stdout], [111, ""]);
    assertStringIncludes(result.stderr, 'Cannot read control file "policy": expected one rule a line');
  });

  const wrong: readonly Asked[] = [
    { from: "nobody" },
    { from: "a@b.example> SIZE=1" },
    { to: "" },
    { to: "a@b\r\nRCPT TO:<c@d>" },
    { ip: "localhost" },
    { more: ["--entrance", "pop3"] },
  ];
  for (const asked of wrong) {
    it(`refuses ${JSON.stringify(asked)}`, async () => {
      const result = await run(home(), asked);
      assertEquals([result.code, result.stdout], [100, ""]);
      assertMatch(result.stderr, /^(?:deno task explain: )?--[a-z]+: /);
    });
  }

  it("takes the null sender, and shows a terminal only text", async () => {
    control("rejectnullsenders", "1\n");
    const result = await run(home(), { from: "", more: ["--helo", "\x1b]0;x\x07"] });
    assertEquals(result.code, 1);
    assertMatch(result.stdout, /^Refused at rcpt by nullsender: 451 /m);
    assertMatch(result.stdout, /^[\n -~]*$/);
  });
});

describe("deno task explain, beside a server that runs", () => {
  let system: System;
  let dns: DnsServer;

  beforeAll(async () => {
    dns = await startDnsServer({
      "1.0.0.127.bl.example A": ["127.0.0.2"],
      "null.example MX": [{ preference: 0, exchange: "." }],
      "good.example MX": [{ preference: 10, exchange: "mx.good.example" }],
    });
    system = await startSystem({
      controls: {
        relayclients: "",
        nameservers: `127.0.0.1:${dns.port}\n`,
        mfdnscheck: "1\n",
        badmailfrom: "@bad.example\n",
        dnsbllist: "-bl.example submission\n",
        rejectrelaytest: "1\n",
      },
    });
  });
  afterAll(async () => {
    await system?.stop();
    await dns?.stop();
  });

  const rows: { name: string; from: string; to: string; code: number; reply: string }[] = [
    { name: "a mailbox that is there", from: "a@good.example", to: "demo@localhost", code: 0, reply: "250" },
    { name: "a mailbox that is not", from: "a@good.example", to: "nobody@localhost", code: 1, reply: "550 5.1.1" },
    { name: "somebody else's domain", from: "a@good.example", to: "a@b.example", code: 1, reply: "553 5.7.1" },
    { name: "a bad sender", from: "a@bad.example", to: "demo@localhost", code: 1, reply: "553 5.7.1" },
    { name: "a sender that takes no mail", from: "a@null.example", to: "demo@localhost", code: 1, reply: "550 5.7.27" },
    { name: "a sender from nowhere", from: "a@none.example", to: "demo@localhost", code: 1, reply: "553 5.1.8" },
    { name: "the null sender", from: "", to: "demo@localhost", code: 0, reply: "250" },
    { name: "a relay probe", from: "", to: "a%b.example@localhost", code: 1, reply: "553 5.7.1" },
  ];
  for (const { name, from, to, code, reply } of rows) {
    it(`says of ${name} what the server says`, async () => {
      const result = await run(system.home.dir, { from, to, ip: "127.0.0.1", more: ["--json"] });
      const { answer } = explanationOf(result);
      assertEquals([result.code, answer.reply.startsWith(reply)], [code, true], result.stdout + result.stderr);
      using client = await SmtpClient.connect(system.ports["smtp"]!);
      await client.command(`MAIL FROM:<${from}>`);
      const { code: said, lines } = await client.command(`RCPT TO:<${to}>`);
      assertEquals(`${said} ${lines.join("\n")}`, answer.reply);
    });
  }
});
