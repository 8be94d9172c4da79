/** Filters of an operator's own: the sample without any right, others with that to be read, and the end of one. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ChainSubmission, Hops } from "../../components/lib/filters/hand_on.ts";
import type { SmtpClient } from "../qmail-smtpd/smtp_client.ts";
import { World } from "../qmail-smtpd/world.ts";
import { customFlags, startCustom } from "./world.ts";

const mebibyte = 1024 * 1024;

async function mail(client: SmtpClient, content: string): Promise<string | undefined> {
  await client.say("MAIL FROM:<s@s.example>");
  await client.say("RCPT TO:<joe@example.com>");
  await client.say("DATA");
  return await client.say(`${content}\r\n.`);
}

/** A filter that tries what it has no right to, and says what it got. */
const intruder = `
const attempts = {
  read: () => Deno.readTextFileSync("/etc/passwd"),
  control: () => Deno.readTextFileSync(import.meta.url.slice(7).replace(/[^/]*$/, "control/me")),
  write: () => Deno.writeTextFileSync(import.meta.url.slice(7), ""),
  run: () => new Deno.Command("/bin/true").outputSync(),
  env: () => Deno.env.get("PATH"),
  import: () => import("/etc/passwd"),
  net: () => Deno.connect({ hostname: "127.0.0.1", port: 1 }),
};
export async function judge() {
  const results = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try { await attempt(); results.push(name + "=done"); }
    catch (error) { results.push(name + "=" + (error.name === "NotCapable" || /Requires read/.test(error.message) ? "refused" : error)); }
  }
  return { kind: "pass", header: new TextEncoder().encode("X-Results: " + results.join(" ") + "\\n") };
}
`;

/** Says when it is asked, and then nothing any more. */
const silent = `export function judge() { console.error("asked"); return new Promise(() => {}); }`;

describe("custom", () => {
  it("has, with the sample, no right but to its sockets", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom\n" } });
    const { home } = world;
    const sockets = [home.socket("custom"), home.socket("qmail-queue")];
    assertEquals(customFlags(home), [
      `--allow-read=${sockets.join(",")}`,
      `--allow-write=${sockets.join(",")}`,
      `--allow-net=${sockets.map((path) => `unix:${path}`).join(",")}`,
    ]);
    await using _custom = await startCustom(home);
    const client = await world.connect();
    await client.line();
    await client.say("EHLO c.example");
    assertMatch((await mail(client, "Subject: x\r\n\r\nbody"))!, /^250 /);
    assertMatch(world.queue.messages[0]!.content, /^X-Custom-Filter: [0-9]+ octets by way of smtp\nReceived: /);
    assertEquals(await mail(client, "Subject: refuse me\r\n\r\nbody"), "554 5.7.1 you asked for it (#5.7.1)");
    assertMatch((await mail(client, "Subject: x\r\n\r\nSubject: refuse me"))!, /^250 /);
    assertEquals(world.queue.messages.length, 2);
    client.close();
  });

  it("gives a filter of one's own the right to be read, and no other", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom\n" } });
    const path = `${world.home.dir}/own.ts`;
    Deno.writeTextFileSync(path, intruder);
    Deno.writeTextFileSync(world.home.control("customfilter"), `${path}\n`);
    await using _custom = await startCustom(world.home);
    const client = await world.connect();
    await client.line();
    await client.say("HELO c.example");
    assertMatch((await mail(client, "x"))!, /^250 /);
    assertEquals(
      world.queue.messages[0]!.content.split("\n")[0],
      "X-Results: read=refused control=refused write=refused run=refused env=refused import=refused net=refused",
    );
    client.close();
  });

  it("does not start with a file that is no filter", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom\n" } });
    const path = `${world.home.dir}/own.ts`;
    Deno.writeTextFileSync(path, "export const judges = 1;");
    Deno.writeTextFileSync(world.home.control("customfilter"), `${path}\n`);
    const said = await startCustom(world.home).then(() => "started", (error) => String(error));
    assertMatch(said, /did not start: alert: custom: CannotStart: expected the filter ".*own\.ts" .*to export/);
  });

  it("that is killed over a message loses none: 451, nothing queued; once it is back, 250", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom\n" } });
    const path = `${world.home.dir}/own.ts`;
    Deno.writeTextFileSync(path, silent);
    Deno.writeTextFileSync(world.home.control("customfilter"), `${path}\n`);
    const client = await world.connect();
    await client.line();
    await client.say("HELO c.example");
    for (const content of ["small", `${"x".repeat(900)}\r\n`.repeat(500)]) {
      await using custom = await startCustom(world.home);
      const reply = mail(client, content);
      assertEquals((await custom.lines.next()).value, "asked");
      await custom.kill("SIGKILL");
      assertEquals(await reply, "451 4.4.2 communication with mail server failed (#4.4.2)");
      assertEquals(world.queue.messages, []);
    }
    Deno.removeSync(world.home.control("customfilter"));
    await using _custom = await startCustom(world.home);
    assertMatch((await mail(client, "small"))!, /^250 /);
    assertEquals(world.queue.messages.length, 1);
    client.close();
  });

  it("that is killed, with =pass: a message that was kept goes on without it", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom=pass\n" } });
    const path = `${world.home.dir}/own.ts`;
    Deno.writeTextFileSync(path, silent);
    Deno.writeTextFileSync(world.home.control("customfilter"), `${path}\n`);
    const client = await world.connect();
    await client.line();
    await client.say("HELO c.example");
    await using custom = await startCustom(world.home);
    const reply = mail(client, "small");
    assertEquals((await custom.lines.next()).value, "asked");
    await custom.kill("SIGKILL");
    assertMatch((await reply)!, /^250 /);
    assertEquals(world.queue.messages.length, 1);
    assertEquals(await world.logged("passed-over"), "passed-over filter=custom reason=no_answer");
    client.close();
  });

  it("has bounded memory over a message of 50 MB and many of 8 MB at once", async () => {
    await using world = await World.start({ controls: { filters: "smtp: custom=pass\n" } });
    world.queue.keep = false;
    await using custom = await startCustom(world.home);
    const before = custom.rss();
    const hops = new Hops(world.home);
    const send = async (mebibytes: number) => {
      const route = { client: undefined, chain: [{ name: "custom", onTrouble: "pass" as const }] };
      const limits = { largestBytes: 16 * mebibyte, large: "pass" as const };
      const submission = new ChainSubmission(hops, { origin: "network", uid: 0, route: { ...route, ...limits } });
      for (let count = 0; count < mebibytes; count++) await submission.write(new Uint8Array(mebibyte).fill(10));
      return (await submission.commit({ sender: "", recipients: ["a@a.example"] })).code;
    };
    const codes = await Promise.all([send(50), ...Array.from({ length: 60 }, () => send(8))]);
    hops.close();
    assertEquals(codes.filter((code) => code !== 0), []);
    assert(world.queue.bytes >= 530 * mebibyte);
    // What messages may have, as much again for what has not been collected, and the pipes.
    assert(custom.rss() - before < 320 * mebibyte, `${before} ${custom.rss()}`);
  });
});
