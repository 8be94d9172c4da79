/**
 * What clients of every server notice while control files and certificates are read again, and while components are
 * restarted: a 421 between two commands or a 451, never a connection refused or reset; and what was accepted arrives.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";
import { freePort } from "../support/free_port.ts";
import { SteadyLoad } from "../support/steady_load.ts";
import {
  assertGentle,
  loadEveryServer,
  type Servers,
  startServers,
  waitForAll,
} from "../support/servers_under_load.ts";
import { waitFor } from "../support/wait.ts";

describe("clients of all servers, while", () => {
  let servers: Servers;
  const load = new SteadyLoad();

  beforeAll(async () => {
    servers = await startServers();
    loadEveryServer(load, servers, 2);
  });
  afterAll(async () => {
    await load.stop();
    await servers?.system.stop();
  });

  const during = async (act: () => Promise<unknown>) => {
    await load.goOn();
    await act();
    await load.goOn();
    assertGentle(load, servers.system);
  };

  it("control files are read again, notice nothing at all", async () => {
    await during(async () => {
      for (let count = 0; count < 3; count++) assertEquals(await servers.system.reload(), []);
    });
    assertEquals(load.refused, []);
  });

  it("a new certificate and new relay clients come into force, notice nothing at all", async () => {
    const { system } = servers;
    await during(async () => {
      system.writeControl("servercert.pem", await selfSignedCertificate(["localhost"], Date.now()));
      system.writeControl("relayclients", "127.0.0.0/8\n");
      assertEquals(await system.reload(), []);
    });
    assertEquals(load.refused, []);
  });

  it("servers are replaced for the sake of another port, are told to come again at the most", async () => {
    const { system } = servers;
    const before = (await system.component("qmail-smtpd")).pid;
    await during(async () => {
      for (let count = 0; count < 2; count++) {
        const more = ["smtp", "qmtp", "qmqp", "pop3"].map((service) => `${service} 127.0.0.1:${freePort()}\n`).join("");
        system.writeControl("listeners", servers.listeners + more);
        assertEquals(await system.reload(), []);
        await system.waitUntilReady();
      }
    });
    assert((await system.component("qmail-smtpd")).pid !== before);
  });

  it("what the servers ask is restarted, one component after the other, are told to come again at the most", async () => {
    const { system } = servers;
    const { components } = await system.waitUntilReady();
    const others = components.filter(({ name, state }) =>
      state === "running" && !["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-popup"].includes(name)
    );
    await during(async () => {
      for (const { name, pid } of others) {
        await system.signal(name, "SIGTERM");
        await waitFor(async () => {
          const now = await system.component(name);
          return now.state === "running" && now.pid !== pid;
        }, `another ${name}`);
      }
    });
  });

  it("all that happened, lose nothing of what was accepted", async () => {
    await load.stop();
    assert(load.accepted.size > 0);
    await waitForAll(load, servers.system);
  });
});
