/** What the meter counts is counted whichever function is called: else a budget would pass by what it does not see. */
import fs from "node:fs";
import { connect, createServer } from "node:net";
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { log } from "../../components/lib/log/log.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { Tally } from "./budget.ts";
import { memoryPair } from "./memory_conn.ts";
import { Meter } from "./meter.ts";
import { MemoryDoor } from "./metered_sockets.ts";
import { meterNet } from "./metered_net.ts";
import { tempDir } from "./temp_dir.ts";

const octets = new Uint8Array(10);

describe("Meter", () => {
  it("counts calls for files by kind, of Deno's and of node's, at once and later", async () => {
    using dir = tempDir();
    using meter = new Meter({ files: true });
    const [path, other] = [`${dir.path}/a`, `${dir.path}/b`];
    const counts = await meter.during(async () => {
      using file = Deno.openSync(path, { write: true, create: true });
      file.writeSync(octets);
      await file.write(octets);
      file.statSync();
      file.syncDataSync();
      await file.syncData();
      using folder = await Deno.open(dir.path);
      await folder.sync();
      Deno.renameSync(path, other);
      await Deno.link(other, path);
      Deno.lstatSync(path);
      Deno.realPathSync(path);
      await Deno.readFile(path);
      const fd = fs.openSync(path, "r");
      fs.fstatSync(fd);
      fs.readSync(fd, octets);
      fs.closeSync(fd);
      await Deno.writeFile(path, octets);
      Deno.removeSync(path);
    });
    assertEquals(counts, {
      ...{ opens: 3, writes: 3, looks: 4, reads: 2, syncs: 2, "folder syncs": 1, renames: 1, links: 1, removes: 1 },
    });
  });

  it("counts timers and log lines, and lets no time of day pass", async () => {
    using meter = new Meter();
    const nowMs = Date.now();
    const counts = await meter.during(async () => {
      clearTimeout(setTimeout(() => {}, 1000));
      clearInterval(setInterval(() => {}, 1000));
      log("one");
      log("two");
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
    assertEquals([counts, Date.now()], [{ timers: 3, "log lines": 2 }, nowMs]);
  });

  it("counts frames to a socket's two sides, connections, and those of one write", async () => {
    using dir = tempDir();
    const path = `${dir.path}/s`;
    using meter = new Meter({ calls: { [path]: "server" }, serves: { [path]: "client" } });
    const server = serveUnix(path, {
      onFrame: ({ head }, pipe) => pipe.send({ id: head["id"] }),
      onError: () => {},
    });
    const client = new Client(path);
    const counts = await meter.during(async () => {
      await client.request({ op: "ask" });
      await Promise.all([client.request({ op: "ask" }), client.request({ op: "ask" })]);
    });
    const { "octets to client": back = 0, "octets to server": there = 0, "writes to client": replies, ...others } =
      counts;
    assertEquals([back > there / 3, replies === 2 || replies === 3], [true, true]);
    assertEquals(others, {
      "connections to server": 1,
      "frames to server": 3,
      "writes to server": 2,
      "frames to client": 3,
    });
    client.close();
    server.stop();
    server.closeAll();
  });

  it("counts reads from, and writes to, TCP clients, which are in memory", async () => {
    const door = new MemoryDoor();
    using meter = new Meter({ door });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const counts = await meter.during(async () => {
      const client = door.connect();
      const conn = await listener.accept();
      await conn.write(octets);
      await client.write(octets);
      await conn.read(new Uint8Array(6));
      await conn.read(new Uint8Array(6));
      client.close();
      assertEquals(await conn.read(new Uint8Array(6)), null);
    });
    listener.close();
    assertEquals(counts, { connections: 1, "writes to the client": 1, "reads from the client": 2 });
  });
});

describe("meterNet()", () => {
  it("counts connections of node's, what leaves in one write, and what comes", async () => {
    const server = createServer((socket) => {
      socket.on("data", () => socket.end("bye"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const tally = new Tally();
    // The server's own sockets are node's, too: they are counted as the client's are, but for the connection.
    const net = meterNet(tally, "it");
    const socket = connect({ port, host: "127.0.0.1" });
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.write("hello");
    await new Promise<void>((resolve) => socket.on("data", () => {}).once("close", () => resolve()));
    net[Symbol.dispose]();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    assertEquals(tally.now(), { "connections to it": 1, "writes to it": 2, "reads from it": 2 });
  });
});

describe("memoryPair()", () => {
  it("carries frames both ways, and ends", async () => {
    const [a, b] = memoryPair().map((conn) => new Pipe(conn)) as [Pipe, Pipe];
    a.send({ op: "there" });
    a.send({ op: "too" });
    const frames = b.frames();
    assertEquals((await frames.next()).value?.head, { op: "there" });
    assertEquals((await frames.next()).value?.head, { op: "too" });
    await a.flushed();
    a.close();
    assertEquals((await frames.next()).done, true);
  });
});
