/**
 * What becomes of policies when mta-sts, who keeps them, or both die: two real processes, and afterwards a network in
 * which neither the DNS nor the policy's host answers.
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { parseStsMemoryRequest } from "../../components/lib/wire/sts_memory_protocol.ts";
import { manifest as sts } from "../../components/mta-sts/permissions.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { manifest as tlsrpt } from "../../components/tlsrpt/permissions.ts";
import type { Home } from "../../config/home.ts";
import { opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { waitFor } from "../support/wait.ts";
import { authority, certificateFor, domainZone, PolicyHosts, policyText, serveText } from "./world.ts";
import { startProcess, World } from "./world.ts";

/** A world in which x.example has a policy, until all is dark: then the DNS knows of nothing. */
async function scene(controls: Readonly<Record<string, string>> = { tlsrpt: "1\n" }) {
  const hosts = new PolicyHosts();
  const ca = authority();
  const state = { text: policyText(), requests: 0 };
  const address = await hosts.start(certificateFor("mta-sts.x.example", ca), (request, response) => {
    state.requests++;
    serveText(state.text)(request, response);
  });
  const [texts, addresses] = [["v=STSv1; id=1;"], [address]];
  const zone = domainZone("x.example", texts, addresses);
  const world = await World.withoutSts({ zone, port: hosts.port, ca: ca.cert, controls });
  const ask = async () => {
    // One that has heard of nothing yet.
    const client = world.client();
    const answer = await client.policy("x.example");
    client.close();
    return answer.kind === "policy" ? `${answer.mode} ${answer.mx.join()}` : answer.kind;
  };
  const file = () => {
    try {
      return Deno.readTextFileSync(world.home.tlsrpt("policies"));
    } catch {
      return "";
    }
  };
  const written = (words: string) => waitFor(() => file().includes(words), `a file with ${words}`, 20_000);
  return {
    state,
    world,
    ask,
    file,
    written,
    texts,
    dark: () => void (texts.length = addresses.length = 0),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await hosts[Symbol.asyncDispose]();
    },
  };
}

const known = "enforce mx.x.example";

describe(`mta-sts, whose policies tlsrpt keeps${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  it("knows a policy after a SIGKILL of both, with nobody left to ask or a new one that cannot be had", async () => {
    await using scenery = await scene();
    const { world, ask, written, state, texts, dark } = scenery;
    {
      await using keeper = await startProcess(world.home, undefined, tlsrpt);
      await using process = await startProcess(world.home);
      assertEquals(await ask(), known);
      await written("mx.x.example");
      await process.end("SIGKILL");
      await keeper.end("SIGKILL");
    }
    dark();
    {
      // In the other order: it waits for the keeper.
      await using process = await startProcess(world.home);
      await using keeper = await startProcess(world.home, undefined, tlsrpt);
      assertEquals([await ask(), state.requests], [known, 1]);
      await process.log.waitFor((line) => line === "sts_recalled policies=1 garbage=0", 5000);
      texts.push("v=STSv1; id=2;");
      assertEquals(await ask(), known);
      assertEquals(await process.end("SIGTERM"), 0);
      assertEquals(await keeper.end("SIGTERM"), 0);
      assertEquals(keeper.log.lines(), []);
    }
  });

  it("has a withdrawn policy kept as such", async () => {
    await using scenery = await scene();
    const { world, ask, written, state, texts, dark } = scenery;
    await using _keeper = await startProcess(world.home, undefined, tlsrpt);
    {
      await using process = await startProcess(world.home);
      assertEquals(await ask(), known);
      state.text = policyText("mx.x.example", "none");
      texts[0] = "v=STSv1; id=2;";
      assertEquals(await ask(), "none");
      await written("mode: none");
      await process.end("SIGKILL");
    }
    dark();
    await using _process = await startProcess(world.home);
    assertEquals(await ask(), "none");
  });

  it("tells again what the keeper lost, and is told what it lost itself", async () => {
    await using scenery = await scene();
    const { world, ask, file, written, dark } = scenery;
    await using process = await startProcess(world.home);
    {
      await using keeper = await startProcess(world.home, undefined, tlsrpt);
      assertEquals(await ask(), known);
      await written("mx.x.example");
      await keeper.end("SIGKILL");
    }
    Deno.removeSync(world.home.tlsrpt("policies"));
    dark();
    await using keeper = await startProcess(world.home, undefined, tlsrpt);
    await written("mx.x.example");
    await process.end("SIGKILL");
    // What stands there is not all that the keeper knows, but what another one would.
    await keeper.end("SIGKILL");
    assert(file().includes("x.example"));
    await using _keeper = await startProcess(world.home, undefined, tlsrpt);
    await using _process = await startProcess(world.home);
    assertEquals(await ask(), known);
  });

  it("begins with nothing where the file is damaged, and serves and keeps what comes then", async () => {
    await using scenery = await scene();
    const { world, ask, written } = scenery;
    Deno.writeTextFileSync(world.home.tlsrpt("policies"), `0123456789abcdef {"op":"remember"}\n\0\0\0\xff{`);
    await using keeper = await startProcess(world.home, undefined, tlsrpt);
    await using _process = await startProcess(world.home);
    assertEquals(await ask(), known);
    await written("mx.x.example");
    await keeper.log.waitFor((line) => line.startsWith("warning: tlsrpt/policies was damaged; "), 5000);
  });

  it("goes on without the keeper after a moment, and without any file where control/tlsrpt is 0", async () => {
    for (const controls of [{ tlsrpt: "1\n" }, { tlsrpt: "0\n" }]) {
      await using scenery = await scene(controls);
      const { world, ask, dark } = scenery;
      await using process = await startProcess(world.home);
      assertEquals(await ask(), known);
      dark();
      await process.end("SIGKILL");
      await using _again = await startProcess(world.home);
      assertEquals(await ask(), "none");
    }
  });

  it("survives whatever the keeper says", async () => {
    await using scenery = await scene();
    const { world, ask } = scenery;
    let garbage: (pipe: Parameters<Parameters<typeof serveUnix>[1]["onFrame"]>[1], id: number) => void = () => {};
    using _keeper = keeperOf(world.home, (pipe, id) => garbage(pipe, id));
    const policy = { op: "remember", domain: "x.example", policyId: "1", fetchedSeconds: 1, text: "version: STSv1" };
    const frames: readonly object[] = [
      {},
      { op: "remember" },
      policy,
      { ...policy, text: policyText(), policyId: "no id" },
      { ...policy, text: policyText(), domain: "a..b" },
      { ...policy, text: policyText(), domain: "X.example" },
      { ...policy, text: policyText(), fetchedSeconds: -1 },
      { ...policy, text: policyText(), fetchedSeconds: "1" },
      // Whole, and long over.
      { ...policy, text: policyText() },
      // Whole, and from the future.
      { ...policy, domain: "y.example", text: policyText(), fetchedSeconds: Number.MAX_SAFE_INTEGER },
    ];
    garbage = (pipe, id) => {
      for (const frame of frames) pipe.send(frame);
      pipe.send({ id });
    };
    await using process = await startProcess(world.home);
    await process.log.waitFor((line) => line === "sts_recalled policies=2 garbage=8", 5000);
    assertEquals(await ask(), known);
    // Nothing at all, half a frame, or its end: it is asked on another connection.
    let asked = 0;
    garbage = (pipe) => {
      asked++;
      pipe.close();
    };
    await process.end("SIGKILL");
    await using again = await startProcess(world.home);
    await waitFor(() => asked >= 2, "another connection");
    assertEquals(await ask(), known);
    assertEquals(await again.end("SIGTERM"), 0);
  });

  it("has a grant that it uses to the last entry, and so has the keeper", async () => {
    await using scenery = await scene();
    const { world, ask, written } = scenery;
    const { home } = world;
    await using keeper = await startProcess(home, `${home.dir}/tlsrpt.jsonl`, tlsrpt);
    await using process = await startProcess(home, `${home.dir}/mta-sts.jsonl`);
    assertEquals(await ask(), known);
    await written("mx.x.example");
    assertEquals([await process.end("SIGTERM"), await keeper.end("SIGTERM")], [0, 0]);
    const config = readConfig(home, 0);
    assert("controls" in config);
    const rights = rightsOf(sts.permissions(config), home);
    const asked = readAudit(home.dir, "mta-sts");
    assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
    assertEquals(outside(readAudit(home.dir, "tlsrpt"), rightsOf(tlsrpt.permissions(config), home)), []);
    assertEquals(breaches([sts, tlsrpt], config), []);
    const off = { ...config, controls: { ...config.controls, tlsrpt: false, mtasts: false } };
    assertEquals(sts.permissions(off).calls, ["resolver"]);
    assertEquals(tlsrpt.permissions(off).serves, ["tlsrpt"]);
  });
});

/** Somebody in the keeper's place, who answers what is to be recalled. */
function keeperOf(
  home: Home,
  recall: (pipe: Parameters<Parameters<typeof serveUnix>[1]["onFrame"]>[1], id: number) => void,
) {
  const server: UnixServer = serveUnix(home.socket("sts-memory"), {
    onFrame: (frame, pipe) => {
      const request = parseStsMemoryRequest(frame);
      if (request.op === "recall") recall(pipe, request.id);
    },
    onError: () => {},
  });
  return {
    [Symbol.dispose]: () => {
      server.stop();
      server.closeAll();
    },
  };
}
