/**
 * The whole system in front of Dovecot's LMTP server: the virtual mailboxes are Dovecot's, and their mail reaches them by
 * control/defaultdelivery.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { dirname } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Home } from "../../config/home.ts";
import { newMail, waitForMail } from "../support/maildir.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor, within } from "../support/wait.ts";

const dovecot = "/usr/sbin/dovecot";
const isThere = existsSync(dovecot) && existsSync("/usr/lib/dovecot/lmtp");
// Its processes become users of their own.
const isRoot = Deno.uid() === 0;
const skipped = !isRoot ? " (skipped: needs root)" : !isThere ? " (skipped: no dovecot with lmtp)" : "";

/** Whose files Dovecot's mailboxes are; an id that no account of the machine has. */
const ids = { uid: 47_003, gid: 47_003 };

/** Dovecot with the mailbox demo@localhost, all of it below `dir`. */
class Dovecot {
  readonly #dir: string;
  #child: Deno.ChildProcess | undefined;

  constructor(dir: string) {
    this.#dir = dir;
    const boxes = `${dir}/boxes`;
    Deno.mkdirSync(boxes);
    Deno.chownSync(boxes, ids.uid, ids.gid);
    Deno.writeTextFileSync(`${dir}/users`, `demo@localhost::${ids.uid}:${ids.gid}::${boxes}/demo::\n`);
    Deno.writeTextFileSync(
      `${dir}/dovecot.conf`,
      `base_dir = ${dir}/dovecot
state_dir = ${dir}/dovecot-state
log_path = ${dir}/dovecot.log
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
mail_location = maildir:~/Maildir
lda_mailbox_autocreate = yes
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = passwd-file
  args = ${dir}/users
}
service auth {
  user = root
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
service lmtp {
  unix_listener ${this.socket} {
    mode = 0666
  }
}
`,
    );
  }

  get socket(): string {
    return `${this.#dir}/lmtp`;
  }

  /** The new mail of demo, octet strings. */
  mail(): string[] {
    const folder = `${this.#dir}/boxes/demo/Maildir/new`;
    return ifThere(() =>
      Array.from(Deno.readDirSync(folder), ({ name }) => fromOctets(Deno.readFileSync(`${folder}/${name}`)))
    ) ?? [];
  }

  async waitForMailWith(text: string): Promise<string> {
    const find = () => this.mail().find((mail) => mail.includes(text));
    return await waitFor(find, `a message in Dovecot's mailbox with ${JSON.stringify(text)}`, 20_000)
      .catch((error: Error) => {
        const log = ifThere(() => Deno.readTextFileSync(`${this.#dir}/dovecot.log`));
        throw new Error(`${error.message}; Dovecot said:\n${log}`);
      });
  }

  async start(): Promise<void> {
    this.#child = new Deno.Command(dovecot, {
      args: ["-F", "-c", `${this.#dir}/dovecot.conf`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const child = this.#child;
    void child.status.then(() => this.#child = this.#child === child ? undefined : this.#child);
    await waitFor(() => existsSync(this.socket), "Dovecot's socket");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill("SIGTERM");
    await within(child.status, 10_000, () => "Dovecot's end");
  }
}

describe(`mailboxes behind an LMTP server${skipped}`, { ignore: skipped !== "" }, () => {
  let system: System;
  let server: Dovecot;

  const send = (to: string, subject: string, from = "eve@localhost") =>
    sendMail(system.ports["smtp"]!, { from, to: [to], content: `Subject: ${subject}\n\n.dots\n\u00fc\n` });

  beforeAll(async () => {
    if (skipped !== "") return;
    const prepare = (home: Home) => {
      server = new Dovecot(dirname(home.dir));
      Deno.writeTextFileSync(home.control("defaultdelivery"), `lmtp:${server.socket}\n`);
    };
    system = await startSystem({
      prepare,
      controls: {
        rcpthosts: "localhost\nc.example\n",
        virtualdomains: "c.example:demo\n",
      },
    });
    await server.start();
  });

  afterAll(async () => {
    await server?.stop();
    await system?.stop();
  });

  it("get their mail there, with the server's Return-Path and our Delivered-To", async () => {
    await send("demo@localhost", "first");
    const mail = await server.waitForMailWith("Subject: first");
    assertStringIncludes(mail, "Return-Path: <eve@localhost>\n");
    assertStringIncludes(mail, "\nDelivered-To: demo@localhost\n");
    assert(mail.endsWith("\n.dots\n\u00fc\n"), mail);
    assertEquals(newMail(system.home), []);
    const line = await system.waitForLog((line) => line.includes("success: LMTP_server_accepted_message./"));
    assert(/LMTP_server_said:_250_2\.0\.0_<demo@localhost>_.*_Saved\/did_1\+0\+0\/$/.test(line), line);
  });

  it("get the mail of their extensions, and of a domain that virtualdomains gives them", async () => {
    await send("demo-shop@localhost", "extension");
    assertStringIncludes(await server.waitForMailWith("Subject: extension"), "\nDelivered-To: demo-shop@localhost\n");
    await send("Anything@c.example", "caught");
    assertStringIncludes(
      await server.waitForMailWith("Subject: caught"),
      "\nDelivered-To: demo-Anything@c.example\n",
    );
  });

  it("get nothing twice: what the server has delivered and sends back here loops", async () => {
    const delivered = await server.waitForMailWith("Subject: first");
    const before = system.log.length;
    await sendMail(system.ports["smtp"]!, { from: "eve@localhost", to: ["demo@localhost"], content: delivered });
    await system.waitForLog((line) => line.includes("failure: This_message_is_looping"), 10_000, before);
  });

  it("that the server does not know make a bounce with its words, wherever their homes lie", async () => {
    const passwd = system.home.users("passwd");
    const near = "near@localhost::7797:7797::::";
    const far = `far@localhost::${ids.uid}:${ids.gid}::${system.baseDir}/far::`;
    Deno.writeTextFileSync(passwd, `${Deno.readTextFileSync(passwd)}${near}\n${far}\n`);
    for (const name of ["near", "far"]) {
      await send(`${name}@localhost`, `nobody ${name}`, "demo@localhost");
      const bounce = await server.waitForMailWith(`Subject: nobody ${name}`);
      assertStringIncludes(bounce, `LMTP server said: 550 5.1.1 <${name}@localhost> User doesn't exist`);
    }
  });

  it("keep their .qmail: where there is one, it is followed", async () => {
    const file = system.home.mail("localhost", "demo", ".qmail-keep");
    Deno.writeTextFileSync(file, "./Maildir/\n");
    await send("demo-keep@localhost", "kept");
    assertStringIncludes((await waitForMail(system.home))[0]!, "Subject: kept");
    assert(!server.mail().some((mail) => mail.includes("Subject: kept")));
  });

  it("get it later where the server is away, and as soon as it is back", async () => {
    await server.stop();
    await send("demo@localhost", "waited");
    await system.waitForLog((line) => line.includes("deferral: Sorry,_I_wasn't_able_to_establish_an_LMTP_connection."));
    await server.start();
    // The process remembers for some seconds that nobody answered: asked again until it does not.
    const arrived = () => server.mail().some((mail) => mail.includes("Subject: waited"));
    await waitFor(
      async () => {
        if (!arrived()) await system.signal("qmail-send", "SIGALRM");
        return arrived();
      },
      "the deferred message",
      20_000,
    );
    assertEquals(server.mail().filter((mail) => mail.includes("Subject: waited")).length, 1);
  });

  it("are delivered to as before once the control file says so, by a process without that right", async () => {
    Deno.removeSync(system.home.control("defaultdelivery"));
    assertEquals(await system.reload(), []);
    // qmail-lspawn reads its files a moment later: until then the server gets the mail.
    await waitFor(async () => {
      await send("demo@localhost", "after");
      return newMail(system.home).length > 1;
    }, "mail in the Maildir");
    system.writeControl("defaultdelivery", `lmtp:${server.socket}\n`);
    assertEquals(await system.reload(), []);
    await waitFor(
      async () => {
        await send("demo@localhost", "again");
        return server.mail().some((mail) => mail.includes("Subject: again"));
      },
      "mail in Dovecot's mailbox",
      20_000,
    );
  });

  it("are not changed by a control file that cannot be meant", async () => {
    system.writeControl("defaultdelivery", "lmtp:dovecot\n");
    const [defect = ""] = await system.reload();
    assertStringIncludes(defect, 'Cannot read control file "defaultdelivery": expected lmtp:/absolute/path/of/socket');
    system.writeControl("defaultdelivery", `lmtp:${server.socket}\n`);
  });
});
