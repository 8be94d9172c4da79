import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { NextHop } from "../../components/lib/wire/delivery_protocol.ts";
import { freePort } from "../support/free_port.ts";
import { Pair } from "./support/pair.ts";
import { acceptEverything, type Script, ScriptedServer, type Taken } from "./support/scripted_server.ts";
import type { Zone } from "./support/zone.ts";

const isRoot = Deno.uid() === 0;
const ip = "127.0.0.2";

/** Offers STARTTLS, and answers the ClientHello with no TLS; without it, takes mail. */
function brokenTls(taken: Taken[]): Script {
  let connections = 0;
  return async (talk) => {
    if (++connections > 1) return await acceptEverything(taken, ["PIPELINING"])(talk);
    await talk.say("220 mx.example ESMTP\r\n");
    await talk.line();
    await talk.say("250-mx.example\r\n250 STARTTLS\r\n");
    await talk.line();
    await talk.say("220 go\r\n");
    await talk.through("\x16\x03");
    await talk.say("this is no TLS at all\r\n");
    await talk.remainder();
  };
}

describe("what a report says of the way there", () => {
  let server: ScriptedServer;
  const zone: Zone = {
    "d.example MX": [{ value: "mx1.host.example", preference: 1 }],
    "mx1.host.example A": [{ value: ip }],
    "lost.example MX": [{ value: "mx9.lost.example", preference: 1 }, { value: "mx8.other.example", preference: 2 }],
    "mx9.lost.example A": [{ value: "127.0.0.3" }],
    "mx8.other.example A": [{ value: "127.0.0.4" }],
  };

  beforeEach(() => {
    server = new ScriptedServer(ip);
  });
  afterEach(() => server.stop());

  async function nextOf(pair: Pair, recipient: string): Promise<{ letter: string; next: NextHop | undefined }> {
    const { reports } = await pair.spawn(pair.enqueue("x\n"), "s@s.example", [recipient]);
    return { letter: reports[0]!.verdict, next: reports[0]!.next };
  }

  it("names the exchanger's registered domain, the host, its address and the last reply's code", async () => {
    await using pair = await Pair.start({ mxprivate: "1\n", mtasts: "0\n", remoteport: `${server.port}\n` }, zone);
    assertEquals(await nextOf(pair, "a@d.example"), {
      letter: "K",
      next: {
        site: "host.example",
        host: "mx1.host.example",
        ip,
        tls: "none, default, starttls-not-supported",
        code: 250,
      },
    });
  });

  it("names the host that was tried last, and the best one's domain, where none was reached", async () => {
    await using pair = await Pair.start({ mxprivate: "1\n", mtasts: "0\n", remoteport: `${freePort()}\n` }, zone);
    assertEquals(await nextOf(pair, "a@lost.example"), {
      letter: "Z",
      next: { site: "lost.example", host: "mx8.other.example", ip: "127.0.0.4", tls: "", code: 0 },
    });
  });

  it("names a relay, and nothing where there is no host", async () => {
    await using pair = await Pair.start({ smtproutes: `r.example:${ip}:${server.port}\n`, mtasts: "0\n" }, zone);
    assertEquals((await nextOf(pair, "a@r.example")).next, {
      site: ip,
      relay: `${ip}:${server.port}`,
      host: ip,
      ip,
      tls: "none, default, starttls-not-supported",
      code: 250,
    });
    assertEquals((await nextOf(pair, "a@nowhere.example")).next, undefined);
  });

  it("tells a failed handshake's server the message without TLS, once, on another connection", async () => {
    const taken: Taken[] = [];
    server.script = brokenTls(taken);
    await using pair = await Pair.start({ mxprivate: "1\n", mtasts: "0\n", remoteport: `${server.port}\n` }, zone);
    const { letter, next } = await nextOf(pair, "a@d.example");
    assertEquals(
      [letter, next?.tls, taken.length, server.connections],
      ["K", "none, default, validation-failure", 1, 2],
    );
  });

  it("defers instead where control/tlsdestinations demands TLS", async () => {
    const taken: Taken[] = [];
    server.script = brokenTls(taken);
    const controls = { tlsdestinations: "d.example:encrypt\n", mxprivate: "1\n", mtasts: "0\n" };
    await using pair = await Pair.start({ ...controls, remoteport: `${server.port}\n` }, zone);
    assertEquals([(await nextOf(pair, "a@d.example")).letter, taken.length], ["Z", 0]);
  });

  it("defers where mail would leave from an address that the grant does not name yet, and lives on", async () => {
    await using pair = await Pair.start({ mxprivate: "1\n", mtasts: "0\n", remoteport: `${server.port}\n` }, zone);
    Deno.writeTextFileSync(pair.home.control("domainips"), "s.example:127.0.0.7\n");
    pair.rspawn.signal("SIGHUP");
    let last = await nextOf(pair, "a@d.example");
    for (let tries = 0; last.letter === "K" && tries < 200; tries++) last = await nextOf(pair, "a@d.example");
    assertEquals(last.letter, "Z");
    assertMatch((await pair.deliver("x\n", "other@t.example", ["a@d.example"]))[0]!, /^K/);
    const { log } = await pair.remote.stop();
    assertMatch(log, /^not_granted ip=127\.0\.0\.7 port=0$/m);
  });
});

describe("an exchanger whose preference means QMTP (MXPS)", () => {
  const zone: Zone = {
    "d.example MX": [{ value: "mx.host.example", preference: 12_801 }],
    "mx.host.example A": [{ value: ip }],
  };
  const start = (port: number, mxps: string) =>
    Pair.start({ mxps, mxprivate: "1\n", mtasts: "0\n", remoteport: `${port}\n` }, zone);

  for (const mxps of ["1\n", "0\n"]) {
    it(`gets mail over SMTP where it has no QMTP, mxps being ${mxps.trim()}`, async () => {
      const server = new ScriptedServer(ip);
      {
        await using pair = await start(server.port, mxps);
        assertMatch((await pair.deliver("x\n", "s@s.example", ["a@d.example"]))[0]!, /^K/);
      }
      await server.stop();
    });
  }

  const skipped = isRoot ? "" : " (skipped: only root may listen on port 209)";
  it(`gets it over QMTP on port 209, where mxps is 1${skipped}`, { ignore: !isRoot }, async () => {
    const listener = Deno.listen({ hostname: ip, port: 209 });
    const said = (async () => {
      const connection = await listener.accept();
      const buffer = new Uint8Array(1000);
      let text = "";
      while (!text.endsWith("15:11:a@d.example,,")) {
        const count = await connection.read(buffer);
        if (count === null) break;
        text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
      }
      await connection.write(new TextEncoder().encode("7:Kok 1 q,"));
      connection.close();
      return text;
    })();
    {
      await using pair = await start(freePort(), "1\n");
      const report = (await pair.deliver("x\n", "s@s.example", ["a@d.example"]))[0]!;
      assert(report.startsWith("K"), report);
    }
    assertEquals(await said, "3:\nx\n,11:s@s.example,15:11:a@d.example,,");
    listener.close();
  });
});
