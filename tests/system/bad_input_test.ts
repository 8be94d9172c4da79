/**
 * What the whole does with garbage between its processes, clients that vanish, lines without end, and a full disk: a
 * clear answer, nothing half-written in the queue, and mail goes on.
 * @module
 */
import { connect } from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { socketNames } from "../../config/home.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { isQueueEmpty, messageFiles } from "../support/queue_files.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { everyComponent } from "../support/every_component.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;

function random(length: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(octets.subarray(at, Math.min(at + 65_536, length)));
  }
  return octets;
}

/** Octets that no protocol between the processes allows. */
const garbage: readonly { readonly what: string; readonly octets: Uint8Array }[] = [
  { what: "a megabyte of chance", octets: random(1_048_576) },
  { what: "a frame of four gigabytes", octets: new Uint8Array([255, 255, 255, 255, 0, 0, 0, 2, 123, 125]) },
  { what: "a head longer than its frame", octets: new Uint8Array([0, 0, 0, 6, 0, 0, 1, 0, 123, 125]) },
  { what: "a list for a head", octets: new Uint8Array([0, 0, 0, 6, 0, 0, 0, 2, 91, 93]) },
  { what: "no operation", octets: encodeFrame({ id: 1 }) },
  { what: "an operation nobody has", octets: encodeFrame({ op: "__proto__", id: 1 }) },
  {
    what: "numbers for strings",
    octets: encodeFrame({ op: "deliver", id: "x", message: {}, sender: 5, recipients: "a" }),
  },
  { what: "a path for a number", octets: encodeFrame({ op: "foop", id: 1, messages: ["../../control/me"] }) },
  { what: "half a frame", octets: encodeFrame({ op: "status", id: 1 }).subarray(0, 9) },
];

/** Writes `octets` to a Unix socket, closes this side, and settles when the other side has closed as well. */
function throwAt(path: string, octets: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(octets));
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => resolve());
  });
}

async function assertMailArrives(system: System, name = "demo"): Promise<void> {
  const dir = system.home.mail("localhost", name, "Maildir", "new");
  const before = Array.from(Deno.readDirSync(dir)).length;
  await sendMail(system.ports["smtp"]!, {
    from: "amy@example.org",
    to: [`${name}@localhost`],
    content: "Subject: on\n\nand on\n",
  });
  await waitFor(() => Array.from(Deno.readDirSync(dir)).length === before + 1, "the mail to arrive");
}

describe("bad input", () => {
  it("garbage on every socket between the processes ends that connection, is logged, and harms nothing", async () => {
    // Every component that there is, and so every socket.
    const listeners = "smtp 127.0.0.1:0\nsubmission 127.0.0.1:0\npop3 127.0.0.1:0\nadmin 127.0.0.1:0\n";
    await using system = await startSystem({
      controls: { listeners, idleseconds: "0\n", ...everyComponent },
    });
    for (const name of socketNames) {
      assert(Deno.statSync(system.home.socket(name)).isSocket, name);
      for (const { octets } of garbage) await throwAt(system.home.socket(name), octets);
    }
    await assertMailArrives(system);
    const { components } = await system.status();
    assertEquals(components.filter((component) => component.restarts > 0).map((component) => component.name), []);
    assert(system.log.text().includes("garbage"), "the log tells of it");
  });

  it("a client that vanishes in its message leaves nothing in the queue, whatever its size", async () => {
    await using system = await startSystem({});
    for (const size of [100, 1_000_000]) {
      const client = await SmtpClient.connect(system.ports["smtp"]!);
      await client.command("MAIL FROM:<amy@example.org>");
      await client.command("RCPT TO:<demo@localhost>");
      await client.command("DATA");
      client.write(`Subject: gone\r\n\r\n${"x".repeat(70).concat("\r\n").repeat(size / 72)}`);
      if (size > 128 * 1024) {
        await waitFor(() => messageFiles(system.home).length > 0, "the queue to hold a part of it");
      }
      client[Symbol.dispose]();
      await system.waitForLog((line) => line.includes("abandoned"), 10_000);
      await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    }
    await assertMailArrives(system);
  });

  it("a command line without end is answered 500 and held in bounded memory", async () => {
    await using system = await startSystem({});
    const client = await SmtpClient.connect(system.ports["smtp"]!);
    const reply = await client.command(`MAIL FROM:<${"a".repeat(5_000_000)}@example.org>`);
    assertEquals(reply.code, 500);
    assertEquals((await client.command("NOOP")).code, 250);
    client[Symbol.dispose]();
    const { rssBytes } = await system.component("qmail-smtpd");
    assert(rssBytes < 200 * 1_048_576, `${rssBytes} bytes`);
  });

  const fullDisk = "a full disk is answered 451, leaves nothing half-written, and mail goes on once there is room";
  it(
    isRoot ? fullDisk : `${fullDisk} (skipped: not root, so no small file system can be mounted)`,
    { ignore: !isRoot },
    async () => {
      await using system = await startSystem({ controls: { concurrencylocal: "0\n" } });
      assertEquals(await system.end(), 0);
      using _disk = await mountSmallDisk(system.home.queue());
      await system.start();
      const content = `Subject: big\n\n${"y".repeat(70).concat("\n").repeat(7000)}`;
      const replies: string[] = [];
      const client = await SmtpClient.connect(system.ports["smtp"]!);
      for (let sent = 0; sent < 12; sent++) {
        const { end } = await client.send({ from: "amy@example.org", to: ["demo@localhost"], content });
        replies.push(`${end!.code} ${end!.lines[0]}`);
      }
      client[Symbol.dispose]();
      const accepted = replies.filter((reply) => reply.startsWith("250")).length;
      const refused = replies.filter((reply) => reply.startsWith("451"));
      assert(accepted > 0 && accepted + refused.length === 12, replies.join("; "));
      assertStringIncludes(refused[0]!, "qq write error or disk full (#4.3.0)");
      const count = (dir: string) => messageFiles(system.home).filter((path) => path.includes(`/queue/${dir}/`)).length;
      assertEquals([count("pid"), count("mess"), count("intd"), count("todo")], [0, accepted, accepted, accepted]);
      const { components } = await system.status();
      assertEquals(components.find((component) => component.name === "qmail-queue")?.restarts, 0);

      system.writeControl("concurrencylocal", "10\n");
      assertEquals(await system.reload(), []);
      const dir = system.home.mail("localhost", "demo", "Maildir", "new");
      await waitFor(() => Array.from(Deno.readDirSync(dir)).length === accepted, "what was accepted to arrive", 30_000);
      await waitFor(() => isQueueEmpty(system.home), "an empty queue");
      await assertMailArrives(system);
      await system.end();
    },
  );
});

/** A file system of four megabytes in the place of `dir`, until it is disposed of. */
async function mountSmallDisk(dir: string): Promise<Disposable> {
  const mount = new Deno.Command("mount", { args: ["-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", dir] });
  const { success } = await mount.output();
  assert(success, "mount -t tmpfs");
  return { [Symbol.dispose]: () => void new Deno.Command("umount", { args: ["--lazy", dir] }).outputSync() };
}
