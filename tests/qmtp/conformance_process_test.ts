/** The conformance table against the processes on loopback. @module */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { hearAll, send } from "./client.ts";
import { ProcessWorld } from "./process_world.ts";
import { assertRow, inputOf, type Protocol, protocols, rowsOf, type TableRow, textBehindReceived } from "./table.ts";

/** Plays a row: where the server is not to close, the client closes its side behind its octets. */
async function play(world: ProcessWorld, protocol: Protocol, row: TableRow): Promise<void> {
  const before = world.queue.messages.length;
  using conn = await world.connect();
  const hearing = hearAll(conn);
  await send(conn, inputOf(row));
  if (row.end === "open") await conn.closeWrite();
  const said = await hearing;
  const queued = world.queue.messages.slice(before).map(({ envelope, content }) => ({
    sender: envelope.sender,
    recipients: envelope.recipients,
    text: textBehindReceived(content, protocol),
  }));
  // That it came to an end shows that the server closed; it never does before all was answered.
  assertRow(row, { said, queued, end: row.end });
}

for (const protocol of protocols) {
  describe(`the conformance table of ${protocol.toUpperCase()}, the process`, () => {
    it("holds, row by row", async () => {
      const limits = [...new Set(rowsOf(protocol).map(({ databytes = 0 }) => databytes))];
      for (const limit of limits) {
        await using world = await ProcessWorld.start(protocol, { controls: { databytes: `${limit}\n` } });
        for (const row of rowsOf(protocol).filter(({ databytes = 0 }) => databytes === limit)) {
          try {
            await play(world, protocol, row);
          } catch (error) {
            throw new Error(`${row.name}: ${error instanceof Error ? error.message : error}\n${world.log.text()}`);
          }
        }
        assertEquals(world.log.text().includes("alert"), false, world.log.text());
      }
    });
  });
}
