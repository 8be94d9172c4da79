import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Client } from "../../../components/lib/wire/client.ts";
import { FrameError } from "../../../components/lib/wire/frame.ts";
import { ProtocolError, serveUnix } from "../../../components/lib/wire/server.ts";
import { bytes } from "../octets.ts";
import { echo, place, request } from "./support.ts";

describe("serveUnix()", () => {
  it("takes the place of a socket a dead process left", async () => {
    using here = place();
    const listener = Deno.listen({ transport: "unix", path: here.path });
    // Deno removes the socket with its listener; a process that was killed does not.
    Deno.renameSync(here.path, `${here.path}.kept`);
    listener.close();
    Deno.renameSync(`${here.path}.kept`, here.path);
    here.serve({ onFrame: echo });
    const client = new Client(here.path);
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    client.close();
  });

  it("throws when the folder is not there", () => {
    using here = place();
    let thrown: unknown;
    try {
      serveUnix(`${here.path}/absent/s`, { onFrame: () => {}, onError: () => {} });
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof Error);
  });

  it("closes the connection that sent garbage and no other, and reports it", async () => {
    using here = place();
    const server = here.serve({ onFrame: echo });
    const client = new Client(here.path);
    await client.request({ n: 1 });
    assertEquals(await here.shout(bytes("GET / HTTP/1.1\r\n\r\n")), new Uint8Array());
    assertEquals(here.errors.length, 1);
    assert(here.errors[0] instanceof FrameError);
    assertEquals((await client.request({ n: 2 })).head["n"], 2);
    assertEquals(server.connections.size, 1);
    client.close();
  });

  it("closes the connection whose frame is not of the protocol, and carries out nothing after it", async () => {
    using here = place();
    const seen: unknown[] = [];
    here.serve({
      onFrame: ({ head }) => {
        if (head["op"] !== "good") throw new ProtocolError("not good");
        seen.push(head["n"]);
      },
    });
    const frames = [{ op: "good", n: 1 }, { op: "bad" }, { op: "good", n: 2 }].map(request);
    await here.shout(bytes(frames.map((frame) => String.fromCharCode(...frame)).join("")));
    assertEquals(seen, [1]);
    assert(here.errors[0] instanceof ProtocolError);
  });

  it("survives a mebibyte of random octets", async () => {
    using here = place();
    here.serve({ onFrame: echo });
    const noise = new Uint8Array(1024 * 1024);
    for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
    // An octet over 0 in front: no length that could still be waited for.
    noise[0] = 0xff;
    assertEquals(await here.shout(noise), new Uint8Array());
    assertEquals(here.errors.length, 1);
    const client = new Client(here.path);
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    client.close();
  });

  it("answers or closes, whatever octets come first", async () => {
    using here = place();
    here.serve({ onFrame: echo });
    const client = new Client(here.path);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (octets) => {
        using conn = await Deno.connect({ transport: "unix", path: here.path });
        await conn.write(octets).catch(() => 0);
        assertEquals((await client.request({ n: 1 })).head["n"], 1);
      }),
      { numRuns: 50 },
    );
    assert(here.errors.every((error) => error instanceof FrameError));
    client.close();
  });

  it("tells of connections that open and close", async () => {
    using here = place();
    const told: string[] = [];
    const closed = Promise.withResolvers<void>();
    here.serve({
      onOpen: () => told.push("open"),
      onClose: () => {
        told.push("close");
        closed.resolve();
      },
    });
    (await Deno.connect({ transport: "unix", path: here.path })).close();
    await closed.promise;
    assertEquals(told, ["open", "close"]);
  });
});
