import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { StsClient } from "../../components/lib/wire/sts_client.ts";
import { manifest } from "../../components/mta-sts/permissions.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { authority, certificateFor, domainZone, PolicyHosts, policyText, serveText } from "./world.ts";
import { startProcess, World } from "./world.ts";

const name = "mta-sts.x.example";

/** A policy host whose text may change, and a world around it in which mta-sts is a process of its own. */
async function scene() {
  const ca = authority();
  const hosts = new PolicyHosts();
  const state = { text: policyText(), requests: 0 };
  const address = await hosts.start(certificateFor(name, ca), (request, response) => {
    state.requests++;
    serveText(state.text)(request, response);
  });
  const texts = ["v=STSv1; id=1;"];
  const world = await World.withoutSts({
    zone: domainZone("x.example", texts, [address]),
    port: hosts.port,
    ca: ca.cert,
  });
  const mxOf = async (client = world.client()) => {
    const answer = await client.policy("x.example");
    client.close();
    return answer.kind === "policy" ? answer.mx.join() : answer.kind;
  };
  const asyncDispose = async () => {
    await world[Symbol.asyncDispose]();
    await hosts[Symbol.asyncDispose]();
  };
  return { state, texts, world, hosts, mxOf, [Symbol.asyncDispose]: asyncDispose };
}

describe(`mta-sts as a process${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  it("fetches once, again after a change of the id, and keeps the old policy while the host is broken", async () => {
    await using scenery = await scene();
    const { state, texts, world, mxOf } = scenery;
    await using process = await startProcess(world.home);
    assertEquals([await mxOf(), await mxOf(), state.requests], ["mx.x.example", "mx.x.example", 1]);
    state.text = "broken";
    texts[0] = "v=STSv1; id=2;";
    assertEquals([await mxOf(), state.requests], ["mx.x.example", 2]);
    state.text = policyText("new.x.example");
    texts[0] = "v=STSv1; id=3;";
    assertEquals([await mxOf(), state.requests], ["new.x.example", 3]);
    texts.length = 0;
    assertEquals(await mxOf(), "new.x.example");
    await process.log.waitFor(
      (line) => line.startsWith("sts_policy domain=x.example mode=enforce mx=new.x.example"),
      5000,
    );
  });

  it("is missed by no client that has heard of the policy, and fetches anew after a SIGKILL", async () => {
    await using scenery = await scene();
    const { state, world, mxOf } = scenery;
    const clock = { ms: 0 };
    const client = new StsClient(world.home, { nowMs: () => clock.ms });
    const ask = async () => (await client.policy("x.example")).kind;
    {
      await using process = await startProcess(world.home);
      assertEquals(await ask(), "policy");
      await process.end("SIGKILL");
    }
    clock.ms += 3_600_000;
    assertEquals(await ask(), "policy");
    assertEquals(await mxOf(), "none");
    clock.ms += 604_800_000;
    assertEquals(await ask(), "none");
    clock.ms += 3_600_000;
    await using again = await startProcess(world.home);
    assertEquals(await ask(), "policy");
    assertEquals(state.requests, 2);
    client.close();
    assertEquals(await again.end("SIGTERM"), 0);
  });

  it("uses its grant to the last entry, and asks for nothing outside of it", async () => {
    await using scenery = await scene();
    const { world, mxOf } = scenery;
    await using process = await startProcess(world.home, `${world.home.dir}/mta-sts.jsonl`);
    assertEquals(await mxOf(), "mx.x.example");
    assertEquals(await process.end("SIGTERM"), 0);
    const asked = readAudit(world.home.dir, "mta-sts");
    const config = readConfig(world.home, 0);
    assert("controls" in config);
    const grant = manifest.permissions(config);
    const rights = rightsOf(grant, world.home);
    assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
    assertEquals(breaches([manifest], config), []);
    assertEquals(grant.connect, [`0.0.0.0/0:${config.controls.mtastsport}`]);
    assertEquals([grant.write, grant.run, grant.listen], [undefined, undefined, undefined]);
  });

  it("ends the connection that sends garbage, and no other", async () => {
    await using scenery = await scene();
    const { world, mxOf } = scenery;
    await using _process = await startProcess(world.home);
    for (const head of [{ op: "pass" }, { op: "policy", id: -1 }, { op: "policy", id: 1, domain: 7 }]) {
      using conn = await Deno.connect({ transport: "unix", path: world.home.socket("mta-sts") });
      await conn.write(encodeFrame(head)).catch(() => 0);
      assertEquals(await conn.read(new Uint8Array(100)).catch(() => null), null);
    }
    const client = world.client();
    for (const domain of ["", ".", "a..b", "[192.0.2.1]", "\xe9.example", "x".repeat(250), "a b", "_"]) {
      assertEquals(await client.policy(domain), { kind: "none" });
    }
    client.close();
    assertEquals(await mxOf(), "mx.x.example");
  });
});
