import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Client } from "../../../components/lib/wire/client.ts";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import { idleMs, leaveWord, letGo } from "../../../components/lib/wire/idle.ts";
import { tellNeedsTo } from "../../../components/lib/wire/needs.ts";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import { echo, end, place } from "./support.ts";

describe("letGo()", () => {
  it("has clients that wait for nothing close their connections, and make another for their next request", async () => {
    using here = place();
    const server = here.serve({ onFrame: echo });
    const told: string[] = [];
    const options = { onOpen: () => told.push("open"), onClose: () => told.push("close") };
    const client = new Client(here.path, options);
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    assert(await letGo());
    assertEquals([server.connections.size, client.connected], [0, false]);
    assertEquals((await client.request({ n: 2 })).head["n"], 2);
    assertEquals(told, ["open", "close", "open"]);
    client.close();
    end(server);
  });

  it("leaves alone a client that waits for an answer, which comes", async () => {
    using here = place();
    const held = Promise.withResolvers<[Frame, Pipe]>();
    const server = here.serve({ onFrame: (frame, pipe) => held.resolve([frame, pipe]) });
    const client = new Client(here.path);
    const reply = client.request({ n: 1 });
    const [frame, pipe] = await held.promise;
    assertEquals(await letGo(), false);
    echo(frame, pipe);
    assertEquals((await reply).head["n"], 1);
    client.close();
    end(server);
  });

  it("loses no request that crosses the word", async () => {
    using here = place();
    const server = here.serve({
      onOpen: (pipe) => pipe.send(leaveWord),
      onFrame: echo,
    });
    const client = new Client(here.path);
    // The word was on its way before the request: the answer comes over the connection that the request went by.
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    client.close();
    end(server);
  });
});

describe("idleMs()", () => {
  it("is nothing while a connection of a server of sessions stands, asked or not", async () => {
    using here = place();
    const opened = Promise.withResolvers<void>();
    const server = here.serve({ keepsSessions: true, onFrame: echo, onOpen: () => opened.resolve() });
    const client = new Client(here.path);
    await Promise.all([client.connect(), opened.promise]);
    // The time between two lines.
    assert(idleMs() < 100);
    client.close();
    end(server);
  });
});

describe("tellNeed()", () => {
  it("names the socket once for each time that nobody listens, and the request goes on when somebody does", async () => {
    using here = place();
    const needs: string[] = [];
    tellNeedsTo((path) => {
      needs.push(path);
      here.serve({ onFrame: echo });
    });
    const client = new Client(here.path);
    assertEquals((await client.request({ n: 1 })).head["n"], 1);
    assertEquals(needs, [here.path]);
    tellNeedsTo(() => {});
    client.close();
  });
});
