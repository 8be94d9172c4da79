/**
 * control/listeners in a whole system: every entrance with its mail, several processes on one port, and what a reload
 * brings and takes away.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { describe, it } from "@std/testing/bdd";
import { codes, encrypted, submit, talk } from "../support/dialogue.ts";
import { freePort } from "../support/free_port.ts";
import { waitForMail, waitForMailWith } from "../support/maildir.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const admin = "admin 127.0.0.1:0\n";

const mail = (subject: string) => [
  "MAIL FROM:<demo@localhost>",
  "RCPT TO:<demo@localhost>",
  "DATA",
  `Subject: ${subject}\r\n\r\nx\r\n.`,
];

const plain = `AUTH PLAIN ${btoa("\0demo@localhost\0secret")}`;

async function giveDemoAPassword(system: System): Promise<void> {
  const args = ["passwd", "demo@localhost", "--password-stdin", "--home", system.home.dir];
  const { code, stderr } = await runTask("user", args, { input: "secret\n" });
  assertEquals([code, stderr], [0, ""]);
}

describe("mail comes in", () => {
  it("over LMTP on a Unix socket below the home, in the account of qmail-smtpd", async () => {
    await using system = await startSystem({ controls: { listeners: `lmtp unix:lmtp/s\n${admin}` } });
    const path = system.home.run("lmtp", "s");
    const { pid } = await system.component("qmail-smtpd");
    const { uid, mode } = Deno.statSync(path);
    assertEquals([uid, mode! & 0o777], [statusNumbers(pid!, "Uid")[0], 0o660]);
    assertStringIncludes(system.log.text(), `  LMTP       ${path}\n`);
    assertEquals(codes(await talk(connect(path), ["LHLO c.example", ...mail("by LMTP"), "QUIT"])), [
      "220",
      "250",
      "250",
      "250",
      "354",
      "250",
      "221",
    ]);
    assertMatch((await waitForMail(system.home))[0]!, /with LMTP; .*\nSubject: by LMTP\n/s);
  });

  it("behind a proxy, as from the client that its header names", async () => {
    const controls = { listeners: `smtp 127.0.0.1:0 proxy\n${admin}`, proxyclients: "127.0.0.1\n" };
    await using system = await startSystem({ controls });
    const socket = connect(system.ports["smtp"]!, "127.0.0.1");
    socket.write("PROXY TCP4 192.0.2.7 192.0.2.8 4000 25\r\n");
    assertEquals(codes(await talk(socket, ["EHLO c.example", ...mail("proxied")])).at(-1), "250");
    assertMatch((await waitForMail(system.home))[0]!, /\nReceived: from c\.example \(\[192\.0\.2\.7\]\)\n/);
  });
});

describe("mail is submitted", () => {
  it("by who has logged in, over STARTTLS and over TLS from the first octet, with what an embedded default has", async () => {
    const listeners = `smtp 127.0.0.1:0\nsubmission 127.0.0.1:0\nsubmissions 127.0.0.1:0\n${admin}`;
    const controls = { me: undefined, rcpthosts: undefined, relayclients: undefined, listeners };
    await using system = await startSystem({ controls });
    await giveDemoAPassword(system);
    const { submission, submissions } = system.ports;
    const said = system.log.text();
    assertStringIncludes(said, `  submission 127.0.0.1:${submission}\n  submissions 127.0.0.1:${submissions}\n`);

    assertEquals(await submit(submission!, ["EHLO c.example", "MAIL FROM:<demo@localhost>"]), ["250", "530"]);
    const login = ["EHLO c.example", plain];
    const taken = ["250", "235", "250", "250", "354", "250"];
    assertEquals(await submit(submission!, [...login, ...mail("by STARTTLS")]), taken);
    assertMatch(
      await waitForMailWith(system.home, "\nSubject: by STARTTLS\n"),
      /with ESMTPSA \(TLSv1\.[23] .*\nMessage-ID: </is,
    );

    const secured = await encrypted(connect(submissions!, "127.0.0.1"));
    assertEquals(codes(await talk(secured, [...login, ...mail("by TLS")])), ["220", ...taken]);
    assertMatch(await waitForMailWith(system.home, "\nSubject: by TLS\n"), /with ESMTPSA \(TLSv1\.[23] /);

    // Not as somebody else, nor with another password, nor in the clear.
    const other = ["EHLO c.example", plain, "MAIL FROM:<postmaster@localhost>"];
    assertEquals(await submit(submission!, other), ["250", "235", "553"]);
    const wrong = `AUTH PLAIN ${btoa("\0demo@localhost\0guessed")}`;
    assertEquals(await submit(submission!, ["EHLO c.example", wrong]), ["250", "535"]);
    const clear = codes(await talk(connect(submission!, "127.0.0.1"), login));
    assertEquals(clear, ["220", "250", "538"]);
  });
});

/** Process ids by component. */
async function pids(system: System): Promise<Map<string, number | undefined>> {
  const { components } = await system.waitUntilReady();
  return new Map(components.filter(({ state }) => state === "running").map(({ name, pid }) => [name, pid]));
}

async function change(
  system: System,
  files: Readonly<Record<string, string>>,
): Promise<Map<string, number | undefined>> {
  for (const [file, text] of Object.entries(files)) system.writeControl(file, text);
  assertEquals(await system.reload(), []);
  return await pids(system);
}

function changedBetween(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

describe("a reload", () => {
  it("starts a component that a new listener needs, and stops it when the listener goes", async () => {
    await using system = await startSystem({ controls: { idleseconds: "0\n" } });
    const smtp = system.ports["smtp"]!;
    const at = `smtp 127.0.0.1:${smtp}\n`;
    const first = await change(system, { listeners: `${at}${admin}` });
    assertEquals(first.has("auth"), false);
    using client = await SmtpClient.connect(smtp);

    // The new port is a new grant for qmail-smtpd: whoever is connected is told to come again.
    const port = freePort();
    const second = await change(system, { listeners: `${at}submission 127.0.0.1:${port}\n${admin}` });
    assertEquals(changedBetween(first, second), ["auth", "qmail-smtpd"]);
    assertEquals((await client.reply()).code, 421);
    assertEquals((await system.component("qmail-smtpd")).ports, { smtp, submission: port });
    assert(system.log.text().includes("needed component=auth"));

    const third = await change(system, { listeners: `${at}${admin}` });
    await waitFor(async () => !(await pids(system)).has("auth"), "the end of auth");
    assertEquals(changedBetween(second, third).filter((name) => name !== "auth"), ["qmail-smtpd"]);
    assert(system.log.text().includes("not-needed component=auth"));
    assertEquals(
      Array.from(Deno.readDirSync(system.home.libexec("grants")), ({ name }) => name).includes("auth"),
      false,
    );
    // Who comes in the instant in which the old one closes its port may be reset.
    await waitFor(() => !isRunning(second.get("qmail-smtpd")!), "the end of the old qmail-smtpd");
    await sendMail(smtp, { from: "demo@localhost", to: ["demo@localhost"], content: "Subject: still\n\nx\n" });
    await waitForMailWith(system.home, "Subject: still\n");
  });

  it("starts and stops a component again and again, and leaves one process or none", async () => {
    await using system = await startSystem();
    const before = await pids(system);
    for (let round = 0; round < 3; round++) {
      for (const text of ["60\n", "0\n"]) {
        system.writeControl("greylist", text);
        assertEquals(await system.reload(), []);
      }
    }
    system.writeControl("greylist", "60\n");
    assertEquals(await system.reload(), []);
    await waitFor(async () => (await pids(system)).has("tally"), "tally");
    const { components } = await system.status();
    assertEquals(components.filter(({ name }) => name === "tally").length, 1);
    const after = await change(system, { greylist: "0\n" });
    await waitFor(async () => !(await pids(system)).has("tally"), "the end of tally");
    assertEquals(changedBetween(before, after).filter((name) => name !== "tally"), ["qmail-smtpd"]);
  });

  it("is refused where a socket would take the place of something else", async () => {
    await using system = await startSystem();
    system.writeControl("listeners", `smtp 127.0.0.1:0\nlmtp unix:auth/s\n${admin}`);
    const path = system.home.run("auth", "s");
    assertEquals(await system.reload(), [
      `Cannot use the control files: qmail-smtpd: may make ${path} as a socket for other software`,
    ]);
  });
});

describe("several processes of qmail-smtpd", () => {
  it("share a port, each with its part of the mail, and come and go with a reload", async () => {
    const port = freePort();
    const listeners = `smtp 127.0.0.1:${port}\n${admin}`;
    await using system = await startSystem({ controls: { listeners, smtpdprocesses: "2\n" } });
    const two = await pids(system);
    assertEquals([...two.keys()].filter((name) => name.startsWith("qmail-smtpd")), ["qmail-smtpd", "qmail-smtpd-2"]);
    assertEquals([(await system.component("qmail-smtpd-2")).ports, system.ports["smtp"]], [{ smtp: port }, port]);

    const count = 40;
    for (let sent = 0; sent < count; sent++) {
      await sendMail(port, { from: "demo@localhost", to: ["demo@localhost"], content: `Subject: ${sent}\n\nx\n` });
    }
    const accepted = (name: string) =>
      system.log.lines().filter((line) => line.startsWith(`${name}: accepted `)).length;
    await waitFor(() => accepted("qmail-smtpd") + accepted("qmail-smtpd-2") === count, "forty log lines");
    // By chance alone one of them would have had none in one of 500,000,000,000 runs.
    assert(accepted("qmail-smtpd") > 0 && accepted("qmail-smtpd-2") > 0);

    await system.signal("qmail-smtpd", "SIGKILL");
    await waitFor(async () => (await system.component("qmail-smtpd")).restarts === 1, "a new process");
    await system.waitUntilReady();
    await sendMail(port, { from: "demo@localhost", to: ["demo@localhost"], content: "Subject: on\n\nx\n" });
    await waitForMailWith(system.home, "Subject: on\n");

    const before = await pids(system);
    const three = await change(system, { smtpdprocesses: "3\n" });
    assertEquals(changedBetween(before, three), ["qmail-smtpd-3"]);
    const one = await change(system, { smtpdprocesses: "1\n" });
    await waitFor(async () => !(await pids(system)).has("qmail-smtpd-2"), "the end of the second");
    assertEquals([one.has("qmail-smtpd"), (await pids(system)).has("qmail-smtpd-3")], [true, false]);
    await sendMail(port, { from: "demo@localhost", to: ["demo@localhost"], content: "Subject: one\n\nx\n" });
    await waitForMailWith(system.home, "Subject: one\n");
  });
});
