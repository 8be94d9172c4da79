import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { homeAt } from "../../../../config/home.ts";
import { ifThere } from "../../../../components/lib/disk/if_there.ts";
import { parseChannel, parseInfo } from "../../../../components/lib/queue/envelope.ts";
import { type Channel, channels, parseQueueId, queueFile } from "../../../../components/lib/queue/layout.ts";
import { fill } from "../../../../scripts/bench/backlog/fill.ts";
import { prepareFolders } from "../../../../scripts/home/prepare.ts";

const owners = undefined;

describe("fill()", () => {
  it("makes messages in state S5: half local, half remote, born then, due then, named by their inodes", () => {
    const home = homeAt(Deno.makeTempDirSync(), { queueSplit: 5 });
    try {
      prepareFolders(home);
      assertEquals(
        fill({ home: home.dir, queueSplit: 5, first: 10, count: 6, birthSeconds: 1000, nextSeconds: 5000, owners }),
        6,
      );
      const ids = [0, 1, 2, 3, 4].flatMap((part) =>
        Array.from(Deno.readDirSync(home.queue("mess", String(part))), ({ name }) => parseQueueId(name) ?? 0)
      );
      const due: Record<Channel, number[]> = { local: [], remote: [] };
      for (const id of ids) {
        assertEquals(Deno.statSync(queueFile(home, "mess", id)).ino, id);
        assertEquals(parseInfo(Deno.readFileSync(queueFile(home, "info", id))), {
          ok: true,
          value: "sender@source.example",
        });
        assertEquals(secondsOf(queueFile(home, "info", id)), 1000);
        for (const channel of channels) {
          const path = queueFile(home, channel, id);
          const seconds = secondsOf(path);
          if (seconds === undefined) continue;
          due[channel].push(seconds);
          const parsed = parseChannel(Deno.readFileSync(path));
          assertEquals(parsed.ok && parsed.value.map((record) => record.done), [false]);
        }
      }
      assertEquals(due.local.sort(), [5010, 5012, 5014]);
      assertEquals(due.remote.sort(), [5011, 5013, 5015]);
      assertEquals(Array.from(Deno.readDirSync(home.queue("pid"))), []);
    } finally {
      Deno.removeSync(home.dir, { recursive: true });
    }
  });
});

function secondsOf(path: string): number | undefined {
  return ifThere(() => (Deno.statSync(path).mtime?.getTime() ?? 0) / 1000);
}
