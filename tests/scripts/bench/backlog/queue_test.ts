import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { provideHome, roomDefect } from "../../../../scripts/bench/backlog/queue.ts";

const { signal } = new AbortController();

describe("roomDefect()", () => {
  const much = { files: 1e9, bytes: 1e15 };
  it("is none where there is room", () => assertEquals(roomDefect(1_000_000, much, "/srv"), undefined));

  it("names the inodes that a million messages need", () => {
    const defect = roomDefect(1_000_000, { ...much, files: 2_999_999 }, "/srv") ?? "";
    assertStringIncludes(defect, "/srv: they need 3020000 inodes, 2999999 are free");
  });

  it("names the octets", () => {
    assertStringIncludes(roomDefect(1_000_000, { ...much, bytes: 1 << 30 }, "/srv") ?? "", "MiB, 1024 are free");
  });
});

describe("provideHome()", () => {
  it("makes no queue in a folder where something is", async () => {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/letter`, "");
      assertStringIncludes(
        String(await assertRejects(() => provideHome({ kind: "keep", home: dir }, 1, signal))),
        "not empty",
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  it("takes only a home that was kept, and only as long as no attempt is due", async () => {
    const dir = await Deno.makeTempDir();
    try {
      const kept = { kind: "kept", home: dir } as const;
      assertStringIncludes(String(await assertRejects(() => provideHome(kept, 0, signal))), "no queue was made there");
      const nextSeconds = Math.floor(Date.now() / 1000);
      await Deno.writeTextFile(`${dir}/bench-backlog.json`, JSON.stringify({ messages: 5, nextSeconds }));
      assertStringIncludes(String(await assertRejects(() => provideHome(kept, 0, signal))), "attempts are due");
      const later = { messages: 5, nextSeconds: nextSeconds + 1_000_000 };
      await Deno.writeTextFile(`${dir}/bench-backlog.json`, JSON.stringify(later));
      const home = await provideHome(kept, 0, signal);
      assertEquals([home.home, home.messages, home.fillSeconds], [dir, 5, undefined]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
