/**
 * qmail-remote and hosts that time out: its shell on real sockets, with a clock that the test moves.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Running } from "../../components/lib/process/component.ts";
import { ask } from "../../components/lib/wire/ask.ts";
import { defaultTlsWish } from "../../components/lib/tls/client_policy.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parseSpawnReply } from "../../components/lib/wire/delivery_protocol.ts";
import type { UnixServer } from "../../components/lib/wire/server.ts";
import { parseRemoteStatus } from "../../components/lib/wire/tcpto_protocol.ts";
import { run } from "../../components/qmail-remote/run.ts";
import { homeAt } from "../../config/home.ts";
import { type Blackhole, blackhole } from "../../scripts/bench/fairness/blackhole.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";
import { within } from "../support/wait.ts";
import { acceptEverything, ScriptedServer } from "./support/scripted_server.ts";
import { serveZone, type Zone } from "./support/zone.ts";

const [firstIp, secondIp] = ["127.0.0.2", "127.0.0.3"];
const noConnection = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
const minute = 60_000;
/** An attempt with this limit is one that must not be made, for a report may not take as long. */
const [longMs, reportMs] = [30_000, 10_000];
const zone: Zone = {
  "dead.example MX": [{ value: "a.dead.example", preference: 1 }, { value: "b.dead.example", preference: 2 }],
  "a.dead.example A": [{ value: firstIp }],
  "b.dead.example A": [{ value: secondIp }],
};

describe("qmail-remote and hosts that time out", () => {
  const dir = tempDir();
  const home = homeAt(dir.path);
  const client = new Client(home.socket("qmail-remote"));
  const holes: Blackhole[] = [];
  let port = 0;
  let nowMs = 0;
  let running: Running;
  let resolver: UnixServer;

  beforeAll(async () => {
    for (const name of ["qmail-remote", "remote-status", "resolver"] as const) {
      Deno.mkdirSync(dirname(home.socket(name)), { recursive: true });
    }
    resolver = serveZone(home, zone);
    holes.push(await blackhole(firstIp));
    port = holes[0]!.port;
    holes.push(await blackhole(secondIp, port));
    running = run({ home, portOffset: 0, requestStop: () => {} }, { nowMs: () => nowMs });
  });

  afterAll(async () => {
    client.close();
    await running?.stop();
    resolver?.stop();
    resolver?.closeAll();
    for (const hole of holes) hole[Symbol.dispose]();
    dir[Symbol.dispose]();
  });

  /** The report on a message to `domain`, or through `relayHost`. */
  async function deliver(to: { domain: string; port?: number; relayHost?: string; connectTimeoutMs?: number }) {
    const content = new TextEncoder().encode("x\n");
    const envelope = { sender: "", recipients: [`a@${to.domain}`], sizeBytes: content.length };
    const limits = { connectTimeoutMs: longMs, timeoutMs: longMs };
    const how = { protocol: "smtp", tls: defaultTlsWish, mxps: false, ipv6: false, localAddresses: [] };
    const whereTo = { helo: "me.example", privateAddresses: true, port, ...how };
    const request = { op: "deliver", ...whereTo, ...envelope, ...limits, ...to };
    const reply = await within(client.request(request, content), reportMs, () => `a report on ${to.domain}`);
    const [report] = parseSpawnReply(reply, 1).reports;
    return report!.verdict + report!.text;
  }

  const toDead = (connectTimeoutMs: number) => deliver({ domain: "dead.example", connectTimeoutMs });

  async function records(): Promise<[string, number, number][]> {
    const { tcpTimeouts } = parseRemoteStatus(await ask(home.socket("remote-status"), { op: "status" }));
    return tcpTimeouts.map(({ address, ageSeconds, timeouts }) => [address, ageSeconds, timeouts]);
  }

  it("records a silent host once for each outage of two minutes, for all to see", async () => {
    assertEquals(await records(), []);
    assertEquals(await toDead(100), noConnection);
    nowMs += 23_000;
    assertEquals(await records(), [[firstIp, 23, 1], [secondIp, 23, 1]]);
    assertEquals(await toDead(100), noConnection);
    assertEquals(await records(), [[firstIp, 23, 1], [secondIp, 23, 1]]);
    nowMs += 2 * minute;
    assertEquals(await toDead(100), noConnection);
    assertEquals(await records(), [[firstIp, 0, 2], [secondIp, 0, 2]]);
  });

  it("then defers mail for it without an attempt, and without a slot where all are taken", async () => {
    nowMs += minute;
    const gate = Promise.withResolvers<void>();
    let greeted = 0;
    const allGreeted = Promise.withResolvers<void>();
    const busy = new ScriptedServer();
    busy.script = async (talk) => {
      if (++greeted === 40) allGreeted.resolve();
      await gate.promise;
      await acceptEverything()(talk);
    };
    const others = Array.from(
      { length: 41 },
      (_, n) => deliver({ domain: `${n}.example`, relayHost: "127.0.0.1", port: busy.port }),
    );
    await allGreeted.promise;
    const report = await toDead(longMs).finally(() => gate.resolve());
    assertEquals(report, noConnection);
    assertEquals((await Promise.all(others)).filter((report) => !report.startsWith("K")), []);
    await busy.stop();
    assertEquals(await records(), [[firstIp, 60, 2], [secondIp, 60, 2]]);
  });

  it("tries the other exchangers of one that is passed over", async () => {
    holes.pop()![Symbol.dispose]();
    const second = new ScriptedServer(secondIp, port);
    // Its own record has to go first: it was silent as well.
    using log = captureLog();
    await client.request({ op: "tcpok" });
    for (let round = 0; round < 2; round++) {
      nowMs += 3 * minute;
      assertStringIncludes(await toDead(1000), `K${secondIp} accepted message.`);
      await second.hangUp();
    }
    assertEquals(await records(), [[firstIp, 0, 2]]);
    assertStringIncludes(await toDead(longMs), `K${secondIp} accepted message.`);
    await second.stop();
    assertEquals(log.lines(), ["tcpok records=2"]);
  });

  it("tries it again 97 minutes later, and forgets it when it answers", async () => {
    holes.pop()![Symbol.dispose]();
    const first = new ScriptedServer(firstIp, port);
    nowMs += 98 * minute;
    assertStringIncludes(await toDead(longMs), `K${firstIp} accepted message.`);
    await first.stop();
    assertEquals(await records(), []);
  });

  it("uses a connection that stands, to whatever host", async () => {
    using _log = captureLog();
    const server = new ScriptedServer(firstIp);
    using silent = await blackhole(firstIp);
    const to = { domain: "c.example", relayHost: firstIp };
    assertStringIncludes(await deliver({ ...to, port: server.port }), "K");
    for (let round = 0; round < 2; round++) {
      nowMs += 3 * minute;
      assertEquals(await deliver({ ...to, port: silent.port, connectTimeoutMs: 20 }), noConnection);
    }
    assertStringIncludes(await deliver({ ...to, port: server.port }), "K");
    assertEquals(server.connections, 1);
    await server.stop();
    assertEquals(await deliver({ ...to, port: server.port }), noConnection);
    await client.request({ op: "tcpok" });
  });

  it("does not record a host that refuses", async () => {
    for (let round = 0; round < 3; round++) {
      nowMs += 3 * minute;
      assertEquals(await toDead(longMs), noConnection);
    }
    assertEquals(await records(), []);
  });
});
