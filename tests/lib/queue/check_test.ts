import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  type Entry,
  expectedFolders,
  type Finding,
  placesOf,
  QueueCheck,
} from "../../../components/lib/queue/check.ts";
import { queueFile } from "../../../components/lib/queue/layout.ts";
import { homeAt } from "../../../config/home.ts";

/** 49 % 23 is 3. */
const id = 49;

function folder(path: string): Entry {
  return { path: path.split("/"), kind: "folder", inode: 1, sizeBytes: 0 };
}

function file(path: string, more: Partial<Entry> = {}): Entry {
  return { path: path.split("/"), kind: "file", inode: id, sizeBytes: 10, ...more };
}

const folders = expectedFolders(23).map(folder);
const [mess, intd, todo] = ["mess/3/49", "intd/49", "todo/49"].map((path) => file(path)) as [Entry, Entry, Entry];
const [info, local, remote, bounce] = ["info/3/49", "local/3/49", "remote/3/49", "bounce/49"].map((path) =>
  file(path, { inode: 7 })
) as [Entry, Entry, Entry, Entry];

function findings(entries: readonly Entry[], writing = false): Finding[] {
  const check = new QueueCheck(23);
  for (const entry of entries) check.take(entry);
  return check.findings({ writing });
}

/** `kind path` of each. */
function found(entries: readonly Entry[], writing = false): string[] {
  return findings([...folders, ...entries], writing).map(({ kind, path }) => `${kind} ${path}`);
}

describe("QueueCheck", () => {
  const whole: readonly { name: string; entries: readonly Entry[] }[] = [
    { name: "an empty queue", entries: [] },
    { name: "S4", entries: [mess, intd, todo] },
    { name: "S4 whose intd is gone already", entries: [mess, todo] },
    { name: "S4 with pieces of S5", entries: [mess, intd, todo, info, local, remote, bounce] },
    { name: "S4 with pieces that are not whole", entries: [mess, todo, file("local/3/49", { defect: "torn" })] },
    { name: "S5 with both channels", entries: [mess, info, local, remote] },
    { name: "S5 with one channel and a bounce", entries: [mess, info, remote, bounce] },
    { name: "S5 with only its bounce left", entries: [mess, info, bounce] },
    { name: "S5 with nothing left but its end", entries: [mess, info] },
    { name: "S2 to S4 with options", entries: [mess, intd, todo, file("options/49", { inode: 8 })] },
    { name: "S5 with options, late", entries: [mess, info, remote, file("options/49"), file("delayed/49")] },
    { name: "kept numbers", entries: [file("journal/numbers/kept.7"), file("journal/numbers/49")] },
    {
      name: "locks, qmail's own among them",
      entries: [
        ...["queuemutex", "sendmutex", "tcpto"].map((name) => file(`lock/${name}`)),
        file("lock/trigger", { kind: "fifo" }),
      ],
    },
  ];
  for (const { name, entries } of whole) it(`finds nothing in ${name}`, () => assertEquals(found(entries), []));

  const onTheirWay: readonly { name: string; entries: readonly Entry[]; want: readonly string[] }[] = [
    { name: "S2", entries: [mess], want: ["no-envelope mess/3/49"] },
    { name: "S3", entries: [mess, intd], want: ["no-envelope mess/3/49"] },
    { name: "a file being born", entries: [file("pid/1.2.3")], want: ["unborn pid/1.2.3"] },
  ];
  for (const { name, entries, want } of onTheirWay) {
    it(`finds ${name} where no qmail-queue runs, and nothing where one does`, () => {
      assertEquals([found(entries, false), found(entries, true)], [want, []]);
    });
  }

  const wrong: readonly { name: string; entries: readonly Entry[]; want: readonly string[] }[] = [
    { name: "a text under another number", entries: [{ ...mess, inode: 50 }, todo], want: ["wrong-inode mess/3/49"] },
    { name: "an envelope without a text", entries: [todo, intd], want: ["no-text todo/49"] },
    { name: "an intd without a text", entries: [intd], want: ["no-text intd/49"] },
    { name: "a preprocessed message without a text", entries: [info, local], want: ["no-text info/3/49"] },
    { name: "recipients without anything else", entries: [remote], want: ["no-text remote/3/49"] },
    { name: "a bounce without anything else", entries: [bounce], want: ["no-text bounce/49"] },
    { name: "a text that is empty", entries: [{ ...mess, sizeBytes: 0 }, todo], want: ["empty-text mess/3/49"] },
    { name: "recipients without a sender", entries: [mess, local, remote], want: ["no-sender local/3/49"] },
    { name: "a bounce without a sender", entries: [mess, bounce], want: ["no-sender bounce/49"] },
    { name: "an intd in S5", entries: [mess, info, local, intd], want: ["leftover-intd intd/49"] },
    { name: "a todo that is not intd", entries: [mess, intd, { ...todo, inode: 50 }], want: ["unlinked-todo todo/49"] },
    { name: "options of no message", entries: [file("options/49")], want: ["leftover-options options/49"] },
    { name: "a note of no message that it is late", entries: [file("delayed/49")], want: ["no-text delayed/49"] },
    { name: "options without a text", entries: [info, file("options/49")], want: ["no-text info/3/49"] },
    { name: "a malformed todo", entries: [mess, { ...todo, defect: "x" }], want: ["format todo/49"] },
    { name: "a malformed info", entries: [mess, { ...info, defect: "x" }], want: ["format info/3/49"] },
    { name: "a malformed local", entries: [mess, info, { ...local, defect: "x" }], want: ["format local/3/49"] },
    { name: "a malformed remote", entries: [mess, info, { ...remote, defect: "x" }], want: ["format remote/3/49"] },
    { name: "a file in another part", entries: [mess, info, file("local/4/49")], want: ["wrong-folder local/4/49"] },
    {
      name: "a text in another part, and so an envelope without one",
      entries: [file("mess/4/49"), todo],
      want: ["wrong-folder mess/4/49", "no-text todo/49"],
    },
    ...[
      ...[
        "todo/x",
        "todo/049",
        "todo/-1",
        "mess/3/.nfs1",
        "mess/49",
        "info/3/49/x",
        "bounce/49~",
        "intd/1.2.3",
        "options/x",
        "delayed/3/49",
      ],
      ...["journal/numbers/kept", "journal/numbers/kept.x", "journal/numbers/kept.1/x", "journal/kept.1"],
      ...["pid/1.2", "pid/1.2.3.4", "pid/49", "lock/__proto__", "lock/other", "mess/23/x", "other", "other/3/49"],
    ].map((path) => ({ name: path, entries: [file(path)], want: [`foreign ${path}`] })),
    { name: "a foreign folder", entries: [folder("mess/23")], want: ["foreign mess/23"] },
    ...(["symlink", "fifo", "folder", "other"] as const).flatMap((kind) => [
      { name: `a ${kind} in mess`, entries: [{ ...mess, kind }], want: ["not-regular mess/3/49"] },
      { name: `a ${kind} in pid`, entries: [file("pid/1.2.3", { kind })], want: ["not-regular pid/1.2.3"] },
      {
        name: `a ${kind} as a lock`,
        entries: [file("lock/sendmutex", { kind })],
        want: ["not-regular lock/sendmutex"],
      },
    ]),
    { name: "a file as qmail's trigger", entries: [file("lock/trigger")], want: ["not-regular lock/trigger"] },
    {
      name: "each message by itself, in the order of the paths",
      entries: [todo, file("todo/26"), mess, file("bounce/3")],
      want: ["no-text bounce/3", "no-text todo/26"],
    },
  ];
  for (const { name, entries, want } of wrong) {
    it(`finds ${name}, whether qmail-queue runs or not`, () => {
      assertEquals([found(entries, false), found(entries, true)], [want, want]);
    });
  }

  it("finds every folder that is missing, or is something else", () => {
    const some = folders.filter(({ path }) => !["pid", "remote/22"].includes(path.join("/")));
    const kinds = findings([...some, { ...folder("remote/22"), kind: "symlink" }]).map((
      { kind, path },
    ) => [kind, path]);
    assertEquals(kinds, [["missing-folder", "pid"], ["not-regular", "remote/22"]]);
    assertEquals(findings([]).length, expectedFolders(23).length);
  });

  it("names the message, and what is wrong in words", () => {
    assertEquals(findings([...folders, mess, { ...todo, defect: "no sender" }]), [
      { kind: "format", path: "todo/49", detail: "no sender", id: 49 },
    ]);
  });
});

describe("a queue split 7 ways", () => {
  it("has its own folders, and its own place for each number", () => {
    const check = new QueueCheck(7);
    const entries = [...expectedFolders(7).map(folder), file("mess/0/49"), intd, todo, mess, folder("mess/7")];
    for (const entry of entries) check.take(entry);
    assertEquals(check.findings({ writing: false }).map(({ kind, path }) => `${kind} ${path}`), [
      "wrong-folder mess/3/49",
      "foreign mess/7",
    ]);
  });
});

describe("placesOf()", () => {
  it("are those of the layout", () => {
    const home = homeAt("/q");
    const dirs = [
      ...["todo", "intd", "bounce", "options", "delayed", "mess", "info", "local", "remote"] as const,
    ];
    assertEquals(
      placesOf(id, 23).map((path) => home.queue(path)).toSorted(),
      dirs.map((dir) => queueFile(home, dir, id)).toSorted(),
    );
  });
});
