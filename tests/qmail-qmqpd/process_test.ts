/**
 * qmail-qmqpd as a process: who may use it, and Postfix's programs for QMQP on both sides of it.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { describe, it } from "@std/testing/bdd";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { listeningDefects } from "../../components/qmail-qmqpd/clients.ts";
import { hearAll, send } from "../qmtp/client.ts";
import { ProcessWorld } from "../qmtp/process_world.ts";
import { makeHome } from "../qmail-smtpd/world.ts";
import { freePort } from "../support/free_port.ts";
import { waitFor, within } from "../support/wait.ts";
import { makeBin } from "../tools/support/bin.ts";

/** Where a program of Postfix is, if it is. */
function find(name: string): string | undefined {
  return ["/usr/sbin", "/usr/lib/postfix/sbin", "/usr/libexec/postfix"].map((dir) => `${dir}/${name}`).find((path) =>
    existsSync(path)
  );
}

function noteFor(path: string | undefined, name: string): string {
  return path === undefined ? ` (skipped: there is no ${name})` : "";
}

const source = find("qmqp-source");
const sink = find("qmqp-sink");
const mail = formatNetstring(["x\n", "s@d.org", "a@far.example"].map(formatNetstring).join(""));

async function say(world: ProcessWorld, octets: string): Promise<string> {
  using conn = await world.connect();
  const hearing = hearAll(conn);
  await send(conn, octets);
  return await hearing;
}

describe("qmail-qmqpd", () => {
  it("takes mail for anybody from loopback where control/qmqpclients is absent", async () => {
    await using world = await ProcessWorld.start("qmqp");
    assertMatch(await say(world, mail), /^[0-9]+:Kok [0-9]+ qp 4896,$/);
    assertEquals(world.queue.messages[0]!.envelope.recipients, ["a@far.example"]);
    assertMatch(
      await world.log.waitFor((line) => line.startsWith("accepted"), 10_000),
      /^accepted ip=127\.0\.0\.1 from=<s@d\.org> rcpts=1 bytes=2 qp=4896$/,
    );
  });

  it("closes on everybody whom control/qmqpclients does not name, and heeds a reload", async () => {
    await using world = await ProcessWorld.start("qmqp", { controls: { qmqpclients: "192.0.2.0/24\n" } });
    assertEquals(await say(world, ""), "");
    assertEquals(
      await world.log.waitFor((line) => line.startsWith("closed"), 10_000),
      "closed ip=127.0.0.1 reason=denied",
    );
    Deno.writeTextFileSync(world.home.control("qmqpclients"), "127.0.0.1\n");
    world.child.kill("SIGHUP");
    assertMatch(await waitFor(async () => await say(world, mail).catch(() => "") || false, "mail to be taken"), /:Kok/);
    assertEquals(world.queue.messages.length, 1);
  });

  it("is not started on an address that is not loopback without that file, and says what is missing", async () => {
    const defect =
      'Cannot use control file "listeners": expected control/qmqpclients to say whose mail for anybody is ' +
      "taken at qmqp 0.0.0.0:0, it is not there";
    const listeners = "qmqp 0.0.0.0:0\n";
    const { home } = makeHome({ listeners });
    try {
      assertEquals(readConfig(home, 0), [defect]);
      Deno.writeTextFileSync(home.control("qmqpclients"), "192.0.2.1\n");
      assert("controls" in readConfig(home, 0));
    } finally {
      Deno.removeSync(home.dir, { recursive: true });
    }
    const error = await ProcessWorld.start("qmqp", { controls: { listeners } }).then(() => "", String);
    assertStringIncludes(error, defect);
  });

  it("knows all spellings of loopback, and of everywhere", () => {
    const at = (host: string) =>
      listeningDefects([{ kind: "tcp", entrance: "qmqp", proxy: false, host, port: 628 }], "absent").length;
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) assertEquals(at(host), 0, host);
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "10.0.0.1"]) assertEquals(at(host), 1, host);
  });

  it("says what the queue says", async () => {
    await using world = await ProcessWorld.start("qmqp");
    world.queue.code = 53;
    assertEquals(await say(world, mail), "37:Zqq write error or disk full (#4.3.0),");
    world.queue.code = 31;
    assertEquals(await say(world, mail), "50:Dmail server permanently rejected message (#5.3.0),");
  });

  it(`takes 200 messages of qmqp-source over 10 connections at once${noteFor(source, "qmqp-source")}`, {
    ignore: source === undefined,
  }, async () => {
    await using world = await ProcessWorld.start("qmqp");
    const { code, stderr } = await new Deno.Command(source!, {
      args: [
        ...["-s", "10", "-m", "200", "-l", "10000"],
        ...["-f", "s@d.org", "-t", "a@far.example"],
        `127.0.0.1:${world.port}`,
      ],
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assertEquals(world.queue.messages.length, 200);
    for (const { envelope, content } of world.queue.messages) {
      assertEquals([envelope.sender, envelope.recipients], ["s@d.org", ["a@far.example"]]);
      assert(content.length > 10_000);
    }
  });

  it(
    `qmail-qmqpc is understood by qmqp-sink${noteFor(sink, "qmqp-sink")}`,
    { ignore: sink === undefined },
    async () => {
      const port = freePort();
      const child = new Deno.Command(sink!, { args: [`127.0.0.1:${port}`, "10"], stdout: "null", stderr: "piped" })
        .spawn();
      try {
        using bin = makeBin(["qmail-qmqpc"], undefined, { qmqpservers: `127.0.0.1:${port}\n` });
        await waitFor(
          () => Deno.connect({ port, hostname: "127.0.0.1" }).then((conn) => (conn.close(), true), () => false),
          "it",
        );
        const line = "printf 'Fs@d.org\\0Ta@far.example\\0\\0' >env; qmail-qmqpc 1<env";
        assertEquals((await bin.run(line, { input: "x\n".repeat(10_000) })).code, 0);
      } finally {
        child.kill("SIGKILL");
        await within(child.output(), 10_000, () => "qmqp-sink to end");
      }
    },
  );
});
