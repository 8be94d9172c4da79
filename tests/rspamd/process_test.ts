import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { manifest } from "../../components/rspamd/permissions.ts";
import { qp } from "../qmail-smtpd/fake_queue.ts";
import { note, world } from "../lib/filters/world.ts";
import { startScanner } from "../support/scanner_process.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { tempDir } from "../support/temp_dir.ts";

const ham = "Subject: hi\n\nhello\n";

/** Marks what has "spam" in it, and rejects what has "gtube". */
async function serve(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.endsWith("\n\nhello\n")) {
    const length = await conn.read(buffer);
    if (length === null) return;
    text += fromOctets(buffer.subarray(0, length));
  }
  const action = text.includes("gtube") ? "reject" : text.includes("spam") ? "add header" : "no action";
  const body = JSON.stringify({ action, score: 1 });
  await conn.write(toOctets(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
}

describe("rspamd as a process", () => {
  for (const kind of ["an address", "a Unix socket"]) {
    it(`asks at ${kind} with its grant alone, and uses all of it`, async () => {
      await using around = world();
      using dir = tempDir();
      const path = kind === "a Unix socket" ? `${dir.path}/rspamd.sock` : undefined;
      await using server = scriptedServer(serve, path === undefined ? {} : { path });
      const where = path === undefined ? `127.0.0.1:${server.port}` : `unix:${path}`;
      await using rspamd = await startScanner(around, manifest, { rspamd: `${where}\n` });
      const send = (text: string) => around.send([text], { chain: ["rspamd"], client: note });
      assertEquals(await send(ham), { code: 0, qp });
      assertEquals(await send("Subject: spam\n\nhello\n"), { code: 0, qp });
      assertEquals(await send("Subject: gtube\n\nhello\n"), {
        code: 31,
        qp: 0,
        text: "Dmessage looks like spam (#5.7.1)",
      });
      assertEquals(around.queue.messages.map(({ content }) => content), [
        ham,
        "Subject: spam\nX-Spam: Yes\n\nhello\n",
      ]);
      await rspamd.stopAndCheckGrant();
      assertEquals(
        rspamd.log.lines().map((line) => line.replace(/ id=\S+/, "").split(" score=")[0]!.split(" ip=")[0]),
        [
          "rspamd action=no_action",
          "rspamd action=add_header",
          "rspamd action=reject",
          "refused filter=rspamd",
        ],
      );
    });
  }
});
