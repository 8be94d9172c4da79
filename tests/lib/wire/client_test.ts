import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Client, ConnectionLost } from "../../../components/lib/wire/client.ts";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import { bytes } from "../octets.ts";
import { echo, end, place } from "./support.ts";

describe("Client", () => {
  it("gets the reply to its request, body included", async () => {
    using here = place();
    here.serve({ onFrame: echo });
    const client = new Client(here.path);
    const reply = await client.request({ op: "echo", text: "\xff\0" }, bytes("body"));
    assertEquals([reply.head["text"], reply.body], ["\xff\0", bytes("body")]);
    client.close();
  });

  it("has many requests under way and gives each its own reply, in any order", async () => {
    using here = place();
    const held: [Frame, Pipe][] = [];
    here.serve({
      onFrame: (frame, pipe) => {
        held.push([frame, pipe]);
        if (held.length === 300) held.reverse().forEach(([request, to]) => echo(request, to));
      },
    });
    const client = new Client(here.path);
    const replies = await Promise.all(Array.from({ length: 300 }, (_, n) => client.request({ n })));
    assertEquals(replies.map((reply) => reply.head["n"]), [...Array(300).keys()]);
    client.close();
  });

  it("waits for a server that starts a moment later", async () => {
    using here = place();
    const client = new Client(here.path);
    const reply = client.request({ n: 1 });
    here.serve({ onFrame: echo });
    assertEquals((await reply).head["n"], 1);
    client.close();
  });

  it("connects again after a restart of the server, over the socket the old one left", async () => {
    using here = place();
    const told: string[] = [];
    const closed = Promise.withResolvers<void>();
    const first = here.serve({ onFrame: echo });
    const client = new Client(here.path, {
      onOpen: () => told.push("open"),
      onClose: () => {
        told.push("close");
        closed.resolve();
      },
    });
    await client.request({ n: 1 });
    assert(client.connected);
    end(first);
    await closed.promise;
    assert(!client.connected);
    here.serve({ onFrame: echo });
    assertEquals((await client.request({ n: 2 })).head["n"], 2);
    assertEquals(told, ["open", "close", "open"]);
    client.close();
  });

  it("rejects with ConnectionLost what the server had not answered when it died", async () => {
    using here = place();
    const server = here.serve({ onFrame: (frame) => frame.head["n"] === 2 ? end(server) : undefined });
    const client = new Client(here.path);
    const lost = await Promise.all([1, 2].map((n) => assertRejects(() => client.request({ n }))));
    assert(lost.every((error) => error instanceof ConnectionLost));
    client.close();
  });

  it("rejects with ConnectionLost when nobody listens for connectMs", async () => {
    using here = place();
    const client = new Client(here.path, { connectMs: 20 });
    assert(await assertRejects(() => client.request({})) instanceof ConnectionLost);
    assertEquals(await client.connect(), undefined);
  });

  it("rejects with ConnectionLost on a pipe that is gone", async () => {
    using here = place();
    here.serve({ onFrame: echo });
    const client = new Client(here.path);
    const pipe = (await client.connect())!;
    pipe.close();
    assert(await assertRejects(() => client.requestOn(pipe, client.newId(), {})) instanceof ConnectionLost);
    client.close();
  });

  it("opens a new connection for the next request after it has closed its own", async () => {
    using here = place();
    here.serve({ onFrame: echo });
    const client = new Client(here.path);
    (await client.connect())!.close();
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    client.close();
  });

  it("hands over frames that answer nothing", async () => {
    using here = place();
    here.serve({ onOpen: (pipe) => pipe.send({ op: "notice", id: 99 }) });
    const noticed = Promise.withResolvers<Frame>();
    const client = new Client(here.path, { onFrame: noticed.resolve });
    await client.stayConnected();
    assertEquals((await noticed.promise).head, { op: "notice", id: 99 });
    client.close();
  });

  it("ends a connection that sends garbage, says so, and loses what waits on it", async () => {
    using here = place();
    const errors: unknown[] = [];
    const listener = Deno.listen({ transport: "unix", path: here.path });
    const accepted = listener.accept();
    const client = new Client(here.path, { onError: (error) => errors.push(error) });
    const reply = assertRejects(() => client.request({ n: 1 }));
    using conn = await accepted;
    await conn.write(bytes("220 not a frame\r\n"));
    assert(await reply instanceof ConnectionLost);
    assertEquals(errors.map((error) => (error as Error).name), ["FrameError"]);
    listener.close();
    client.close();
  });

  it("opens nothing any more when it is closed while it connects", async () => {
    using here = place();
    const gone = Promise.withResolvers<void>();
    here.serve({ onClose: () => gone.resolve() });
    const client = new Client(here.path);
    const connecting = client.connect();
    client.close();
    assertEquals(await connecting, undefined);
    assert(!client.connected);
    await gone.promise;
  });
});
