/**
 * Other hosts and proxies as clients, over TLS: Postfix, Exim, OpenSSL's client, and Swaks behind a proxy or speaking for
 * one. What they send arrives octet for octet.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";
import { type Made, makeCertificate } from "../lib/tls/openssl.ts";
import { eximNeed, sendByExim } from "../support/exim.ts";
import { setPassword } from "../support/logins.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { Postfix, postfixNeed, postfixSaslNeed } from "../support/postfix.ts";
import { needs, type Run, runProgram, runWell, swaksNeed } from "../support/program.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const demo = "demo@localhost";
const password = "secret";

const small = ".a dot\n..two\n.\nl\xc3\xa4nger " + "x".repeat(900) + "\nlast\n";
/** Some 2 MiB, with a dot at the begin of many a line. */
const large = Array.from({ length: 40_000 }, (_, at) => `${".".repeat(at % 4)}${"\xe9".repeat(at % 97)} ${at}\n`).join(
  "",
);

let [system, sink]: [System, SmtpSink] = [] as never;
const port = (entrance: string): number => system.ports[entrance]!;

/** The message with that subject; checks what its last Received field says. */
async function waitForTaken(subject: string, received: RegExp): Promise<string> {
  const message = await waitForMailWith(system.home, `\nSubject: ${subject}\n`);
  const field = /\nReceived: (from [^\n]+\n {2}by [^\n]+); /.exec(message)?.[1] ?? "";
  assertMatch(field.replace("\n ", ""), received);
  return message;
}

describe("mail of other hosts", () => {
  beforeAll(async () => {
    sink = await startSmtpSink();
    const other = await selfSignedCertificate(["other.example"], Date.now());
    system = await startSystem({
      tls: true,
      controls: {
        listeners: [
          ...["smtp 127.0.0.1:0", "smtp 127.0.0.1:0 proxy", "submission 127.0.0.1:0", "submissions 127.0.0.1:0"],
          ...["submissions 127.0.0.1:0 proxy", ""],
        ].join("\n"),
        // Of these nobody connects; a proxy can speak for them.
        relayclients: "192.0.2.9\n2001:db8::/32\n",
        xclients: "127.0.0.1\n",
        proxyclients: "127.0.0.1\n",
        smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
      },
      prepare: (home) => {
        Deno.mkdirSync(home.control("servercerts/other.example"), { recursive: true });
        Deno.writeTextFileSync(home.control("servercerts/other.example/servercert.pem"), other);
      },
    });
    await setPassword(system, demo, password);
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  describe(`Postfix${postfixNeed.note}`, { ignore: postfixNeed.ignore }, () => {
    let postfix: Postfix;
    beforeAll(async () => {
      postfix = await Postfix.start({ relayhost: `[127.0.0.1]:${port("smtp")}`, smtp_tls_security_level: "encrypt" });
    });
    afterAll(() => postfix?.[Symbol.asyncDispose]());

    it("comes over TLS, small and large", async () => {
      for (const [subject, body] of [["postfix-small", small], ["postfix-large", large]] as const) {
        const since = postfix.log.length;
        const content = `From: amy@a.example\nSubject: ${subject}\n\n${body}`;
        await postfix.send({ from: "amy@a.example", to: [demo], content });
        assertMatch(await postfix.waitForStatus(demo, since), /dsn=2\.0\.0, status=sent \(250 2\.0\.0 ok [0-9]+ qp /);
        const message = await waitForTaken(
          subject,
          /^from postfix\.example \(\[127\.0\.0\.1\]\) by localhost with ESMTPS \(TLSv1\.3 [A-Z0-9_]+\)$/,
        );
        assert(message.endsWith(`\n\n${body}`));
      }
      assertStringIncludes(postfix.log.text(), "TLS connection established to 127.0.0.1");
    });

    it("hears of each recipient by itself", async () => {
      const since = postfix.log.length;
      const to = [demo, "nobody@localhost", "bob@elsewhere.example"];
      await postfix.send({ from: "amy@a.example", to, content: "Subject: postfix-three\n\nx\n" });
      assertStringIncludes(await postfix.waitForStatus(demo, since), "status=sent");
      assertStringIncludes(
        await postfix.waitForStatus("nobody@localhost"),
        "dsn=5.1.1, status=bounced (host 127.0.0.1[127.0.0.1] said: 550 5.1.1 sorry, no mailbox here by that name",
      );
      assertStringIncludes(
        await postfix.waitForStatus("bob@elsewhere.example"),
        "said: 553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts",
      );
    });

    const sasl = postfixSaslNeed;
    for (const [entrance, wrapped] of [["submission", "no"], ["submissions", "yes"]] as const) {
      it(`logs in at ${entrance}, and what its sendmail asks of DSN is kept${sasl.note}`, sasl, async () => {
        const relayhost = `[127.0.0.1]:${port(entrance)}`;
        await using postfix = await Postfix.start({
          relayhost,
          smtp_tls_security_level: "encrypt",
          smtp_tls_wrappermode: wrapped,
          smtp_sasl_auth_enable: "yes",
          smtp_sasl_password_maps: `inline:{{${relayhost} = ${demo}:${password}}}`,
          smtp_sasl_security_options: "noanonymous",
        });
        const subject = `postfix-${entrance}`;
        const since = system.log.length;
        await postfix.send({
          from: demo,
          to: ["demo-dsn@localhost", "bob@r.example"],
          content: `Subject: ${subject}\n\n${small}`,
          options: ["-N", "success,failure", "-R", "hdrs", "-V", `id+${entrance}`],
        });
        assertStringIncludes(await postfix.waitForStatus("bob@r.example"), "status=sent");
        await system.waitForLog(
          (line) => line.startsWith(`qmail-smtpd: login ip=127.0.0.1 user=${demo} `),
          10_000,
          since,
        );
        assert((await waitForTaken(subject, / with ESMTPSA \(TLSv1\.3 /)).endsWith(`\n\n${small}`));
        // Postfix takes -V as xtext: in the clear it is what was said.
        const report = await waitForMailWith(system.home, `\nOriginal-Envelope-Id: id+${entrance}\n`);
        for (
          const text of [
            "\nOriginal-Recipient: rfc822; demo-dsn@localhost\nFinal-Recipient: rfc822; demo-dsn@localhost\n",
            "\nAction: delivered\n",
            "\nContent-Type: text/rfc822-headers\n",
          ]
        ) assertStringIncludes(report, text);
        assert(!report.includes("bob@r.example\nAction:"), report);
        const taken = await waitFor(
          () => sink.taken.find(({ content }) => content.includes(subject)),
          "the relayed copy",
        );
        assertEquals([taken.parameters["RET"], taken.parameters["ENVID"]], ["HDRS", `id+${entrance}`]);
        assertEquals(taken.recipientParameters, [{ NOTIFY: "SUCCESS,FAILURE", ORCPT: "rfc822;bob@r.example" }]);
      });
    }
  });

  it(`Exim comes over TLS in chunks, small and large${eximNeed.note}`, { ignore: eximNeed.ignore }, async () => {
    for (const [subject, body] of [["exim-small", small], ["exim-large", large]] as const) {
      const content = `From: amy@a.example\nSubject: ${subject}\n\n${body}`;
      const log = await sendByExim(port("smtp"), { from: "amy@a.example", to: [demo], content });
      // L: pipelined; K: by BDAT.
      assertMatch(log, / => demo@localhost R=relay .* X=TLS1\.3:.* L K C="250 2\.0\.0 ok [0-9]+ qp /);
      const message = await waitForTaken(
        subject,
        /^from exim\.example \(\[127\.0\.0\.1\]\) by localhost with ESMTPS \(/,
      );
      assert(message.endsWith(`\n\n${body}`), subject);
    }
  });
  it(
    `Exim comes without chunks, and hears of each recipient${eximNeed.note}`,
    { ignore: eximNeed.ignore },
    async () => {
      const content = `Subject: exim-data\n\n${small}`;
      const to = [demo, "nobody@localhost"];
      const log = await sendByExim(port("smtp"), { from: "amy@a.example", to, content }, { hosts_try_chunking: "" });
      assertMatch(log, / => demo@localhost R=relay .* L C="250 2\.0\.0 ok /);
      assertMatch(log, / \*\* nobody@localhost .*: 550 5\.1\.1 sorry, no mailbox here by that name\n/);
      assert((await waitForTaken("exim-data", / with ESMTPS \(/)).endsWith(`\n\n${small}`));
    },
  );

  const openssl = needs(["openssl"]);
  for (const entrance of ["smtp", "submissions"]) {
    for (const version of ["1_2", "1_3"]) {
      it(
        `OpenSSL's client, TLS ${version} at ${entrance}, gets the certificate it asks for${openssl.note}`,
        openssl,
        async () => {
          const starttls = entrance === "smtp" ? ["-starttls", "smtp"] : [];
          const names = [["localhost", "localhost"], ["other.example", "other.example"], ["none.example", "localhost"]];
          for (const [asked, want] of names) {
            const said = await runWell("openssl", [
              ...["s_client", "-connect", `127.0.0.1:${port(entrance)}`, ...starttls, `-tls${version}`],
              ...["-servername", asked!, "-crlf", "-ign_eof"],
            ], { input: "EHLO c.example\nQUIT\n" });
            assertMatch(said, new RegExp(`^subject=CN = ${want}$`, "m"));
            assertMatch(said, new RegExp(`^New, TLSv${version.replace("_", "\\.")}, Cipher is `, "m"));
            assertStringIncludes(said, "\n250-REQUIRETLS\r\n");
            assertStringIncludes(said, "\n221 2.0.0 localhost\r\n");
          }
        },
      );
    }
  }
  it(`OpenSSL's client is refused TLS 1.1${openssl.note}`, openssl, async () => {
    const args = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    const connect = ["s_client", "-connect", `127.0.0.1:${port("submissions")}`];
    const { code, stdout } = await runProgram("openssl", [...connect, ...args], { input: "" });
    assertEquals(code, 1);
    assertStringIncludes(stdout, "New, (NONE), Cipher is (NONE)");
  });

  const swaks = (where: number, subject: string, more: readonly string[]): Promise<Run> =>
    runProgram("swaks", [
      ...["--server", "127.0.0.1", "--port", `${where}`, "--helo", "swaks.example", "--from", "amy@a.example"],
      ...["--to", demo, "--header", `Subject: ${subject}`, "--body", "x", ...more],
    ]);
  const sendBySwaks = async (where: number, subject: string, more: readonly string[]) => {
    const { code, stdout } = await swaks(where, subject, more);
    assertEquals(code, 0, stdout);
  };
  describe(`Swaks${swaksNeed.note}`, { ignore: swaksNeed.ignore }, () => {
    it("speaks for another client by XCLIENT, from an address in control/xclients, before TLS and within", async () => {
      const xclient = ["--xclient-addr", "192.0.2.9", "--xclient-name", "far.example", "--xclient-helo", "h.example"];
      for (const tls of [[], ["--tls"]]) {
        const subject = `xclient${tls.length}`;
        await sendBySwaks(port("smtp"), subject, [...xclient, ...tls, "--to", "bob@r.example"]);
        // It may relay, as 192.0.2.9 may.
        const { content } = await waitFor(
          () => sink.taken.find(({ content }) => content.includes(`Subject: ${subject}`)),
          "the relayed message",
        );
        assertMatch(
          content,
          /\nReceived: from swaks\.example \(far\.example \[192\.0\.2\.9\]\)\r\n {2}by localhost with ESMTP/,
        );
      }
      await sendBySwaks(port("smtp"), "xclient-v6", ["--xclient", "ADDR=IPV6:2001:DB8::7 NAME=[UNAVAILABLE]"]);
      await waitForTaken("xclient-v6", /^from swaks\.example \(\[IPv6:2001:db8::7\]\) by localhost with ESMTP$/);
    });

    it("is refused XCLIENT from another address", async () => {
      const more = ["--local-interface", "127.0.0.2", "--xclient", "ADDR=192.0.2.9"];
      const { code, stderr } = await swaks(port("smtp"), "refused", more);
      assertEquals([code, stderr], [33, "*** Host did not advertise XCLIENT\n"]);
      using client = await SmtpClient.connect(port("smtp"), { localAddress: "127.0.0.2" });
      assertEquals((await client.command("XCLIENT ADDR=192.0.2.9")).code, 550);
    });

    const source = ["--proxy-source-port", "9", "--proxy-dest-port", "25"];
    const v4 = ["--proxy-source", "192.0.2.9", "--proxy-dest", "192.0.2.1", ...source];
    const v6 = ["--proxy-source", "2001:db8::7", "--proxy-dest", "2001:db8::1", ...source];
    const proxies: readonly (readonly [name: string, options: readonly string[], client: string])[] = [
      ["v1 TCP4", ["--proxy-version", "1", "--proxy-family", "TCP4", ...v4], "192.0.2.9"],
      ["v1 TCP6", ["--proxy-version", "1", "--proxy-family", "TCP6", ...v6], "2001:db8::7"],
      [
        "v2 TCP4",
        ["--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", ...v4],
        "192.0.2.9",
      ],
      [
        "v2 TCP6",
        ["--proxy-version", "2", "--proxy-family", "AF_INET6", "--proxy-protocol", "STREAM", ...v6],
        "2001:db8::7",
      ],
    ];
    for (const [name, options, client] of proxies) {
      it(`speaks for another client by PROXY ${name}, before STARTTLS and before TLS`, async () => {
        const tag = name.replace(" ", "-");
        const command = name.startsWith("v2") ? ["--proxy-command", "PROXY"] : [];
        const from = new RegExp(
          `^from swaks\\.example \\(\\[${
            client.includes(":") ? "IPv6:" : ""
          }${client}\\]\\) by localhost with ESMTPSA? \\(`,
        );
        await sendBySwaks(port("smtp2"), tag, [...options, ...command, "--tls"]);
        await waitForTaken(tag, from);
        const login = ["--auth", "PLAIN", "--auth-user", demo, "--auth-password", password, "--from", demo];
        await sendBySwaks(port("submissions2"), `${tag}-tls`, [...options, ...command, "--tls-on-connect", ...login]);
        await waitForTaken(`${tag}-tls`, from);
        await system.waitForLog((line) => line.startsWith(`auth: login ip=${client} login=${demo} `));
      });
    }

    it("gets no word without a header at a listener for proxies, or with one from another address", async () => {
      const since = system.log.length;
      const plain = await Deno.connect({ port: port("smtp2") });
      await plain.write(new TextEncoder().encode("EHLO client.example\r\n"));
      assertEquals(await new Response(plain.readable).text(), "");
      const [, v1] = proxies[0]!;
      const stranger = await swaks(port("smtp2"), "none", [...v1, "--local-interface", "127.0.0.2"]);
      assertEquals([stranger.code, stranger.stdout.includes("220")], [6, false], stranger.stdout);
      await system.waitForLog(
        (line) => line === "qmail-smtpd: closed ip=127.0.0.1 reason=proxy-no-header",
        10_000,
        since,
      );
      await system.waitForLog((line) => line === "qmail-smtpd: closed ip=127.0.0.2 reason=no-proxy", 10_000, since);
    });

    it("is no proxy at a listener for others: the header is a command nobody knows", async () => {
      const [, v1] = proxies[0]!;
      const { code, stdout } = await swaks(port("smtp"), "none", v1);
      assert(code !== 0);
      assertMatch(stdout, /<\*\* 5[0-9][0-9] /);
    });
  });

  it(`a client may show a certificate of control/clientca.pem, and need not${openssl.note}`, openssl, async () => {
    const [ca, mine, strange] = [
      makeCertificate({ name: "our authority" }),
      makeCertificate({ name: "client.example" }),
      makeCertificate({ name: "stranger.example" }),
    ];
    const signed = makeCertificate({ name: "client.example", by: ca });
    system.writeControl("clientca.pem", ca.cert + mine.cert);
    assertEquals(await system.reload(), []);
    const connect = async (shown?: Made): Promise<string> => {
      const path = `${system.baseDir}/client.pem`;
      if (shown !== undefined) Deno.writeTextFileSync(path, shown.cert + shown.key);
      const since = system.log.length;
      const args = ["s_client", "-connect", `127.0.0.1:${port("smtp")}`, "-starttls", "smtp", "-crlf", "-ign_eof"];
      await runProgram("openssl", [...args, ...shown === undefined ? [] : ["-cert", path]], { input: "QUIT\n" });
      return await system.waitForLog((line) => line.startsWith("qmail-smtpd: tls"), 10_000, since);
    };
    for (const shown of [signed, mine]) assertStringIncludes(await connect(shown), " client=");
    // Nobody's certificate tells no more than none.
    for (const shown of [undefined, strange]) {
      assertMatch(await connect(shown), /^qmail-smtpd: tls ip=127\.0\.0\.1 protocol=TLSv1\.3 cipher=[A-Z0-9_]+$/);
    }
  });

  it(
    `a reload changes the certificate of who comes then, and ends nobody's session${openssl.note}`,
    openssl,
    async () => {
      const file = system.home.control("servercert.pem");
      const caCerts = [Deno.readTextFileSync(file).replace(/-----BEGIN PRIVATE[^]*/, "")];
      const before = await Deno.connectTls({ hostname: "localhost", port: port("submissions"), caCerts });
      system.writeControl("servercert.pem", await selfSignedCertificate(["localhost", "new.example"], Date.now()));
      assertEquals(await system.reload(), []);
      // The reload is answered before qmail-smtpd has read its files.
      const error = await waitFor(async () => {
        try {
          using conn = await Deno.connectTls({ hostname: "localhost", port: port("submissions"), caCerts });
          await conn.handshake();
          return undefined;
        } catch (error) {
          return error;
        }
      }, "a certificate that is not trusted");
      assertStringIncludes(String(error), "invalid peer certificate");
      await before.write(new TextEncoder().encode("EHLO c.example\r\nQUIT\r\n"));
      const said = await new Response(before.readable).text();
      assertMatch(said, /^220 [^]*\r\n250 ENHANCEDSTATUSCODES\r\n221 2\.0\.0 localhost\r\n$/);
    },
  );
});
