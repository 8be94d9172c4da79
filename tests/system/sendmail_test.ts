/**
 * Programs of others that hand mail to sendmail, unchanged, with this home's sendmail in its place.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor, within } from "../support/wait.ts";

const limitMs = 30_000;

/** Whether a shell's line finds what it looks for on this machine. */
function has(line: string): boolean {
  return new Deno.Command("/bin/sh", { args: ["-c", line], stdin: "null", stdout: "null", stderr: "null" })
    .outputSync().success;
}

const programs = {
  mail: has("command -v bsd-mailx"),
  mutt: has("command -v mutt"),
  "git send-email": has('test -x "$(git --exec-path)/git-send-email" && perl -MMail::Address -e 1'),
  php: has("command -v php"),
  python3: has("command -v python3"),
};
const isRoot = Deno.uid() === 0;

describe("sendmail of a running system", () => {
  let system: System;
  let dir: string;

  /** Runs a shell's line in which `$sendmail` is the program; its failure is a failure here. Answers what it wrote. */
  async function shell(line: string, input = "", ids: { uid?: number; gid?: number } = {}): Promise<string> {
    Deno.writeFileSync(`${dir}/.input`, toOctets(input));
    Deno.chmodSync(`${dir}/.input`, 0o644);
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", `exec <.input\n${line}`],
      cwd: dir,
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        HOME: dir,
        USER: "demo-me",
        sendmail: system.home.bin("sendmail"),
        LC_ALL: "C.UTF-8",
      },
      stdout: "piped",
      stderr: "piped",
      ...ids,
    }).spawn();
    try {
      const { code, stdout, stderr } = await within(child.output(), limitMs, () => line);
      const [out, errors] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
      assertEquals([code, errors], [0, ""], out);
      return out!;
    } catch (error) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      throw error;
    }
  }

  const arrived = (text: string, mailbox?: string) => waitForMailWith(system.home, text, mailbox);

  /** A test for a program that may not be there. */
  function uses(name: keyof typeof programs, claim: string, test: () => Promise<void>): void {
    it(`${claim}${programs[name] ? "" : ` (skipped: ${name} is not installed)`}`, { ignore: !programs[name] }, test);
  }

  beforeAll(async () => {
    system = await startSystem({ controls: { virtualdomains: "virt.example:demo\n" } });
    dir = `${system.baseDir}/user`;
    Deno.mkdirSync(dir);
  });
  afterAll(() => system?.stop());

  it("takes cron's mail", async () => {
    const cron = "From: root (Cron Daemon)\nTo: demo\nSubject: Cron <root@here> x\nMIME-Version: 1.0\n" +
      "Content-Type: text/plain; charset=UTF-8\nX-Cron-Env: <SHELL=/bin/sh>\n\noutput\n.\nmore\n";
    assertEquals(await shell("$sendmail -FCronDaemon -i -B8BITMIME -oem demo", cron), "");
    const mail = await arrived("Subject: Cron");
    assertMatch(mail, /^Return-Path: <demo-me@localhost>\nDelivered-To: demo@localhost\nReceived: /);
    assertStringIncludes(mail, "\nFrom: root@localhost (Cron Daemon)\n");
    assertStringIncludes(mail, "\nX-Cron-Env: <SHELL=/bin/sh>\n\noutput\n.\nmore\n");
  });

  it("takes mail by PHP's mail(), CRLF in the header included", async () => {
    await shell("$sendmail -t -i", "To: demo@localhost\r\nSubject: =?UTF-8?Q?f=C3=BCr?=\r\nX-PHP: 1\r\n\r\nb\nc\n");
    const mail = await arrived("X-PHP: 1");
    assertStringIncludes(mail, "\nTo: demo@localhost\nSubject: =?UTF-8?Q?f=C3=BCr?=\nX-PHP: 1\n\nb\nc\n");
    assertEquals(mail.includes("\r"), false);
  });

  it("takes logwatch's mail", async () => {
    await shell("$sendmail -t", "To: demo\nFrom: Logwatch <demo>\nSubject: Logwatch for here\n\nreport\n");
    assertStringIncludes(
      await arrived("Subject: Logwatch"),
      "\nFrom: Logwatch <demo@localhost>\n",
    );
  });

  it("sends a message on, and a bounce's, and hides Bcc", async () => {
    await shell("$sendmail -t -f '<>'", "Resent-To: demo-r\nTo: nobody@elsewhere.example\nSubject: sent on\n\nx\n");
    const mail = await arrived("Subject: sent on");
    assertStringIncludes(mail, "Return-Path: <>\nDelivered-To: demo-r@localhost\n");
    await shell("$sendmail -t", "To: demo-a\nBcc: postmaster\nSubject: blind\n\nx\n");
    const blind = await arrived("Subject: blind", "postmaster@localhost");
    assertEquals(/^bcc/im.test(blind), false);
  });

  it("is one line in the log by its caller's uid, and passes on a large message", async () => {
    const line = `${"0123456789".repeat(7)}\n`;
    await shell("$sendmail demo-large", `Subject: large\n\n${line.repeat(50_000)}`);
    const mail = await arrived("Subject: large");
    assertStringIncludes(mail, `invoked by uid ${Deno.uid()});`);
    assertEquals(mail.endsWith(line.repeat(50_000)), true);
  });

  it(`serves any user${isRoot ? "" : " (skipped: not root)"}`, { ignore: !isRoot }, async () => {
    await shell("$sendmail -oi demo", "Subject: of another\n\nx\n", { uid: 65534, gid: 65534 });
    assertStringIncludes(await arrived("Subject: of another"), "invoked by uid 65534)");
  });

  uses("mail", "takes what mail(1) sends", async () => {
    Deno.writeTextFileSync(`${dir}/mailrc`, `set sendmail=${system.home.bin("sendmail")}\n`);
    await shell("MAILRC=mailrc bsd-mailx -s 'by mail' -c demo-cc -b demo-bcc demo-to", "text\n.\nmore\n");
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    const mail = await arrived("Subject: by mail");
    assertMatch(mail, /\nTo: demo-to@localhost\n/);
    assertMatch(mail, /\nCc: demo-cc@localhost\n/);
    await arrived("Delivered-To: demo-bcc@localhost");
  });

  uses("mutt", "takes what mutt sends", async () => {
    Deno.writeTextFileSync(`${dir}/muttrc`, `set sendmail="${system.home.bin("sendmail")} -oem -oi"\nset copy=no\n`);
    Deno.writeTextFileSync(`${dir}/note.txt`, "attached\n");
    await shell("mutt -F muttrc -s 'by mutt' -a note.txt -- demo-mutt@localhost", "text\n");
    const mail = await arrived("Subject: by mutt");
    assertStringIncludes(mail, "Delivered-To: demo-mutt@localhost\n");
    assertStringIncludes(mail, "attached\n");
  });

  uses("git send-email", "takes what git send-email sends", async () => {
    const patch = "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n" +
      "From: Amy <author@virt.example>\nDate: Sun, 22 Nov 2026 07:34:20 +0000\nSubject: [PATCH] by git\n\n" +
      "message\n---\n x | 1 +\n";
    Deno.writeTextFileSync(`${dir}/0001-x.patch`, patch);
    await shell(
      "export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b.c GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b.c; " +
        "git init -q repository && cd repository && git send-email --quiet --confirm=never --suppress-cc=all " +
        "--smtp-server=$sendmail --from='Amy <author@virt.example>' --to=git@virt.example --cc='B C <c@virt.example>' " +
        "../0001-x.patch",
    );
    const mail = await arrived("Subject: [PATCH] by git");
    assertMatch(mail, /^Return-Path: <(author@virt\.example|demo-me@localhost)>\n/);
    await arrived("Delivered-To: demo-c@virt.example");
  });

  uses("php", "takes what PHP sends", async () => {
    await shell(`php -d sendmail_path="$sendmail -t -i" -r 'exit(mail("demo", "by php", "x\\n.\\ny") ? 0 : 1);'`);
    await arrived("Subject: by php");
  });

  uses("python3", "takes what a Python program hands it", async () => {
    Deno.writeTextFileSync(
      `${dir}/send.py`,
      "import os, subprocess\nfrom email.message import EmailMessage\nm = EmailMessage()\n" +
        "m['To'] = 'J\\u00fcrgen <demo-py@localhost>'\nm['Subject'] = 'by Python'\nm.set_content('\\u00fc\\n')\n" +
        "subprocess.run([os.environ['sendmail'], '-t', '-oi'], input=m.as_bytes(), check=True)\n",
    );
    await shell("python3 send.py");
    assertStringIncludes(await arrived("Subject: by Python"), "\nTo: =?utf-8?q?J=C3=BCrgen?= <demo-py@localhost>\n");
  });
});
