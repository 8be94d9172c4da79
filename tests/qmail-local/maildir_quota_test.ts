import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatEntry,
  formatMaildirSize,
  isDoubtful,
  isOver,
  isTrashed,
  largestMaildirSize,
  oldestSeconds,
  parseMaildirSize,
  sizeInName,
} from "../../components/qmail-local/maildir_quota.ts";
import { noteArrival, roomFor } from "../../components/qmail-local/maildir_size.ts";
import { tempDir } from "../support/temp_dir.ts";

describe("parseMaildirSize()", () => {
  const usage = { bytes: 0, messages: 0 };
  const rows = [
    { text: "10S,2C\n", want: { quota: { maxBytes: 10, maxMessages: 2 }, usage, entries: 0 } },
    {
      text: "10S\n   3 1\n   4 1\n  -3 -1\n",
      want: { quota: { maxBytes: 10, maxMessages: 0 }, usage: { bytes: 4, messages: 1 }, entries: 3 },
    },
    {
      text: "2C,10S\ngarbage\n1 x\n5 1\n",
      want: { quota: { maxBytes: 10, maxMessages: 2 }, usage: { bytes: 5, messages: 1 }, entries: 1 },
    },
    { text: "\n", want: { quota: { maxBytes: 0, maxMessages: 0 }, usage, entries: 0 } },
    { text: "ten\n", want: undefined },
    { text: "10S,5X\n", want: undefined },
    { text: "-5S\n", want: undefined },
  ];
  for (const { text, want } of rows) it(JSON.stringify(text), () => assertEquals(parseMaildirSize(text), want));

  it("reads what formatMaildirSize() and formatEntry() write", () => {
    const number = fc.integer({ min: 1, max: 1e12 });
    fc.assert(fc.property(number, number, fc.array(fc.tuple(fc.nat(), fc.nat())), (maxBytes, maxMessages, entries) => {
      const quota = { maxBytes, maxMessages };
      const lines = entries.map(([bytes, messages]) => formatEntry({ bytes, messages })).join("");
      const sum = (at: 0 | 1) => entries.reduce((all, entry) => all + entry[at], 0);
      assertEquals(parseMaildirSize(formatMaildirSize(quota, { bytes: 1, messages: 2 }) + lines), {
        quota,
        usage: { bytes: 1 + sum(0), messages: 2 + sum(1) },
        entries: entries.length + 1,
      });
    }));
  });
});

describe("isOver()", () => {
  const rows = [
    { quota: [100, 0], used: [60, 1], size: 40, want: false },
    { quota: [100, 0], used: [60, 1], size: 41, want: true },
    { quota: [0, 2], used: [0, 1], size: 9, want: false },
    { quota: [0, 2], used: [0, 2], size: 9, want: true },
    { quota: [0, 0], used: [9, 9], size: 9, want: false },
  ] as const;
  for (const { quota: [maxBytes, maxMessages], used: [bytes, messages], size, want } of rows) {
    it(`${want} for ${size} more over ${bytes} of ${maxBytes}, ${messages} of ${maxMessages}`, () => {
      assertEquals(isOver({ maxBytes, maxMessages }, { bytes, messages }, size), want);
    });
  }
});

describe("isDoubtful()", () => {
  const size = (entries: number, bytes: number) => ({
    quota: { maxBytes: 10, maxMessages: 0 },
    usage: { bytes, messages: 1 },
    entries,
  });
  const rows = [
    { what: "room", got: isDoubtful(size(3, 1), 10_000, 100, 1), want: false },
    { what: "full by many lines", got: isDoubtful(size(3, 10), 0, 100, 1), want: true },
    { what: "full by one fresh line", got: isDoubtful(size(1, 10), oldestSeconds, 100, 1), want: false },
    { what: "full by one old line", got: isDoubtful(size(1, 10), oldestSeconds + 1, 100, 1), want: true },
    { what: "a large file", got: isDoubtful(size(3, 1), 0, largestMaildirSize, 1), want: true },
    { what: "less than nothing", got: isDoubtful(size(3, -1), 0, 100, 1), want: true },
    { what: "never counted", got: isDoubtful(size(0, 0), 0, 100, 1), want: true },
  ];
  for (const { what, got, want } of rows) it(`is ${want} for ${what}`, () => assertEquals(got, want));
});

describe("sizeInName(), isTrashed()", () => {
  const rows = [
    { name: "1.M2P3Q4.h,S=123:2,S", size: 123, trashed: false },
    { name: "1.M2P3Q4.h,S=123,W=130:2,ST", size: 123, trashed: true },
    { name: "1.M2P3Q4.h", size: undefined, trashed: false },
    { name: "1.T.h,S=x:2,", size: undefined, trashed: false },
  ];
  for (const { name, size, trashed } of rows) {
    it(name, () => assertEquals([sizeInName(name), isTrashed(name)], [size, trashed]));
  }
});

describe("roomFor()", () => {
  it("counts new, cur and the folders anew where the sums are in doubt, and leaves the trash out", () => {
    using dir = tempDir();
    for (const folder of ["tmp", "new", "cur", ".Sent/cur", ".Trash/cur"]) {
      Deno.mkdirSync(`${dir.path}/${folder}`, { recursive: true });
    }
    for (
      const name of [
        "new/1.h",
        "cur/2.h,S=20:2,S",
        "cur/3.h,S=500:2,T",
        ".Sent/cur/4.h,S=30:2,",
        ".Trash/cur/5.h,S=900",
      ]
    ) {
      Deno.writeTextFileSync(`${dir.path}/${name}`, "x".repeat(10));
    }
    Deno.writeTextFileSync(`${dir.path}/maildirsize`, "100S\n5000 9\n1 1\n");
    assertEquals(roomFor(dir.path, 40, "n", 0), "room");
    assertEquals(Deno.readTextFileSync(`${dir.path}/maildirsize`).split(/\s+/).slice(0, 3), ["100S", "60", "3"]);
    noteArrival(dir.path, 40);
    assertEquals(roomFor(dir.path, 1, "n2", 0), "room");
  });

  it("takes no file, a symlink and garbage for no limit", () => {
    using dir = tempDir();
    assertEquals(roomFor(dir.path, 1, "n", 0), "unlimited");
    Deno.writeTextFileSync(`${dir.path}/other`, "1S\n");
    Deno.symlinkSync(`${dir.path}/other`, `${dir.path}/maildirsize`);
    assertEquals(roomFor(dir.path, 9, "n", 0), "unlimited");
    Deno.removeSync(`${dir.path}/maildirsize`);
    Deno.writeTextFileSync(`${dir.path}/maildirsize`, "\xff\n\n");
    assertEquals(roomFor(dir.path, 9, "n", 0), "unlimited");
  });
});
