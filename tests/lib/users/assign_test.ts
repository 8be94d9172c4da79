import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CdbMaker, type CdbRecord } from "../../../components/lib/cdb/maker.ts";
import { cdbBytes, type CdbSource } from "../../../components/lib/cdb/reader.ts";
import { compileAssign, findAssigned } from "../../../components/lib/users/assign.ts";
import { bytes, text } from "../octets.ts";

function cdbOf(records: readonly CdbRecord[]): CdbSource {
  const maker = new CdbMaker();
  const octets = records.map((record) => text(maker.add(record))).join("");
  const { tables, header } = maker.finish();
  return cdbBytes(bytes([text(header), octets, ...tables.map(text)].join("")));
}

function compiled(assign: string): CdbSource {
  const records = compileAssign(assign);
  if (!records.ok) throw new Error(records.error);
  return cdbOf(records.value);
}

/** qmail's own example, more or less. */
const assign = `=joe.shmoe:joe:503:78:/home/joe:::
=Joe-Own:own:504:78:/home/own:-:x:
+joe-:joe:503:78:/home/joe:-::
+joe-list-:list:505:78:/home/list:-:all-:
+SHOUT-:shout:506:78:/home/shout:-::
+:alias:7790:2108:/var/qmail/alias:-::
=joe.shmoe:second:1:1:/second:::
.
=after:the:1:1:/end:::
`;

describe("compileAssign()", () => {
  it("makes qmail's records, in the file's order, and the set of wildcards' ends", () => {
    const records = compileAssign(assign.split("\n").filter((_, at) => at !== 1 && at !== 3 && at !== 4).join("\n"));
    assertEquals(records.ok && records.value.map(({ key, data }) => [text(key), text(data)]), [
      ["!joe.shmoe\0", "joe\x00503\x0078\0/home/joe\0\0"],
      ["!joe-", "joe\x00503\x0078\0/home/joe\0-\0"],
      ["!", "alias\x007790\x002108\0/var/qmail/alias\0-\0"],
      ["!joe.shmoe\0", "second\x001\x001\0/second\0\0"],
      ["", "-"],
    ]);
  });

  const defects: readonly { readonly file: string; readonly error: string }[] = [
    { file: "", error: "line 1: expected a line with a dot at the end" },
    { file: "=a:a:1:1:/a:::\n", error: "line 2: expected a line with a dot at the end" },
    { file: "=a:a:1:1:/a:::", error: "line 1: expected a line with a dot at the end" },
    { file: "=a:a:1:1:/a::\n.\n", error: "line 1: expected user:uid:gid:home:dash:extension: behind the local part" },
    { file: "=a\n.\n", error: "line 1: expected = or + in front of a local part, and a colon behind it" },
    { file: "\n.\n", error: "line 1: expected = or + in front of a local part, and a colon behind it" },
    { file: ".\n", error: "" },
    { file: ".", error: "" },
    { file: ":a:1:1:/a:::\n.\n", error: "line 1: expected = or + in front of a local part, and a colon behind it" },
    { file: "=a:a:1:1:/a:::\n=b:b:1:1:/b:::\0\n.\n", error: "line 2: expected no NUL" },
  ];
  for (const { file, error } of defects) {
    it(`${JSON.stringify(file)}: ${error === "" ? "is good" : error}`, () => {
      const records = compileAssign(file);
      assertEquals(records.ok ? "" : records.error, error);
    });
  }
});

const rows: readonly {
  readonly local: string;
  readonly want: readonly [user: string, dash: string, extension: string];
  readonly why: string;
}[] = [
  { local: "joe.shmoe", want: ["joe", "", ""], why: "an assignment of its own; of two the first" },
  { local: "Joe.Shmoe", want: ["joe", "", ""], why: "in any case" },
  {
    local: "joe-own",
    want: ["own", "-", "x"],
    why: "an own one goes before a beginning; capitals in the file do not matter",
  },
  { local: "joe-Dist", want: ["joe", "-", "Dist"], why: "a beginning; the rest keeps its case" },
  {
    local: "joe-list-Owner",
    want: ["list", "-", "all-Owner"],
    why: "the longest beginning, and what it puts in front",
  },
  { local: "joe-list", want: ["joe", "-", "list"], why: "which has to be whole" },
  { local: "joe-", want: ["joe", "-", ""], why: "and may be all" },
  { local: "shout-A", want: ["shout", "-", "A"], why: "a beginning in capitals" },
  { local: "joe", want: ["alias", "-", "joe"], why: "the empty beginning has the rest" },
  { local: "", want: ["alias", "-", ""], why: "also nothing" },
  { local: "__proto__", want: ["alias", "-", "__proto__"], why: "a name like any other" },
  { local: "after", want: ["alias", "-", "after"], why: "nothing counts behind the line with a dot" },
  { local: "joe.shmoe\0", want: ["alias", "-", "joe.shmoe\0"], why: "a NUL does not make another key of it" },
];

describe("findAssigned()", () => {
  const cdb = compiled(assign);
  for (const { local, want, why } of rows) {
    it(`${JSON.stringify(local)}: ${why}`, () => {
      const found = findAssigned(cdb, local);
      if (!found.ok || found.value === undefined) throw new Error(`nothing found: ${JSON.stringify(found)}`);
      assertEquals([found.value.user, found.value.dash, found.value.extension], [...want]);
    });
  }

  it("answers numbers and the home; nothing, where there is no line for all", () => {
    assertEquals(findAssigned(cdb, "joe.shmoe"), {
      ok: true,
      value: { user: "joe", uid: 503, gid: 78, home: "/home/joe", dash: "", extension: "" },
    });
    assertEquals(findAssigned(compiled("=a:a:1:1:/a:::\n.\n"), "b"), { ok: true, value: undefined });
  });

  it("knows nothing by a file that is not of qmail-newu, or has a record that is none", () => {
    const find = (local: string, ...pairs: readonly (readonly [string, string])[]) =>
      findAssigned(cdbOf(pairs.map(([key, data]) => ({ key: bytes(key), data: bytes(data) }))), local);
    const noSet = { ok: false, error: "there is no set of wildcards" } as const;
    const noRecord = { ok: false, error: "a record is not user, uid, gid, home, dash and extension" } as const;
    assertEquals(find("a", ["!a\0", "a\x001\x001\0/a\0\0"]), noSet);
    for (const data of ["", "a\x001\x001\0/a\0", "a\0x\x001\0/a\0\0", "a\x001\x001\0a\0\0", "a\x001\x00-1\0/a\0\0"]) {
      assertEquals(find("a", ["!a\0", data], ["", ""]), noRecord, JSON.stringify(data));
    }
  });

  it("finds, for any assignments, what looking through the lines finds", () => {
    const local = fc.stringMatching(/^[aAb-]{0,5}$/);
    const line = fc.tuple(fc.constantFrom("=", "+"), local);
    fc.assert(fc.property(fc.array(line, { maxLength: 8 }), local, (lines, asked) => {
      const file = lines.map(([sign, name], at) => `${sign}${name}:u${at}:1:1:/h:-:e:\n`).join("") + ".\n";
      const lower = asked.toLowerCase();
      const own = lines.findIndex(([sign, name]) => sign === "=" && name.toLowerCase() === lower);
      const lengths = lines.map(([sign, name]) =>
        sign === "+" && lower.startsWith(name.toLowerCase()) ? name.length : -1
      );
      const longest = lengths.indexOf(Math.max(-1, ...lengths));
      const at = own >= 0 ? own : Math.max(...lengths, -1) >= 0 ? longest : -1;
      const want = at < 0 ? undefined : {
        ...{ user: `u${at}`, uid: 1, gid: 1, home: "/h", dash: "-" },
        extension: `e${own >= 0 ? "" : asked.slice(lengths[at])}`,
      };
      assertEquals(findAssigned(compiled(file), asked), { ok: true, value: want });
    }));
  });
});
