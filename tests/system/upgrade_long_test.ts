/**
 * Another version takes the place of the one that runs, under load: every process is replaced, the supervisor included, and
 * clients are told to come again at the most.
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  assertGentle,
  loadEveryServer,
  type Servers,
  startServers,
  waitForAll,
} from "../support/servers_under_load.ts";
import { SteadyLoad } from "../support/steady_load.ts";
import { askSupervisor } from "../../scripts/ask.ts";
import type { System } from "../support/system.ts";
import { otherVersion, pids, staged, upgrade, wordsOf } from "../support/versions.ts";
import { waitFor } from "../support/wait.ts";

describe("an upgrade under load", () => {
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

  it("replaces every process by one of the new version, and removes the old code", async () => {
    await load.goOn();
    const before = await pids(system);
    const dir = otherVersion(system, "next", {});
    const { code, stdout, stderr } = await upgrade(system, dir, "bundles");
    assertEquals([code, stderr], [0, ""]);
    await load.goOn();
    const [, runsFrom] = /^upgraded: runs from (.*)\n$/.exec(stdout)!;
    const now = await pids(system);
    // Those that were asleep are there, too: nobody knows yet whether they are needed.
    assertEquals([...now.keys()].filter((name) => before.has(name)), [...before.keys()]);
    for (const [name, pid] of now) {
      assert(pid !== before.get(name), name);
      const program = wordsOf(pid!).find((word) => word.endsWith(`/components/${name}/main.js`));
      assertEquals(program, `${runsFrom}/components/${name}/main.js`);
    }
    assert(staged(system).length <= 1, `${staged(system)}`);
    assertGentle(load, system);
  });

  it("leaves a system that reloads, and keeps its components up", async () => {
    assertEquals(await system.reload(), []);
    const { pid } = await system.component("qmail-rspawn");
    await system.signal("qmail-rspawn", "SIGKILL");
    await waitFor(async () => {
      const now = await system.component("qmail-rspawn");
      return now.state === "running" && now.pid !== pid;
    }, "another qmail-rspawn");
    await load.goOn();
    assertGentle(load, system);
  });

  it("is refused where the two versions hand over in different ways", async () => {
    const { defects } = await askSupervisor(system.home, { op: "upgrade", protocol: 0 });
    assertEquals(defects, ["it hands over by protocol 1, not 0"]);
    assertEquals((await askSupervisor(system.home, { op: "about" }))["handOver"], 1);
  });

  it("is nobody's business but a successor's that was asked for", async () => {
    assertEquals((await askSupervisor(system.home, { op: "take-over", protocol: 1 }))["ready"], false);
    for (const op of ["retire", "taken", "resume"]) {
      await assertRejects(() => askSupervisor(system.home, { op, component: "qmail-smtpd", reason: "" }));
    }
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
