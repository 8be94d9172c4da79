/** The real qread, with its grant and no other right: pages and previews over its socket. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parseContentReply, parseListReply, parseQreadTrouble } from "../../components/lib/wire/qread_protocol.ts";
import { manifest } from "../../components/qread/permissions.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { messageFiles } from "../support/queue_files.ts";
import { type RealQueue, realQueue } from "../support/real_queue.ts";
import { waitFor } from "../support/wait.ts";

const root = (path: string) => fromFileUrl(new URL(`../../${path}`, import.meta.url));
const list = { op: "list", sort: "id", order: "ascending", filter: {}, count: 50 };

function start({ home }: RealQueue): Deno.ChildProcess {
  Deno.mkdirSync(dirname(home.socket("qread")), { recursive: true });
  const flags = flagsOf(manifest.permissions(defaultConfig(home, 0)), home);
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", root("deno.json"), ...flags],
      ...[root("components/qread/main.ts"), "--home", home.dir],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function end(child: Deno.ChildProcess): Promise<{ code: number; stderr: string }> {
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

describe("qread, as a process", () => {
  it("gives pages and previews with its grant alone, changes no file, and outlives a hostile client", async () => {
    using queue = realQueue();
    const ids = Array.from(
      { length: 120 },
      (_, n) =>
        queue.message(
          { info: `Fs${n}@a.example\0`, remote: `Tr${n}@b.example\0`, bounce: "x" },
          "Subject: hi\n\n\x1bHello\n",
        ),
    );
    const before = messageFiles(queue.home).map((path) => `${path} ${Deno.lstatSync(path).mtime?.getTime()}`);
    const child = start(queue);
    const client = new Client(queue.home.socket("qread"), { connectMs: 20_000 });
    await waitFor(async () => parseListReply(await client.request(list)).whole, "the first look");
    const first = parseListReply(await client.request(list));
    assertEquals([first.rows.length, first.total, first.matching, first.place], [50, 120, 120, 0]);
    const second = parseListReply(await client.request({ ...list, after: first.next }));
    assertEquals([second.place, second.rows.every(({ bouncing }) => bouncing)], [50, true]);
    const found = parseListReply(await client.request({ ...list, filter: { recipient: "R77@B.example" } }));
    assertEquals(found.rows.map(({ id }) => id), [ids[77]]);
    const content = parseContentReply(await client.request({ op: "content", message: ids[3] }));
    assertEquals([content?.fields[0]?.value, content?.text], ["hi", "\ufffdHello\n"]);
    assertEquals(parseContentReply(await client.request({ op: "content", message: 1 })), undefined);

    const hostile = new Client(queue.home.socket("qread"));
    const lost = await hostile.request({ ...list, count: 1e9 }).then(() => "answered", () => "lost");
    hostile.close();
    assertEquals([lost, parseListReply(await client.request(list)).total], ["lost", 120]);
    client.close();
    const { code, stderr } = await end(child);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "garbage socket=qread");
    assertEquals(messageFiles(queue.home).map((path) => `${path} ${Deno.lstatSync(path).mtime?.getTime()}`), before);
  });

  it("says what it cannot read, and goes on", async () => {
    using queue = realQueue();
    queue.message({ info: "Fa@a.example\0", remote: "Tr@b.example\0" });
    Deno.renameSync(queue.home.queue("journal"), queue.home.queue("away"));
    const child = start(queue);
    const client = new Client(queue.home.socket("qread"), { connectMs: 20_000 });
    assertStringIncludes(parseQreadTrouble(await client.request(list)) ?? "", "journal");
    Deno.renameSync(queue.home.queue("away"), queue.home.queue("journal"));
    await waitFor(async () => {
      const reply = await client.request(list);
      return parseQreadTrouble(reply) === undefined && parseListReply(reply).total === 1;
    }, "the message");
    client.close();
    assert((await end(child)).stderr.includes("unreadable reason="));
  });
});
