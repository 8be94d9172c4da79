import { once } from "node:events";
import net from "node:net";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { Child } from "../../../scripts/bench/json_lines.ts";
import { type LoadJob, runLoad, startLoad } from "../../../scripts/bench/load.ts";
import { type SinkReport, type SinkRequest, startSink } from "../../../scripts/bench/sink.ts";

const job: LoadJob = {
  host: "127.0.0.1",
  port: 0,
  sessions: 7,
  messages: 50,
  sizeBytes: 3000,
  reuse: false,
  pipelining: true,
  reversePath: "a@a.example",
  recipient: "x%n@b.example",
  recipientsPerMessage: 1,
  users: 100,
  domains: 1,
  firstNumber: 1000,
  limitMs: 30_000,
};

const limitMs = 30_000;

describe("runLoad()", () => {
  const rows: { name: string; change: Partial<LoadJob>; connections: number; recipients: number }[] = [
    { name: "a connection for each message", change: {}, connections: 50, recipients: 50 },
    { name: "kept connections", change: { reuse: true }, connections: 7, recipients: 50 },
    { name: "no pipelining", change: { pipelining: false, reuse: true }, connections: 7, recipients: 50 },
    { name: "three recipients each", change: { recipientsPerMessage: 3 }, connections: 50, recipients: 150 },
    { name: "fewer messages than sessions", change: { messages: 2 }, connections: 2, recipients: 2 },
    { name: "a large message", change: { messages: 2, sizeBytes: 3_000_000 }, connections: 2, recipients: 2 },
  ];
  for (const { name, change, connections, recipients } of rows) {
    it(`agrees with the sink on what was sent: ${name}`, async () => {
      await using sink = await startSink({ port: 0, delayMs: 0 });
      const load = await runLoad({ ...job, ...change, port: sink.port });
      const report = await sink.reached(recipients, limitMs);
      const messages = change.messages ?? job.messages;
      assertEquals([load.accepted, load.refused, load.errors, load.unfinished], [messages, 0, 0, 0]);
      assertEquals([load.recipientsAccepted, load.recipientsRefused, load.firstError], [recipients, 0, undefined]);
      assertEquals([report.messages, report.numbers, report.unnumbered, report.late], [messages, messages, 0, 0]);
      assertEquals([report.recipients, report.deliveries, report.duplicates], [recipients, recipients, 0]);
      assertEquals(report.connections, connections);
    });
  }

  it("sends one message to very many recipients", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const many = { recipient: "r%n@d%h.example", domains: 1000, recipientsPerMessage: 10_000 };
    const load = await runLoad({ ...job, ...many, port: sink.port, sessions: 1, messages: 1 });
    assertEquals([load.accepted, load.recipientsAccepted], [1, 10_000]);
    assertEquals(sink.report().deliveries, 10_000);
  });

  it("counts connections that end too soon as errors", async () => {
    await using server = await serve((socket) => socket.end());
    const load = await runLoad({ ...job, port: server.port });
    assertEquals([load.accepted, load.refused, load.errors, load.unfinished], [0, 0, 50, 0]);
    assertEquals(load.firstError, "connection closed too soon");
  });

  it("counts a greeting that refuses as refused and keeps the reply", async () => {
    await using server = await serve((socket) => socket.end("421 4.3.2 too busy\r\n"));
    const load = await runLoad({ ...job, port: server.port });
    assertEquals([load.accepted, load.refused, load.errors, load.unfinished], [0, 50, 0, 0]);
    assertEquals(load.firstError, "421 4.3.2 too busy");
  });

  it("ends when its time is over, with the rest unfinished", async () => {
    await using server = await serve(() => {});
    const load = await runLoad({ ...job, port: server.port, limitMs: 10 });
    assertEquals([load.accepted, load.refused, load.errors, load.unfinished], [0, 0, 0, 50]);
  });

  it("refuses an address outside the loopback network", async () => {
    await assertRejects(() => runLoad({ ...job, host: "192.0.2.1", port: 25 }));
  });
});

describe("startSink()", () => {
  it("counts the same message to the same recipient as a duplicate, and numbers of an earlier run as late", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    await runLoad({ ...job, port: sink.port });
    await runLoad({ ...job, port: sink.port, messages: 20 });
    assertEquals([sink.report().deliveries, sink.report().duplicates], [50, 20]);
    sink.reset(1010);
    await runLoad({ ...job, port: sink.port });
    assertEquals([sink.report().deliveries, sink.report().duplicates, sink.report().late], [40, 0, 10]);
  });

  it("keeps counting connections that were open before a reset as open, not as new", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const socket = net.connect({ host: "127.0.0.1", port: sink.port });
    await once(socket, "data");
    sink.reset(0);
    assertEquals([sink.report().connections, sink.report().mostOpen], [0, 1]);
    socket.destroy();
  });

  it("answers reached() at the limit with what it has", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    assertEquals((await sink.reached(1, 0)).deliveries, 0);
  });

  it("delays the reply to a message, not the message", async () => {
    await using sink = await startSink({ port: 0, delayMs: 5 });
    const load = await runLoad({ ...job, port: sink.port, reuse: true });
    assertEquals([load.accepted, sink.report().messages], [50, 50]);
  });
});

describe("Child", () => {
  it("runs sink and generator as processes that answer line by line", async () => {
    await using sink = new Child<SinkRequest, SinkReport>("./sink.ts");
    await using load = startLoad();
    const { port } = await sink.ask({ kind: "start", port: 0, delayMs: 0 });
    for (const firstNumber of [0, 50]) {
      await sink.ask({ kind: "reset", firstNumber });
      assertEquals((await load.ask({ ...job, port, firstNumber })).accepted, 50);
      assertEquals((await sink.ask({ kind: "await", deliveries: 50, limitMs })).deliveries, 50);
    }
    assertEquals((await sink.ask({ kind: "report" })).numbers, 50);
  });
});

/** A server on loopback that does as told with each connection. */
async function serve(onConnection: (socket: net.Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // the generator may go first
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
