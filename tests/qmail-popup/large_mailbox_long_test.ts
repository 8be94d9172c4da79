/**
 * A mailbox with 100,000 messages, over POP3: what its lists cost in memory.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { waitFor } from "../support/wait.ts";
import type { Pop3Client } from "./pop3_client.ts";
import { Pop3World } from "./world.ts";

const count = 100_000;
const mebibyte = 1024 * 1024;

describe("a mailbox with 100,000 messages", () => {
  it("is listed to many at once in bounded memory, also to one who does not read", async () => {
    await using world = await Pop3World.start({ mail: {} });
    const folder = `${world.maildir()}/cur`;
    for (let at = 0; at < count; at++) {
      // Empty files: what they hold is never read.
      Deno.writeFileSync(`${folder}/17000${String(at).padStart(5, "0")}.M1P2Q${at}.mx:2,S`, new Uint8Array());
    }
    // A folder that has changed a moment ago is read again each time.
    Deno.utimeSync(folder, 1_700_000_000, 1_700_000_000);
    // Messages of the current second are not shown yet.
    await waitFor(async () => {
      using client = await world.loggedIn();
      return await client.ask("STAT") === `+OK ${count} 0`;
    }, "all of them to be shown");
    const rss = () => [world.rss("qmail-popup"), world.rss("qmail-pop3d")];
    const listAll = (clients: readonly Pop3Client[]) =>
      Promise.all(clients.map(async (client) => {
        for (const [command, line] of [["UIDL", "100000 1700099999.M1P2Q99999.mx"], ["LIST", "100000 0"]] as const) {
          await client.ask(command);
          const lines = await client.lines();
          assertEquals([lines.length, lines.at(-1)], [count, line]);
        }
      }));
    using first = await world.loggedIn();
    assertEquals(await first.ask("STAT"), `+OK ${count} 0`);
    await listAll([first, await world.loggedIn()]);
    const before = rss();
    const clients = await Promise.all(Array.from({ length: 10 }, () => world.loggedIn()));
    using silent = await world.loggedIn();
    await silent.send("UIDL\r\nLIST\r\n".repeat(20));
    await listAll(clients);
    for (const client of clients) client[Symbol.dispose]();
    // A list is some 4 MB; a session keeps no more than its place in one.
    const more = rss().map((bytes, at) => Math.round((bytes - before[at]!) / mebibyte));
    console.log(`before: ${before.map((bytes) => Math.round(bytes / mebibyte))} MiB; more: ${more} MiB`);
    for (const mebibytes of more) assert(mebibytes < 64, String(more));
  });
});
