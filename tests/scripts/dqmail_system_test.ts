/**
 * `bin/dqmail` of a running system: what it starts, asks, changes and stops.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { waitForMailWith } from "../support/maildir.ts";
import { isRunning } from "../support/processes.ts";
import { startSystem, type System } from "../support/system.ts";
import { within } from "../support/wait.ts";

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("bin/dqmail of a running system", () => {
  let system: System;
  /** From another folder, with hardly an environment, as cron would. */
  const dqmail = async (...args: readonly string[]): Promise<Answer> => {
    const output = new Deno.Command(system.home.bin("dqmail"), {
      args: [...args],
      cwd: "/",
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
      stdin: "null",
    }).output();
    const { code, stdout, stderr } = await within(output, 60_000, () => `dqmail ${args.join(" ")}`);
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  };

  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system?.stop());

  it("finds its home by itself", async () => {
    const { code, stdout } = await dqmail("status", "--json");
    assertEquals([code, JSON.parse(stdout).pid], [0, (await system.status()).pid]);
  });

  it("sends, and tells the dialogue as JSON", async () => {
    const { code, stdout } = await dqmail("send", "demo@localhost", "--text", "by dqmail", "--json");
    const told = JSON.parse(stdout);
    assertEquals([code, told.sent, told.accepted], [0, true, ["demo@localhost"]]);
    assertMatch(told.dialogue[0], /^S: 220 /);
    await waitForMailWith(system.home, "by dqmail");
    const refused = JSON.parse((await dqmail("send", "nobody@localhost", "--text", "x", "--json")).stdout);
    assertEquals([refused.sent, refused.accepted], [false, []]);
  });

  it("sets a control file that is in force at once, and refuses another that would not be", async () => {
    const set = await dqmail("config", "set", "databytes", "100", "--reload", "--json");
    assertEquals([set.code, JSON.parse(set.stdout).inForce], [0, true]);
    const { code, stdout } = await dqmail("send", "demo@localhost", "--text", "x".repeat(500));
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /^S: 552 /m);
    assertEquals((await dqmail("config", "set", "databytes", "lots", "--reload")).code, 100);
    assertEquals((await dqmail("config", "get", "databytes")).stdout, "100\n");
    assertEquals((await dqmail("config", "set", "databytes", "--default", "--reload")).code, 0);
    assertEquals((await dqmail("config", "check")).code, 0);
  });

  it("makes mailboxes and keys, and tells programs of them", async () => {
    const made = await dqmail("user", "add", "amy@new.example", "--json");
    assertEquals([made.code, JSON.parse(made.stdout)], [0, {
      mailboxes: [{
        mailbox: "amy@new.example",
        maildir: system.home.mail("new.example", "amy", "Maildir"),
        canLogIn: false,
      }],
      newDomains: ["new.example"],
    }]);
    const keys = await dqmail("dkim", "keygen", "new.example", "--bits", "1024", "--json");
    const { domain, keys: [rsa, ed] } = JSON.parse(keys.stdout);
    assertEquals([keys.code, domain, rsa.algorithm, ed.algorithm], [0, "new.example", "rsa-sha256", "ed25519-sha256"]);
    assertStringIncludes(ed.record, `${ed.selector}._domainkey.new.example.`);
    const removed = await dqmail("user", "del", "amy@new.example", "--json");
    assertEquals(JSON.parse(removed.stdout), { removed: ["amy@new.example"] });
  });

  it("reloads, and says as JSON what is in the way", async () => {
    assertEquals(JSON.parse((await dqmail("reload", "--json")).stdout), { reloaded: true, defects: [] });
    system.writeControl("remoteport", "smtp\n");
    const { code, stdout } = await dqmail("reload", "--json");
    const told = JSON.parse(stdout);
    assertEquals([code, told.reloaded, told.defects.length], [100, false, 1]);
    Deno.removeSync(system.home.control("remoteport"));
  });

  it("looks into the queue, and explains", async () => {
    assert(JSON.parse((await dqmail("queue", "stat", "--json")).stdout) !== null);
    const explain = ["--from", "a@b.example", "--to", "demo@localhost", "--ip", "127.0.0.1"];
    assertEquals((await dqmail("explain", ...explain)).code, 0);
  });

  it("stops it, waits for the end, and then finds nothing", async () => {
    const { pid } = await system.status();
    const { code, stdout } = await dqmail("stop", "--json");
    assertEquals([code, JSON.parse(stdout)], [0, { pid, stopped: true }]);
    assert(!isRunning(pid));
    const again = await dqmail("stop");
    assertEquals([again.code, again.stdout], [1, ""]);
    assertMatch(again.stderr, /^no dqmail runs in /);
  });
});
