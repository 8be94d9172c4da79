import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { realDisk } from "../../../components/lib/disk/disk.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { bytes, text } from "../octets.ts";

/** How often `path` is opened while `work` runs. */
async function opensOf(path: string, work: () => Promise<unknown>): Promise<number> {
  const original = Deno.openSync;
  let count = 0;
  Deno.openSync = (opened, options) => {
    if (opened === path) count++;
    return original(opened, options);
  };
  try {
    await work();
    return count;
  } finally {
    Deno.openSync = original;
  }
}

describe("realDisk()", () => {
  it("makes, links, renames, reads and removes files", async () => {
    using dir = tempDir();
    const disk = realDisk();
    const file = disk.create(`${dir.path}/a`, 0o600);
    file.write(bytes("hello"));
    file.writeAt(1, bytes("E"));
    await file.sync();
    const { inode } = file;
    file.close();
    disk.link(`${dir.path}/a`, `${dir.path}/b`);
    disk.rename(`${dir.path}/a`, `${dir.path}/c`);
    disk.setMtime(`${dir.path}/c`, 1_700_000_000);
    assertEquals(disk.list(dir.path).sort(), ["b", "c"]);
    assertEquals(text(disk.readFile(`${dir.path}/b`)), "hEllo");
    const { ctimeSeconds, ...stat } = disk.stat(`${dir.path}/b`)!;
    assertEquals(stat, { inode, sizeBytes: 5, mtimeSeconds: 1_700_000_000, isFile: true });
    assert((ctimeSeconds ?? 0) > stat.mtimeSeconds);
    disk.remove(`${dir.path}/b`);
    disk.remove(`${dir.path}/b`);
    assertEquals(disk.stat(`${dir.path}/b`), undefined);
  });

  it("appends, and makes the file it appends to", () => {
    using dir = tempDir();
    const disk = realDisk();
    for (const piece of ["one\n", "two\n"]) {
      const file = disk.openAppend(`${dir.path}/a`, 0o600);
      file.write(bytes(piece));
      file.close();
    }
    assertEquals(text(disk.readFile(`${dir.path}/a`)), "one\ntwo\n");
  });

  it("makes no file where there is one, and opens none where there is none", () => {
    using dir = tempDir();
    const disk = realDisk();
    disk.create(`${dir.path}/a`, 0o600).close();
    assert(assertThrows(() => disk.create(`${dir.path}/a`, 0o600)) instanceof Deno.errors.AlreadyExists);
    assert(assertThrows(() => disk.openWrite(`${dir.path}/b`)) instanceof Deno.errors.NotFound);
  });

  it("does not follow a symlink to say what there is, nor to make a file", () => {
    using dir = tempDir();
    const disk = realDisk();
    Deno.symlinkSync("/etc/passwd", `${dir.path}/link`);
    Deno.symlinkSync(`${dir.path}/nowhere`, `${dir.path}/dangling`);
    assertEquals(disk.stat(`${dir.path}/link`)?.isFile, false);
    assert(assertThrows(() => disk.create(`${dir.path}/dangling`, 0o600)) instanceof Deno.errors.AlreadyExists);
    assertEquals(disk.stat(`${dir.path}/nowhere`), undefined);
  });
});

describe("realDisk().syncDir()", () => {
  it("is shared by all who ask while one runs: a hundred callers take two", async () => {
    using dir = tempDir();
    const disk = realDisk();
    const count = await opensOf(dir.path, () => Promise.all(Array.from({ length: 100 }, () => disk.syncDir(dir.path))));
    assertEquals(count, 2);
  });

  it("runs again for one who asks after the end of the last", async () => {
    using dir = tempDir();
    const disk = realDisk();
    const count = await opensOf(dir.path, async () => {
      for (let turn = 0; turn < 3; turn++) await disk.syncDir(dir.path);
    });
    assertEquals(count, 3);
  });

  it("begins after its call, so that it covers what the caller has made", async () => {
    using dir = tempDir();
    const disk = realDisk();
    const original = Deno.openSync;
    const seen: string[][] = [];
    Deno.openSync = (path, options) => {
      if (path === dir.path) seen.push(disk.list(dir.path).sort());
      return original(path, options);
    };
    try {
      await Promise.all(["a", "b", "c"].map((name) => {
        disk.create(`${dir.path}/${name}`, 0o600).close();
        return disk.syncDir(dir.path);
      }));
    } finally {
      Deno.openSync = original;
    }
    assertEquals(seen, [["a"], ["a", "b", "c"]]);
  });

  it("rejects for a folder that is not there, and works again when it is", async () => {
    using dir = tempDir();
    const disk = realDisk();
    const absent = `${dir.path}/absent`;
    const errors = await Promise.all([1, 2, 3].map(() => assertRejects(() => disk.syncDir(absent))));
    assert(errors.every((error) => error instanceof Deno.errors.NotFound));
    Deno.mkdirSync(absent);
    await disk.syncDir(absent);
  });
});
