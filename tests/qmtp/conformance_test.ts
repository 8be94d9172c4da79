import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { captureLog } from "../support/captured_log.ts";
import { PureServer } from "./pure_server.ts";
import { assertRow, inputOf, protocols, rowsOf, type TableRow } from "./table.ts";

for (const protocol of protocols) {
  describe(`the conformance table of ${protocol.toUpperCase()}, a server without a socket`, () => {
    const sizes: readonly (readonly [string, (row: TableRow) => number])[] = [
      ["at once", (row) => inputOf(row).length],
      ["octet by octet", () => 1],
      ["in pieces of 7", () => 7],
    ];
    for (const row of rowsOf(protocol)) {
      it(row.name, async () => {
        for (const [how, sizeOf] of sizes) {
          using _log = captureLog();
          const server = new PureServer(protocol, row);
          const input = inputOf(row);
          const size = Math.max(1, sizeOf(row));
          for (let at = 0; at < input.length; at += size) await server.push(input.slice(at, at + size));
          assertRow(row, server.done);
          server.finish(server.end);
          assertEquals(server.queue.open, 0, how);
        }
      });
    }
  });
}
