/**
 * A version that does not come up, under load: what ran goes on, and clients are told to come again at the most.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  assertGentle,
  loadEveryServer,
  type Servers,
  startServers,
  waitForAll,
} from "../support/servers_under_load.ts";
import { SteadyLoad } from "../support/steady_load.ts";
import { checkout, type System } from "../support/system.ts";
import { otherVersion, staged, successorOf, upgrade, upgradeMs } from "../support/versions.ts";

describe("an upgrade that fails under load", () => {
  let servers: Servers;
  let system: System;
  const load = new SteadyLoad();

  beforeAll(async () => {
    servers = await startServers();
    system = servers.system;
    loadEveryServer(load, servers);
  });
  afterAll(async () => {
    await load.stop();
    await system?.stop();
  });

  it("is rolled back where the last of its components, a server, does not come up", async () => {
    const { pid } = await system.waitUntilReady();
    const before = staged(system);
    const dir = otherVersion(system, "without", { "qmail-smtpd": "Deno.exit(111);\n" });
    const { code, stdout, stderr } = await upgrade(system, dir);
    assertEquals([code, stdout], [111, ""]);
    assertStringIncludes(stderr, "qmail-smtpd ended before it was ready");
    await load.goOn();
    assertEquals((await system.waitUntilReady()).pid, pid);
    assertEquals(staged(system), before);
    assertEquals(await system.reload(), []);
    await load.goOn();
    assertGentle(load, system);
  });
  it("is rolled back where the new supervisor is killed", async () => {
    const { pid } = await system.waitUntilReady();
    const from = system.log.length;
    const upgraded = upgrade(system, checkout);
    await system.waitForLog((line) => line === "taken-over component=qmail-queue", upgradeMs, from);
    Deno.kill(successorOf(system, pid)!, "SIGKILL");
    const { code, stderr } = await upgraded;
    assertEquals(code, 111);
    assertEquals(stderr, "not upgraded, everything goes on as before: the successor ended\n");
    assertEquals((await system.waitUntilReady()).pid, pid);
    await load.goOn();
    assertGentle(load, system);
  });

  it("loses nothing of what was accepted", async () => {
    await load.stop();
    assert(load.accepted.size > 0);
    await waitForAll(load, system);
  });

  it("leaves a system that stops in order", async () => {
    assertEquals(await system.end(), 0);
  });
});
