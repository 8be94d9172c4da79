/**
 * Mail handed in by programs that people use, over STARTTLS and TLS, by the mechanisms they know: what they send arrives
 * octet for octet.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import nodemailer from "nodemailer";
import { toOctets, utf8Octets } from "../../components/lib/octets.ts";
import { keepPassword, setPassword } from "../support/logins.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { findProgram, needs, runWell, swaksNeed } from "../support/program.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { checkout, startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

interface Login {
  readonly mailbox: string;
  readonly password: string;
}

const demo: Login = { mailbox: "demo@localhost", password: "pass word:%" };
/** CRAM-MD5 needs a password that is kept as it is. */
const carol: Login = { mailbox: "carol@localhost", password: "sesame" };

const body = ".a dot\n..two\n.\nl\xc3\xa4nger " + "x".repeat(900) + "\nlast\n";

/** A message that lacks nothing, so that nothing is added to it. */
function letter(subject: string, from: string): string {
  const fields = [
    `From: ${from}`,
    `To: ${demo.mailbox}`,
    `Subject: ${subject}`,
    "Date: Mon, 2 Mar 2026 10:00:00 +0100",
    `Message-ID: <${subject}@client.example>`,
  ];
  return `${fields.join("\n")}\n\n${body}`;
}

/** What a test sends, and how. */
interface Sending {
  /** Lines end in LF. */
  readonly text: string;
  /** A file of it with CRLF. */
  readonly path: string;
}

interface Client {
  readonly name: string;
  readonly program: string;
  /** Undefined: whichever it likes. */
  readonly mechanism?: string;
  readonly login?: Login;
  readonly send: (sending: Sending) => Promise<unknown>;
}

let [system, sink]: [System, SmtpSink] = [] as never;
let [submission, submissions] = [0, 0];

const starttls = () => ["--port", `${submission}`, "--tls"];
const implicit = () => ["--port", `${submissions}`, "--tls-on-connect"];

const swaks = ({ path }: Sending, more: readonly string[], { mailbox, password } = demo) =>
  runWell("swaks", [
    ...["--server", "127.0.0.1", "--helo", "swaks.example", "--to", demo.mailbox, "--data", `@${path}`],
    ...["--from", mailbox, "--auth-user", mailbox, "--auth-password", password, ...more],
  ]);

/** As curl and others verify our host: by its self-signed certificate. */
const certificate = () => system.home.control("servercert.pem");

const curl = ({ path }: Sending, scheme: "smtp" | "smtps", mechanism?: string) => {
  const port = scheme === "smtps" ? submissions : submission;
  return runWell("curl", [
    ...["-sS", "--cacert", certificate(), "--ssl-reqd", `${scheme}://localhost:${port}/curl.example`],
    ...["--resolve", `localhost:${port}:127.0.0.1`],
    ...mechanism === undefined ? [] : ["--login-options", `AUTH=${mechanism}`],
    ...["--user", `${demo.mailbox}:${demo.password}`, "--mail-from", demo.mailbox, "--mail-rcpt", demo.mailbox],
    ...["--upload-file", path],
  ]);
};

const smtplib = (text: string, kind: "starttls" | "tls", mechanism: string, login = demo, to = demo.mailbox) => {
  const program = `${checkout}/tests/system/submission_client.py`;
  const port = kind === "tls" ? submissions : submission;
  const args = [program, `${port}`, kind, certificate(), login.mailbox, login.password, to, mechanism];
  return runWell("python3", args, { input: text.replaceAll("\n", "\r\n") });
};

const msmtp = ({ text }: Sending, port: number, more: readonly string[]) =>
  runWell("msmtp", [
    ...[
      "--host=localhost",
      `--port=${port}`,
      "--tls=on",
      `--tls-trust-file=${certificate()}`,
      `--user=${demo.mailbox}`,
    ],
    ...[`--passwordeval=printf %s '${demo.password}'`, "-f", demo.mailbox, ...more, demo.mailbox],
  ], { input: text, env: { HOME: system.baseDir } });

/** What msmtp would choose by itself; nothing where it is not there. */
function strongestOfMsmtp(): string {
  const path = findProgram("msmtp");
  if (path === undefined) return "";
  const { stdout } = new Deno.Command(path, { args: ["--version"], stdin: "null" }).outputSync();
  const words = new TextDecoder().decode(stdout).split(/\s+/);
  // Until 1.8.26 it prefers PLAIN where there is TLS.
  const version = words[words.indexOf("version") + 1]!.split(".").map(Number);
  const isOlder = version[0]! * 1e6 + version[1]! * 1e3 + version[2]! < 1_008_026;
  return isOlder || !words.includes("scram-sha-256") ? "PLAIN" : "SCRAM-SHA-256";
}

/** What control/smtpauth offers where it is absent. */
const usual: readonly Client[] = [
  ...["PLAIN", "LOGIN"].map((mechanism): Client => ({
    name: `swaks, STARTTLS, AUTH ${mechanism}`,
    program: "swaks",
    mechanism,
    send: (sending) => swaks(sending, [...starttls(), "--auth", mechanism]),
  })),
  {
    name: "swaks, TLS, pipelining",
    program: "swaks",
    mechanism: "PLAIN",
    send: (sending) => swaks(sending, [...implicit(), "--pipeline", "--auth", "PLAIN"]),
  },
  {
    name: "curl, smtp:// with STARTTLS",
    program: "curl",
    mechanism: "PLAIN",
    send: (sending) => curl(sending, "smtp", "PLAIN"),
  },
  {
    name: "curl, smtps://",
    program: "curl",
    mechanism: "LOGIN",
    send: (sending) => curl(sending, "smtps", "LOGIN"),
  },
  {
    name: "Python's smtplib, STARTTLS",
    program: "python3",
    mechanism: "PLAIN",
    send: ({ text }) => smtplib(text, "starttls", "PLAIN"),
  },
  {
    name: "Python's smtplib, TLS",
    program: "python3",
    mechanism: "LOGIN",
    send: ({ text }) => smtplib(text, "tls", "LOGIN"),
  },
  {
    name: "msmtp, STARTTLS",
    program: "msmtp",
    mechanism: "SCRAM-SHA-256",
    send: (sending) => msmtp(sending, submission, ["--auth=scram-sha-256"]),
  },
  {
    name: "msmtp, TLS, the mechanism left to it",
    program: "msmtp",
    mechanism: strongestOfMsmtp(),
    send: (sending) => msmtp(sending, submissions, ["--auth=on", "--tls-starttls=off"]),
  },
  {
    name: "swaks, STARTTLS, the mechanism left to it",
    program: "swaks",
    send: (sending) => swaks(sending, [...starttls(), "--auth"]),
  },
  {
    name: "curl, STARTTLS, the mechanism left to it",
    program: "curl",
    send: (sending) => curl(sending, "smtp"),
  },
];

/** What is offered where it says so. */
const named = "scram-sha-256-plus scram-sha-256 cram-md5 plain login";
const unusual: readonly Client[] = [
  {
    name: "swaks, TLS, AUTH CRAM-MD5",
    program: "swaks",
    mechanism: "CRAM-MD5",
    login: carol,
    send: (sending) => swaks(sending, [...implicit(), "--auth", "CRAM-MD5"], carol),
  },
  {
    name: "Python's smtplib, TLS, AUTH CRAM-MD5",
    program: "python3",
    mechanism: "CRAM-MD5",
    login: carol,
    send: ({ text }) => smtplib(text, "tls", "CRAM-MD5", carol),
  },
  ...(["starttls", "tls"] as const).map((kind): Client => ({
    name: `Python's smtplib, ${kind}, SCRAM-SHA-256-PLUS bound to the certificate`,
    program: "python3",
    mechanism: "SCRAM-SHA-256-PLUS",
    send: ({ text }) => smtplib(text, kind, "SCRAM-SHA-256-PLUS"),
  })),
];

/** Whether somebody logged in from the `since`th line on. */
function waitForLogin(mailbox: string, mechanism: string | undefined, since: number): Promise<string> {
  const want = `qmail-smtpd: login ip=127.0.0.1 user=${mailbox} mechanism=`;
  const isIt = (line: string) => mechanism === undefined ? line.startsWith(want) : line === want + mechanism;
  return system.waitForLog(isIt, 10_000, since);
}

/** A message as it came from a client that had logged in over TLS. */
async function waitForSubmitted(subject: string, from = demo.mailbox, mailbox?: string): Promise<string> {
  const message = await waitForMailWith(system.home, `\nSubject: ${subject}\n`, mailbox);
  assert(message.startsWith(`Return-Path: <${from}>\n`), message);
  assertMatch(message, /\n {2}by localhost with (UTF8SMTP|ESMTP)SA \(TLSv1\.[23] [A-Z0-9_-]+\); /);
  return message;
}

describe("mail submitted with", () => {
  beforeAll(async () => {
    sink = await startSmtpSink();
    system = await startSystem({
      tls: true,
      controls: {
        listeners: "submission 127.0.0.1:0\nsubmissions 127.0.0.1:0\n",
        relayclients: undefined,
        smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
      },
    });
    submission = system.ports["submission"]!;
    submissions = system.ports["submissions"]!;
    await setPassword(system, demo.mailbox, demo.password);
    await setPassword(system, carol.mailbox, carol.password);
    keepPassword(system, carol.mailbox, carol.password);
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  const itArrives = ({ name, program, mechanism, login = demo, send }: Client) => {
    const { ignore, note } = program === "swaks" ? swaksNeed : needs([program]);
    it(`${name} arrives octet for octet${note}`, { ignore }, async () => {
      const subject = name.replaceAll(/[^a-z0-9]+/gi, "-");
      const path = `${system.baseDir}/${subject}`;
      const text = letter(subject, login.mailbox);
      // swaks ends the last line itself.
      const sent = program === "swaks" ? text.slice(0, -1) : text;
      Deno.writeFileSync(path, toOctets(sent.replaceAll("\n", "\r\n")));
      const since = system.log.length;
      await send({ text, path });
      const message = await waitForSubmitted(subject, login.mailbox);
      assert(message.endsWith(` +0000\n${text}`), message);
      await waitForLogin(login.mailbox, mechanism, since);
    });
  };
  for (const client of usual) itArrives(client);

  const nodemailerOver = (secure: boolean) =>
    nodemailer.createTransport({
      host: "127.0.0.1",
      port: secure ? submissions : submission,
      secure,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      auth: { user: demo.mailbox, pass: demo.password },
    });

  for (const [kind, secure] of [["STARTTLS", false], ["TLS", true]] as const) {
    it(`nodemailer, ${kind}, arrives here and elsewhere, with what it asks of DSN`, async () => {
      const transport = nodemailerOver(secure);
      const subject = `nodemailer ${kind}`;
      try {
        const { accepted } = await transport.sendMail({
          from: demo.mailbox,
          to: ["demo-node@localhost", "bob@r.example"],
          subject,
          text: "Gr\u00fc\u00dfe\n.\n",
          dsn: { id: `id ${kind}`, return: "headers", notify: ["success", "failure"], recipient: "bob@r.example" },
        });
        assertEquals(accepted, ["demo-node@localhost", "bob@r.example"]);
      } finally {
        transport.close();
      }
      assertStringIncludes(await waitForSubmitted(subject), "\nDelivered-To: demo-node@localhost\n");
      // Our host reports what it delivered; the next one, which offers DSN, is told what to report of the rest.
      const report = await waitForMailWith(system.home, `\nOriginal-Envelope-Id: id ${kind}\n`);
      assertStringIncludes(report, "\nFinal-Recipient: rfc822; demo-node@localhost\nAction: delivered\n");
      assert(!report.includes("Final-Recipient: rfc822; bob@r.example"), report);
      const taken = await waitFor(
        () => sink.taken.find(({ content }) => content.includes(subject)),
        "the relayed copy",
      );
      assertEquals([taken.sender, taken.recipients], [demo.mailbox, ["bob@r.example"]]);
      assertEquals([taken.parameters["RET"], taken.parameters["ENVID"]], ["HDRS", `id ${kind}`]);
      assertEquals(taken.recipientParameters, [{ NOTIFY: "SUCCESS,FAILURE", ORCPT: "rfc822;bob@r.example" }]);
    });
  }

  const python = needs(["python3"]);
  it(
    `Python's smtplib, to an address beyond ASCII, arrives by SMTPUTF8${python.note}`,
    { ignore: python.ignore },
    async () => {
      const to = "demo-gr\u00fc\u00dfe@localhost";
      const text = utf8Octets(`From: ${demo.mailbox}\nTo: ${to}\nSubject: utf8\nX-\u00dc: \u00fc\n\n.\u00e4\n`);
      await smtplib(text, "tls", "PLAIN", demo, to);
      const message = await waitForSubmitted("utf8");
      assertStringIncludes(message, utf8Octets(`\nDelivered-To: ${to}\n`));
      assertMatch(message, /\n {2}by localhost with UTF8SMTPSA /);
      assert(message.endsWith(utf8Octets("\n\n.\u00e4\n")), message);
    },
  );

  const mutt = needs(["mutt"]);
  for (const kind of ["STARTTLS", "TLS"]) {
    it(`mutt, ${kind}, the mechanism left to it, arrives${mutt.note}`, { ignore: mutt.ignore }, async () => {
      const [scheme, port] = kind === "TLS" ? ["smtps", submissions] : ["smtp", submission];
      const rc = `${system.baseDir}/muttrc`;
      const settings = {
        smtp_url: `${scheme}://${encodeURIComponent(demo.mailbox)}@127.0.0.1:${port}/`,
        smtp_pass: demo.password,
        ssl_starttls: "yes",
        ssl_force_tls: "yes",
        ssl_verify_host: "no",
        certificate_file: system.home.control("servercert.pem"),
        from: demo.mailbox,
        use_envelope_from: "yes",
        hostname: "mutt.example",
        record: "",
      };
      Deno.writeTextFileSync(
        rc,
        Object.entries(settings).map(([name, value]) => `set ${name}="${value}"\n`).join(""),
      );
      const since = system.log.length;
      await runWell("mutt", ["-n", "-F", rc, "-s", `mutt ${kind}`, demo.mailbox], {
        input: ".hello\n",
        env: { HOME: system.baseDir },
      });
      assert((await waitForSubmitted(`mutt ${kind}`)).endsWith("\n\n.hello\n"));
      await waitForLogin(demo.mailbox, "SCRAM-SHA-256", since);
    });
  }

  describe(`control/smtpauth with ${named}, and`, () => {
    beforeAll(async () => {
      system.writeControl("smtpauth", `${named}\n`);
      assertEquals(await system.reload(), []);
    });
    for (const client of unusual) itArrives(client);
  });
});
