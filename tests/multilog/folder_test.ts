import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { finishedLogs, OpenLog } from "../../components/multilog/log_files.ts";
import { LogFolder } from "../../components/multilog/log_folder.ts";
import { Keeper, mostHeldBytes } from "../../components/multilog/keeper.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const read = (path: string) => Deno.readTextFileSync(path);
const whole = (dir: string) => {
  using log = new OpenLog(dir);
  return log.read(0, log.size);
};
const isExecutable = (path: string) => ((Deno.statSync(path).mode ?? 0) & 0o100) !== 0;

describe("LogFolder", () => {
  it("finishes a file at a line's end, names it by its time, and keeps as many as it is told", async () => {
    using dir = tempDir();
    const folder = new LogFolder(dir.path, { logbytes: 10, logfiles: 3 });
    for (const line of ["1234\n", "5678\n", "abcd\n", "a line too long for a file\n", "x\n", "y\n", "12345678\n"]) {
      assertEquals(await folder.write(encode(line)), { written: line.length });
    }
    const names = finishedLogs(dir.path);
    assertEquals(names.length, 2);
    for (const name of names) {
      assertMatch(name, /^@[0-9a-f]{24}\.s$/);
      assert(isExecutable(`${dir.path}/${name}`));
    }
    assertEquals(names.map((name) => read(`${dir.path}/${name}`)), ["a line too long for a file\n", "x\ny\n"]);
    assertEquals(read(`${dir.path}/current`), "12345678\n");
    await folder.close();
  });

  it("goes on with a file that was closed in order", async () => {
    using dir = tempDir();
    const limits = { logbytes: 100, logfiles: 3 };
    for (const line of ["one\n", "two\n"]) {
      const folder = new LogFolder(dir.path, limits);
      await folder.write(encode(line));
      assert(!isExecutable(`${dir.path}/current`));
      await folder.close();
      assert(isExecutable(`${dir.path}/current`));
    }
    assertEquals(read(`${dir.path}/current`), "one\ntwo\n");
  });

  it("puts a file aside that a crash may have cut, and begins another", async () => {
    using dir = tempDir();
    Deno.writeTextFileSync(`${dir.path}/current`, "one\ntor", { mode: 0o644 });
    const folder = new LogFolder(dir.path, { logbytes: 100, logfiles: 3 });
    await folder.write(encode("two\n"));
    await folder.close();
    const [name] = finishedLogs(dir.path);
    assertMatch(name!, /^@[0-9a-f]{24}\.u$/);
    assertEquals([read(`${dir.path}/${name}`), read(`${dir.path}/current`)], ["one\ntor", "two\n"]);
  });

  it("keeps the order of its files when the clock is set back", async () => {
    using dir = tempDir();
    let nowMs = 5_000_000;
    const folder = new LogFolder(dir.path, { logbytes: 2, logfiles: 9 }, () => nowMs -= 1000);
    for (const line of ["1\n", "2\n", "3\n", "4\n"]) await folder.write(encode(line));
    await folder.close();
    assertEquals(whole(dir.path), "1\n2\n3\n4\n");
  });

  it("loses, repeats and cuts no line, whatever comes together", async () => {
    const anyPiece = fc.array(fc.constantFrom("\n", "a\n", "bcdef\n", "ghijklmnopqrstuvw\n"), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyPiece, { maxLength: 12 }), async (pieces) => {
        using dir = tempDir();
        const folder = new LogFolder(dir.path, { logbytes: 16, logfiles: 1000 });
        const texts = pieces.map((piece) => piece.join(""));
        for (const text of texts) assertEquals(await folder.write(encode(text)), { written: text.length });
        await folder.close();
        assertEquals(whole(dir.path), texts.join(""));
        for (const name of finishedLogs(dir.path)) assert(read(`${dir.path}/${name}`).endsWith("\n"));
      }),
      { numRuns: 30 },
    );
  });
});

describe("Keeper", () => {
  it("writes whole lines, wherever its input is cut, and the last one at the end", async () => {
    using dir = tempDir();
    const keeper = new Keeper(new LogFolder(dir.path, { logbytes: 100, logfiles: 3 }));
    for (const piece of ["on", "e\ntw", "o\nthr", "ee"]) await keeper.take(encode(piece));
    assertEquals([read(`${dir.path}/current`), keeper.written], ["one\ntwo\n", 8]);
    await keeper.close();
    assertEquals(read(`${dir.path}/current`), "one\ntwo\nthree\n");
  });

  it("holds what the disk does not take, says so once, drops what is too much, and counts it", async () => {
    using log = captureLog();
    let isFull = true;
    const written: Uint8Array[] = [];
    const folder = {
      write: (lines: Uint8Array) => {
        if (isFull) return Promise.resolve({ written: 1, trouble: new Error("no room") });
        written.push(lines.slice());
        return Promise.resolve({ written: lines.length });
      },
      close: () => Promise.resolve(),
    };
    const keeper = new Keeper(folder as unknown as LogFolder);
    await keeper.take(encode("one\n"));
    const large = encode(`${"x".repeat(mostHeldBytes / 2)}\n`);
    for (let count = 0; count < 3; count++) await keeper.take(large);
    isFull = false;
    await keeper.close();
    assertEquals(written.map((lines) => new TextDecoder().decode(lines)).join("").replace(/x+/g, "x"), "ne\nx\n");
    assertEquals(log.lines().map((line) => line.replace(/bytes=\d+/, "bytes=N")), [
      "alert: cannot write the log: Error: no room; will try again",
      "written_again lostlines=2 lostbytes=N",
    ]);
  });
});
