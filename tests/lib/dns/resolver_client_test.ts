import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { ResolverClient } from "../../../components/lib/dns/resolver_client.ts";
import { parseResolveRequest, type ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";
import { serveUnix, type UnixServer } from "../../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../../config/home.ts";

const temporary: ResolveReply = { status: "temporary", authenticated: false, records: [] };

describe("ResolverClient", () => {
  let home: Home;
  let servers: UnixServer[];
  let asked: string[];

  /** A resolver that answers by `answer`; `undefined`: not at all. */
  function serve(answer: (name: string) => object | undefined): UnixServer {
    const server = serveUnix(home.socket("resolver"), {
      onError: () => {},
      onFrame(frame, pipe) {
        const { id, name, type } = parseResolveRequest(frame);
        asked.push(`${name} ${type}`);
        const reply = answer(name);
        if (reply === undefined) pipe.close();
        else pipe.send({ id, ...reply });
      },
    });
    servers.push(server);
    return server;
  }

  beforeEach(() => {
    home = homeAt(Deno.makeTempDirSync());
    Deno.mkdirSync(home.run("resolver"), { recursive: true });
    servers = [];
    asked = [];
  });

  afterEach(() => {
    for (const server of servers) {
      server.closeAll();
      try {
        server.stop();
      } catch {
        // The test stopped it.
      }
    }
    Deno.removeSync(home.dir, { recursive: true });
  });

  it("hands on what the resolver says", async () => {
    const reply: ResolveReply = {
      status: "ok",
      authenticated: true,
      records: [{ value: "mx.b.example", preference: 10 }],
    };
    serve(() => reply);
    const client = new ResolverClient(home);
    assertEquals(await client.resolve("b.example", "MX"), reply);
    client.close();
  });

  it("asks in lower case and without the final dot", async () => {
    serve(() => ({ status: "nodata", authenticated: false, records: [] }));
    const client = new ResolverClient(home);
    await client.resolve("B.Example.", "A");
    assertEquals(asked, ["b.example A"]);
    client.close();
  });

  it("answers temporary when the resolver is away", async () => {
    const client = new ResolverClient(home);
    assertEquals(await client.resolve("b.example", "A"), temporary);
    client.close();
  });

  it("answers temporary when the resolver goes away in between, and finds the next one", async () => {
    const first = serve(() => undefined);
    const client = new ResolverClient(home);
    assertEquals(await client.resolve("b.example", "A"), temporary);
    first.stop();
    serve(() => ({ status: "nxdomain", authenticated: false, records: [] }));
    assertEquals((await client.resolve("b.example", "A")).status, "nxdomain");
    client.close();
  });

  it("answers temporary when no answer comes in time", async () => {
    const server = serveUnix(home.socket("resolver"), { onError: () => {}, onFrame: () => {} });
    servers.push(server);
    const client = new ResolverClient(home, { timeoutMs: 1 });
    assertEquals(await client.resolve("b.example", "A"), temporary);
    client.close();
  });

  it("answers temporary to a reply that is none", async () => {
    serve(() => ({ status: "fine" }));
    const client = new ResolverClient(home);
    assertEquals(await client.resolve("b.example", "A"), temporary);
    client.close();
  });

  for (const name of ["", ".", "a..b", "a\tb", "\u00e4.example", `${"a".repeat(64)}.example`, "a.".repeat(200)]) {
    it(`knows without asking that ${JSON.stringify(name.slice(0, 30))} does not exist`, async () => {
      serve(() => temporary);
      const client = new ResolverClient(home);
      assertEquals((await client.resolve(name, "A")).status, "nxdomain");
      assertEquals(asked, []);
      client.close();
    });
  }
});
