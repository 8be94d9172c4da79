import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { ClientSocket } from "../../../components/lib/server/client_socket.ts";
import { memoryPair } from "../../support/memory_conn.ts";

/** What one client's connection brings, chunk by chunk. */
async function connected(listener: Deno.TcpListener): Promise<{ client: Deno.TcpConn; next(): Promise<Uint8Array> }> {
  const [client, conn] = await Promise.all([Deno.connect({ port: listener.addr.port }), listener.accept()]);
  const chunks: Uint8Array[] = [];
  let came = () => {};
  new ClientSocket(conn).listen({
    data: (chunk) => (chunks.push(chunk), came()),
    ...{ end: () => {}, drain: () => {}, close: () => {} },
  });
  return {
    client,
    async next() {
      if (chunks.length === 0) await new Promise<void>((resolve) => came = resolve);
      return chunks.shift()!;
    },
  };
}

describe("ClientSocket", () => {
  it("gives each chunk to its listener to keep and to write to, though small ones share memory", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [one, other] = [await connected(listener), await connected(listener)];
    const kept: Uint8Array[] = [];
    for (let n = 0; n < 400; n++) {
      const { client, next } = n % 2 === 0 ? one : other;
      await client.write(toOctets(`line ${n}`.padEnd(n, ".")));
      kept.push(await next());
    }
    for (const [n, chunk] of kept.entries()) {
      assertEquals(fromOctets(chunk), `line ${n}`.padEnd(n, "."));
      chunk.fill(0);
    }
    for (const { client } of [one, other]) client.close();
  });

  it("has replies leave at once to who sends more than is read at a time, for nothing acknowledges them", async () => {
    for (const [octets, isHasty] of [[100, false], [1023, false], [1024, true], [100_000, true]] as const) {
      const [client, conn] = memoryPair();
      const socket = new ClientSocket(conn as unknown as Deno.TcpConn);
      let received = 0;
      let all = () => {};
      const came = new Promise<void>((resolve) => all = resolve);
      await client.write(new Uint8Array(octets));
      const reply = (chunk: Uint8Array) => {
        socket.write("250 ok\r\n");
        if ((received += chunk.length) === octets) all();
      };
      socket.listen({ data: reply, end: () => {}, drain: () => {}, close: () => {} });
      await came;
      assertEquals([octets, conn.noDelay], [octets, isHasty]);
      socket.destroy();
    }
  });
});
