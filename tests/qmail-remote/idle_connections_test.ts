import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dial } from "../../components/qmail-remote/dial.ts";
import { IdleConnections } from "../../components/qmail-remote/idle_connections.ts";
import { type Peer, plainPeer } from "../../components/qmail-remote/peer.ts";
import { ScriptedServer } from "./support/scripted_server.ts";

describe("IdleConnections", () => {
  const rows: readonly (readonly [string, Peer, number, boolean])[] = [
    ["keeps a connection that has carried a message", plainPeer, 1, true],
    ["closes one that has carried a hundred", plainPeer, 100, false],
    ["keeps one that may carry more by its server's MAILMAX", { ...plainPeer, limits: { mailMax: 3 } }, 2, true],
    ["closes one that may not", { ...plainPeer, limits: { mailMax: 3 } }, 3, false],
  ];
  for (const [name, peer, transactions, isKept] of rows) {
    it(name, async () => {
      const server = new ScriptedServer();
      const said = Promise.withResolvers<string>();
      server.script = async (talk) => said.resolve(await talk.remainder());
      const dialled = await dial("127.0.0.1", server.port, { timeoutMs: 20_000 });
      if (dialled.kind !== "connected") throw new Error(dialled.kind);
      const idle = new IdleConnections();
      idle.keep("key", { connection: dialled.connection, peer, transactions });
      assertEquals([idle.has("key"), idle.has("other")], [isKept, false]);
      idle.closeAll();
      assertEquals(await said.promise, "QUIT\r\n");
      await server.stop();
    });
  }
});
