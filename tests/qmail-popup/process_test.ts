import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { toOctets } from "../../components/lib/octets.ts";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { parseRedeemReply } from "../../components/lib/wire/auth_protocol.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parsePop3Request } from "../../components/lib/wire/pop3_protocol.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";
import { apopDigest } from "../../components/lib/sasl/apop.ts";
import { encodeBase64 } from "../../components/lib/smtp/base64.ts";
import { scramSecretOf } from "../../scripts/home/password.ts";
import { ScramClient } from "../lib/sasl/scram_client.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";
import { Pop3Client } from "./pop3_client.ts";
import { password, Pop3World } from "./world.ts";

/** As a line of the client's; text, not octets. */
const base64 = (text: string) => encodeBase64(toOctets(text));

describe("qmail-popup", () => {
  it("goes on over TLS after STLS, and knows nothing of what was said before it", async () => {
    await using world = await Pop3World.start({ tls: true });
    using client = await world.connect();
    await client.line();
    await client.ask("CAPA");
    assert((await client.lines()).includes("STLS"));
    assertEquals(await client.ask("USER joe"), "+OK ");
    assertEquals(await client.ask("STLS"), "+OK begin TLS");
    await client.startTls(world.certificate);
    assertEquals(await client.ask(`PASS ${password}`), "-ERR USER first");
    await client.ask("CAPA");
    assert(!(await client.lines()).includes("STLS"));
    assertEquals(await client.ask("USER joe"), "+OK ");
    assertEquals(await client.ask(`PASS ${password}`), "+OK ");
    assertEquals(await client.ask("STAT"), "+OK 3 78");
    assertEquals(await client.ask("QUIT"), "+OK ");
    await world.log.waitFor((line) => line.startsWith("qmail-popup: tls "), 10_000);
  });

  it("ends a connection with octets behind STLS, and does nothing of them", async () => {
    await using world = await Pop3World.start({ tls: true });
    using client = await world.connect();
    await client.line();
    await client.send(`STLS\r\nUSER joe\r\nPASS ${password}\r\nDELE 1\r\nQUIT\r\n`);
    assertEquals(await client.line(), "-ERR there are octets behind STLS");
    assertEquals(await client.line(), undefined);
    assertEquals(world.files().length, 3);
    assert(!world.log.text().includes("login="));
  });

  it("lets in by SCRAM-SHA-256 and by APOP", async () => {
    await using world = await Pop3World.start({ controls: { pop3apop: "1\n" } });
    const secret = await scramSecretOf("pencil");
    Deno.writeTextFileSync(
      world.home.users("passwd"),
      `joe@mx.example.com:{PLAIN}${password}:1:1::::scram=${secret}\n`,
    );
    using scram = await world.connect();
    const ours = new ScramClient("joe", "pencil");
    await scram.line();
    const first = await scram.ask(`AUTH SCRAM-SHA-256 ${base64(ours.first())}`);
    const final = await scram.ask(base64(ours.final(atob(first!.slice(2)))));
    assertEquals(atob(final!.slice(2)), ours.serverFinal);
    assertEquals(await scram.ask(""), "+OK ");
    assertEquals(await scram.ask("STAT"), "+OK 3 78");

    using apop = await world.connect();
    const challenge = /<[^>]+@mx\.example\.com>/.exec((await apop.line())!)![0];
    assertEquals(await apop.ask(`APOP joe ${apopDigest(password, challenge)}`), "+OK ");
    assertEquals(await apop.ask("STAT"), "+OK 3 78");
    using again = await world.connect();
    assert(!(await again.line())!.includes(challenge));
    assertEquals(await again.ask(`APOP joe ${apopDigest(password, challenge)}`), "-ERR [AUTH] authorization failed");
  });

  it("needs TLS of clients that come through a network, unless control/pop3plaintext is 1", async () => {
    for (const plaintext of ["0", "1"]) {
      await using world = await Pop3World.start({
        controls: {
          listeners: "pop3 127.0.0.1:0 proxy\n",
          proxyclients: "127.0.0.1\n",
          pop3plaintext: `${plaintext}\n`,
        },
      });
      using client = await world.connect();
      await client.send("PROXY TCP4 192.0.2.7 192.0.2.1 1234 110\r\n");
      await client.line();
      assertEquals(await client.ask("USER joe"), plaintext === "1" ? "+OK " : "-ERR TLS first");
    }
  });

  it("tells who has no mailbox here, and opens no other one for him", async () => {
    await using world = await Pop3World.start({ users: ["amy", "amy-list"] });
    Deno.removeSync(world.maildir("amy"), { recursive: true });
    using client = await world.connect();
    assertEquals(await client.logIn("amy", password), "-ERR [SYS/PERM] this user has no $HOME/Maildir");
    assertEquals(await client.line(), undefined);
    // To qmail-getpw, without a line of its own it would be an address of amy's.
    Deno.writeTextFileSync(world.home.users("passwd"), `amy-list@mx.example.com:{PLAIN}${password}:1:1::::\n`);
    using other = await world.connect();
    await other.line();
    await other.ask("USER amy-list");
    assertEquals(await other.ask(`PASS ${password}`), "+OK ");
  });

  it("says that it cannot tell now where auth or qmail-pop3d is away", async () => {
    await using world = await Pop3World.start();
    await world.end("qmail-pop3d");
    using client = await world.connect();
    assertEquals(await client.logIn("joe", password), "-ERR [SYS/TEMP] unable to open the mailbox now");
    await world.end("auth");
    using other = await world.connect();
    assertEquals(await other.logIn("joe", password), "-ERR [SYS/TEMP] unable to check that now");
    await world.startOne("auth");
    await world.startOne("qmail-pop3d");
    using third = await world.connect();
    assertEquals(await third.logIn("joe", password), "+OK ");
  });

  it("deletes nothing without QUIT, also when either half is killed", async () => {
    await using world = await Pop3World.start();
    const before = world.files();
    for (const end of ["client", "qmail-pop3d", "qmail-popup"] as const) {
      using client = await world.loggedIn();
      for (const message of [1, 2, 3]) assertEquals(await client.ask(`DELE ${message}`), "+OK ");
      if (end === "client") await client.finish();
      else await world.end(end);
      assertEquals(world.files(), before, end);
      if (end === "qmail-pop3d") {
        assertEquals(await client.ask("QUIT"), "-ERR [SYS/TEMP] the mailbox went away");
        assertEquals(await client.line(), undefined);
      }
      if (end !== "client") await world.startOne(end);
      using next = await world.loggedIn();
      assertEquals(await next.ask("STAT"), "+OK 3 78");
      await next.ask("RSET");
    }
  });

  it("loses no message that was not marked when qmail-pop3d is killed at its QUIT", async () => {
    await using world = await Pop3World.start();
    for (let round = 0; round < 5; round++) {
      const mail = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`new/${1000 + at}.${round}.a`, "x\n"]));
      world.fill("joe", mail);
      using client = await world.loggedIn();
      for (let message = 1; message <= 200; message++) await client.send(`DELE ${message}\r\n`);
      for (let message = 1; message <= 200; message++) assertEquals(await client.line(), "+OK ");
      await client.send("QUIT\r\n");
      await waitFor(() => world.files().length <= 400 - 40 * round, "some of them to be gone");
      await world.end("qmail-pop3d");
      const left = new Set(world.files().map((file) => file.slice(4).replace(/:.*/, "")));
      for (let at = 200; at < 400; at++) assert(left.has(`${1000 + at}.${round}.a`), `${round}: ${at}`);
      await world.startOne("qmail-pop3d");
    }
  });

  it("serves 200 sessions at once, each its own mailbox", async () => {
    const users = Array.from({ length: 20 }, (_, at) => `u${at}`);
    await using world = await Pop3World.start({ users, controls: { concurrencypop3: "500\n" } });
    for (const user of users) world.put(user, `new/1.${user}`, `Subject: ${user}\n\n${"x".repeat(50_000)}\n`);
    const clients: Pop3Client[] = [];
    // auth lets so many of one client wait; the others would be told to try again.
    for (let at = 0; at < 200; at += 10) {
      const some = Array.from({ length: 10 }, (_, more) => world.loggedIn(users[(at + more) % users.length]!));
      clients.push(...await Promise.all(some));
    }
    await Promise.all(clients.map(async (client, at) => {
      await client.ask("RETR 1");
      const [subject, ...others] = await client.lines();
      assertEquals([subject, others.length], [`Subject: ${users[at % users.length]}`, 3]);
      assertEquals(await client.ask("QUIT"), "+OK ");
      client[Symbol.dispose]();
    }));
    assertEquals(world.files("u3"), ["cur/1.u3:2,"]);
  });

  it("turns away who comes when all places are taken", async () => {
    await using world = await Pop3World.start({ controls: { concurrencypop3: "4\n" } });
    const clients = [await world.connect(), await world.connect()];
    for (const client of clients) await client.line();
    using third = await world.connect();
    assertEquals(await third.line(), "-ERR [SYS/TEMP] too many connections, try again later");
    clients[0]![Symbol.dispose]();
    await world.log.waitFor((line) => line.includes("too-many-from-client"), 10_000);
    clients[1]![Symbol.dispose]();
  });

  it("needs every entry of its grant, and asks for nothing else; so does qmail-pop3d", async () => {
    using audit = tempDir();
    await using world = await Pop3World.start({ tls: true, auditDir: audit.path });
    using client = await world.loggedIn();
    await client.ask("RETR 1");
    await client.lines();
    await client.ask("DELE 1");
    await client.ask("QUIT");
    // What is not qmail-pop3d's is asked for at qmail-pop3spawn, with the same ticket.
    const tickets = new Client(world.home.socket("auth-tickets"));
    const logins: string[] = [];
    const spawn = serveUnix(world.home.socket("qmail-pop3spawn"), {
      onFrame: async (frame, pipe) => {
        const request = parsePop3Request(frame);
        assert(request.op === "open");
        const redeemed = parseRedeemReply(await tickets.request({ op: "redeem", ticket: request.ticket }));
        if (redeemed.kind === "login") logins.push(redeemed.login);
        pipe.send({ id: request.id, kind: "refused", reason: "account" });
      },
      onError: () => {},
    });
    Deno.writeTextFileSync(world.home.users("passwd"), `eve@mx.example.com:{PLAIN}${password}:1:1::/srv/eve::\n`);
    using elsewhere = await world.connect();
    assertEquals(await elsewhere.logIn("eve", password), "-ERR [SYS/PERM] this user's mail is not read here");
    assertEquals(logins, ["eve@mx.example.com"]);
    spawn.stop();
    spawn.closeAll();
    tickets.close();
    for (const name of ["qmail-popup", "qmail-pop3d"] as const) {
      const rights = rightsOf(world.grantOf(name), world.home);
      await world.end(name, "SIGTERM");
      const asked = readAudit(audit.path, name);
      assertEquals(unused(asked, { ...rights, run: [] }), [], name);
      assertEquals(outside(asked, rights), [], name);
    }
  });

  it("stops in order, with code 0", async () => {
    await using world = await Pop3World.start();
    using client = await world.loggedIn();
    assertEquals(await world.end("qmail-popup", "SIGTERM"), 0);
    assertEquals(await client.line(), undefined);
    assertEquals(await world.end("qmail-pop3d", "SIGTERM"), 0);
  });
});
