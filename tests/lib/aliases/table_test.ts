/**
 * fastforward's table: as setforward and newaliases read it, in the cdb file, and followed.
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseAliases } from "../../../components/lib/aliases/aliases_file.ts";
import { expand } from "../../../components/lib/aliases/expand.ts";
import {
  formatTable,
  type Instruction,
  parseTable,
  readTable,
  Table,
  TableError,
  tableRecords,
} from "../../../components/lib/aliases/table.ts";
import { writeCdb } from "../../../components/lib/cdb/files.ts";
import { cdbBytes } from "../../../components/lib/cdb/reader.ts";
import { tempDir } from "../../support/temp_dir.ts";

function cdbOf(instructions: readonly Instruction[]): Uint8Array {
  using dir = tempDir();
  using file = Deno.openSync(`${dir.path}/cdb`, { write: true, createNew: true });
  writeCdb(file, tableRecords(instructions));
  return Deno.readFileSync(`${dir.path}/cdb`);
}

const instruction = (target: string, commands: readonly string[], owner?: string): Instruction => ({
  target,
  commands,
  owner,
});

describe("parseTable()", () => {
  const table = [
    { input: "", want: [] },
    { input: "# nothing\n", want: [] },
    {
      input: "Root@A.example: amy@a.example, &-bob@b.example;",
      want: [["root@a.example", ["&amy@a.example", "&-bob@b.example"]]],
    },
    {
      input: "root@: a@b, # for now\n\t|prog\\ -x\\,y, !\\|z;\n@b: ./list;",
      want: [["root@", ["&a@b", "|prog -x,y", "!|z"]], ["@b", ["./list"]]],
    },
    { input: "list@a: ?owner@a; list@a: b@c;", want: [["list@a", ["&b@c"], "owner@a"]] },
    { input: "a\\:b@c: d@e;;", want: undefined },
    { input: "a@b: c@d", want: undefined },
    { input: "a@b", want: undefined },
    { input: ": c@d;", want: undefined },
    { input: "a@b: <c@d>;", want: undefined },
    { input: "a@b: c@d; a@b: e@f;", want: undefined },
    { input: "a@b: c\0@d;", want: undefined },
  ] as const;
  for (const { input, want } of table) {
    it(`reads ${JSON.stringify(input)}`, () => {
      const parsed = parseTable(input);
      const value = want?.map(([target, commands, owner]) => instruction(target, [...commands], owner));
      assertEquals(parsed.ok ? parsed.value : undefined, value);
    });
  }

  it("says the line of what is wrong", () => {
    assertEquals(parseTable("a@b: c@d;\n\ne@f: <x>;"), { ok: false, error: 'an unknown command "<x>" in line 3' });
  });

  it("reads what formatTable() writes, and so does the cdb file", () => {
    const word = fc.string({ unit: fc.constantFrom(..."aB:;,# \\\n\t@\xff?&"), minLength: 1, maxLength: 8 });
    const instructions = fc.uniqueArray(
      fc.record({
        target: word.map((target) => `t${target.toLowerCase()}`),
        commands: fc.array(word.map((command) => `&${command}`), { minLength: 1, maxLength: 3 }),
        owner: fc.option(word, { nil: undefined }),
      }, { noNullPrototype: true }),
      { selector: ({ target }) => target, maxLength: 4 },
    );
    fc.assert(
      fc.property(instructions, (instructions) => {
        assertEquals(parseTable(formatTable(instructions)), { ok: true, value: instructions });
        assertEquals(readTable(cdbOf(instructions)), { ok: true, value: instructions });
      }),
      { numRuns: 50 },
    );
  });
});

describe("readTable() and Table", () => {
  const octets = cdbOf([instruction("a@b", ["&c@d"], "o@p")]);

  it("find commands and owner", () => {
    const table = new Table(cdbBytes(octets));
    assertEquals([table.commands("a@b"), table.owner("a@b"), table.commands("x@y")], [["&c@d"], "o@p", undefined]);
  });

  it("never take a damaged file for one without the target", () => {
    for (let length = 0; length < octets.length; length++) {
      const table = new Table(cdbBytes(octets.subarray(0, length)));
      try {
        // The end of the file may be another key's.
        assertEquals(table.commands("a@b"), ["&c@d"]);
      } catch (error) {
        assert(error instanceof TableError, String(error));
      }
    }
  });

  it("throw nothing else, whatever octets come", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 2048, maxLength: 2200 }), (octets) => {
      readTable(octets);
    }));
    assertEquals(readTable(octets.subarray(0, 2000)).ok, false);
  });
});

describe("parseAliases()", () => {
  const text = `# for everybody
postmaster: root
Root: amy, \\root,
  "|/usr/bin/log \\"x\\"", bob@b.example
"list, all"@c.example: :include:/etc/list
owner-staff: amy
staff: bob, carl
`;
  it("makes a table of it", () => {
    assertEquals(parseAliases(text), {
      ok: true,
      value: [
        instruction("postmaster@", ["&root@"]),
        instruction("root@", ["&amy@", "&root", '!/usr/bin/log "x"', "&bob@b.example"]),
        instruction("list, all@c.example", ["/etc/list"]),
        instruction("owner-staff@", ["&amy@"]),
        instruction("staff@", ["&bob@", "&carl@"], "owner-staff@"),
      ],
    });
  });

  const refused = [
    { input: "amy", want: 'line 1: expected "name: destination, ..."' },
    { input: "a: b\n\na: c", want: "line 3: a second list for a" },
    { input: "\na: (b", want: 'line 2: unable to parse "(b"' },
    { input: "a: /var/mail/a", want: "line 1: a mailbox file; use an address whose .qmail names it" },
  ];
  for (const { input, want } of refused) {
    it(`refuses ${JSON.stringify(input)}`, () => assertEquals(parseAliases(input), { ok: false, error: want }));
  }

  it("throws for no text", () => {
    const words = fc.constantFrom(...["a", ":", ",", "\n", " ", '"', "\\", "#", "|", "/", ":include:", "@", "\xff"]);
    fc.assert(fc.property(fc.array(words, { maxLength: 20 }), (parts) => void parseAliases(parts.join(""))));
  });
});

describe("expand()", () => {
  const table = (text: string) => {
    const parsed = parseTable(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return new Table(cdbBytes(cdbOf(parsed.value)));
  };
  const lists: Readonly<Record<string, readonly string[]>> = { "/list": ["&l@m", "/list"] };
  const readList = (path: string) =>
    lists[path] === undefined ? Promise.reject(new Error(path)) : Promise.resolve(lists[path]);
  const incoming = { recipient: "Amy@A.example", sender: "s@t", host: "A.example" };

  const cases = [
    { what: "the address before its domain", table: "amy@a.example: x@y; @a.example: z@y;", want: ["x@y"] },
    { what: "the domain before the name", table: "@a.example: z@y; amy@: w@y;", want: ["z@y"] },
    { what: "the name at any host", table: "amy@: w@y;", want: ["w@y"] },
    { what: "targets among the addresses", table: "amy@: b@, x@y; b@: c@d;", want: ["c@d", "x@y"] },
    { what: "lists that name each other", table: "amy@: b@, x@y; b@: c@; c@: b@;", want: ["x@y"] },
    { what: "an address once", table: "amy@: x@y, b@; b@: x@y;", want: ["x@y"] },
    { what: "a list elsewhere", table: "amy@: /list;", want: ["l@m"] },
    { what: "no wildcard for an address in a list", table: "amy@: x@b; @b: c@d;", want: ["x@b"] },
    { what: "a name without host", table: "amy@: b@;", want: ["b"] },
    { what: "a list with an owner is left to its own mail", table: "amy@: b@b; b@b: ?o@b, c@d;", want: ["b@b"] },
    { what: "nobody", table: "amy@: ;", want: undefined },
    { what: "another", table: "bob@: x@y;", want: undefined },
  ];
  for (const { what, table: text, want } of cases) {
    it(`finds ${what}`, async () => {
      const found = await expand(incoming, table(text), readList);
      assertEquals(found?.recipients, want);
    });
  }

  it("keeps programs in their order, and the sender", async () => {
    const found = await expand(incoming, table("amy@: |a, x@y, !b;"), readList);
    assertEquals(found, { sender: "s@t", programs: ["|a", "!b"], recipients: ["x@y"] });
  });

  it("has the owner as sender, but not of bounces", async () => {
    const owned = table("amy@: ?owner-amy@, x@y;");
    assertEquals((await expand(incoming, owned, readList))?.sender, "owner-amy@A.example");
    for (const sender of ["", "#@[]"]) {
      assertEquals((await expand({ ...incoming, sender }, owned, readList))?.sender, sender);
    }
  });

  it("fails where a list cannot be read", async () => {
    await assertRejects(() => expand(incoming, table("amy@: /gone;"), readList));
  });

  it("ends, whatever the table", async () => {
    const name = fc.constantFrom("amy@", "b@", "c@", "x@y");
    const instructions = fc.uniqueArray(
      fc.record({
        target: name,
        commands: fc.array(name.map((name) => `&${name}`), { minLength: 1 }),
        owner: fc.constant(undefined),
      }),
      { selector: ({ target }) => target },
    );
    await fc.assert(
      fc.asyncProperty(instructions, async (instructions) => {
        const found = await expand(incoming, new Table(cdbBytes(cdbOf(instructions))), readList);
        assertEquals(new Set(found?.recipients).size, found?.recipients.length ?? 0);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps octets", async () => {
    const found = await expand({ ...incoming, recipient: "\xe9@b" }, table("\xe9@b: &\xff@y;"), readList);
    assertEquals(found?.recipients, ["\xff@y"]);
  });
});
