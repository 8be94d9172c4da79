/** The real qmail-local with the grant that control/defaultdelivery gives it: when it asks the LMTP server, and as whom. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { goodStory, serveLmtp, type Taken } from "./lmtp_server.ts";
import { type Kind, world } from "./world.ts";

const message = "Subject: a\n\nhello\n";
const stored = "LMTP server accepted message.\nLMTP server said: 250 2.0.0 stored\ndid 1+0+0\n";

function lmtpWorld(kind?: Kind) {
  const world_ = world({ defaultDelivery: (dir) => `lmtp:${dir}/lmtp\n`, ...kind === undefined ? {} : { kind } });
  const taken: Taken[] = [];
  const server = serveLmtp(`${world_.home.dir}/lmtp`, goodStory(taken));
  return {
    world_,
    taken,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await world_[Symbol.asyncDispose]();
    },
  };
}

describe("qmail-local, with an LMTP server as the default delivery", () => {
  it("gives it the mail of a mailbox that has no .qmail, with Delivered-To and without Return-Path", async () => {
    await using given = lmtpWorld();
    const report = await given.world_.deliver(message, { sender: "amy@a.example" });
    assertEquals(report, { verdict: "K", text: stored });
    const [one] = given.taken;
    assertEquals([one?.recipient, one?.sender.split(" ")[0]], ["<joe@localhost>", "<amy@a.example>"]);
    assertEquals(one?.content, `Delivered-To: joe@localhost\n${message}`.replaceAll("\n", "\r\n"));
    assertEquals(given.world_.files(), []);
  });

  it("names the mailbox, not the extension or the domain that virtualdomains brought here", async () => {
    await using given = lmtpWorld();
    const fields = { recipient: "joe-info@c.example", dash: "-", extension: "info" };
    assertEquals((await given.world_.deliver(message, fields)).verdict, "K");
    assertEquals(given.taken[0]?.recipient, "<joe@localhost>");
    assertStringIncludes(given.taken[0]!.content, "Delivered-To: joe-info@c.example\r\n");
  });

  it("follows the .qmail of who has one, and asks the server where that one cannot be followed", async () => {
    await using given = lmtpWorld();
    given.world_.write(".qmail", "./Maildir/\n");
    assertEquals((await given.world_.deliver(message)).text, "did 1+0+0\n");
    assertEquals([given.world_.files().length, given.taken.length], [1, 0]);
    given.world_.write(".qmail", "|cat > stolen\n");
    assertEquals((await given.world_.deliver(message)).text, stored);
  });

  it("asks nobody about a message that loops", async () => {
    await using given = lmtpWorld();
    const report = await given.world_.deliver(`Delivered-To: joe@localhost\n${message}`);
    assertEquals([report.verdict, given.server.connections], ["D", 0]);
  });

  it("serves a mailbox whose home lies elsewhere, which need not be there", async () => {
    await using given = lmtpWorld("mailbox");
    Deno.removeSync(given.world_.userHome, { recursive: true });
    assertEquals(
      (await given.world_.deliver(message, { recipient: "joe-x@b.example", domain: "a.example" })).text,
      stored,
    );
    assertEquals(given.taken[0]?.recipient, "<joe@a.example>");
  });

  it("delivers an account's mail to its Maildir, and has no right to the socket then", async () => {
    await using given = lmtpWorld("account");
    assertEquals((await given.world_.deliver(message)).text, "did 1+0+0\n");
    const forced = await given.world_.deliver(message, { isVirtual: true });
    assertEquals(forced, { verdict: "Z", text: "Sorry, I wasn't able to establish an LMTP connection. (#4.4.1)\n" });
    assertEquals(given.server.connections, 0);
  });

  it("may connect to that socket and no other", async () => {
    await using given = lmtpWorld();
    await using other = serveLmtp(`${given.world_.home.dir}/other`, goodStory([]));
    const report = await given.world_.deliver(message, { defaultDelivery: `lmtp:${given.world_.home.dir}/other\n` });
    assertEquals([report.verdict, other.connections], ["Z", 0]);
    assertEquals((await given.world_.deliver(message)).verdict, "K");
  });

  it("ends when its input does, though a server keeps it waiting", async () => {
    await using given = lmtpWorld();
    const asked = Promise.withResolvers<void>();
    await using _silent = serveLmtp(`${given.world_.home.dir}/silent`, async ({ stopped }) => {
      asked.resolve();
      await stopped;
    });
    await given.server[Symbol.asyncDispose]();
    Deno.renameSync(`${given.world_.home.dir}/silent`, `${given.world_.home.dir}/lmtp`);
    const lost = given.world_.deliver(message).catch((error: Error) => error.name);
    await asked.promise;
    given.world_.link.close();
    assertEquals(await lost, "ConnectionLost");
    assertEquals((await given.world_.child.status).code, 0);
  });

  it("defers for a default delivery it does not understand", async () => {
    await using given = lmtpWorld();
    const report = await given.world_.deliver(message, { defaultDelivery: "lmtp:nowhere\n" });
    assertEquals(report, { verdict: "Z", text: "Unable to follow the default delivery. (#4.3.0)\n" });
  });
});
