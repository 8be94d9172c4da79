import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { removeLeftovers } from "../../components/qmail-queue/leftovers.ts";
import { homeAt } from "../../config/home.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { emptyQueue } from "../support/queue_disk.ts";

const home = homeAt("/q");

describe("removeLeftovers()", () => {
  it("removes unborn files, envelopes and options whose text is gone, and nothing else", () => {
    const disk = emptyQueue();
    const envelope = toOctets("u0\0p1\0F\0Tamy@a.example\0");
    const kept = {
      "/q/queue/mess/11/1000": toOctets("a message\n"),
      "/q/queue/todo/1000": envelope,
      "/q/queue/intd/1000": envelope,
      "/q/queue/mess/12/1001": toOctets("one in S5\n"),
      "/q/queue/todo/README": toOctets("no message"),
      "/q/queue/options/1001": toOctets("what its sender asked for"),
    };
    const removed = {
      "/q/queue/pid/17.1795333684.1": toOctets("half a mess"),
      "/q/queue/todo/1002": envelope,
      "/q/queue/intd/1002": envelope,
      "/q/queue/intd/1003": envelope,
      "/q/queue/options/1004": toOctets("of a message that is gone"),
    };
    for (const [path, octets] of Object.entries({ ...kept, ...removed })) disk.put(path, octets);
    removeLeftovers(disk, home);
    assertEquals(Object.keys(disk.files()).sort(), Object.keys(kept).sort());
  });
});
