import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { applyChanges } from "../../../components/lib/milter/changes.ts";
import type { Change } from "../../../components/lib/milter/reply.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { formatMail, splitMail } from "../../../components/lib/scanners/mail.ts";

const mail = "Received: x\nA: 1\na:2\n folded\nB : 3\nA: 4\n\nbody\n";

function after(content: string, changes: readonly Change[]): string {
  const message = { sender: "s@x.example", recipients: ["r@x.example"], mail: splitMail(toOctets(content))! };
  return fromOctets(formatMail(applyChanges(message, changes).mail));
}

const field = (name: string, value: string) => ({ name, value: ` ${value}` });

const rows: readonly {
  readonly claim: string;
  readonly changes: readonly Change[];
  readonly want: string;
  readonly content?: string;
}[] = [
  { claim: "nothing", changes: [], want: mail },
  {
    claim: "a field at the end",
    changes: [{ kind: "add field", field: field("X", "1") }],
    want: mail.replace("\n\n", "\nX: 1\n\n"),
  },
  {
    claim: "a field at the top",
    changes: [{ kind: "insert field", index: 0, field: field("X", "1") }],
    want: `X: 1\n${mail}`,
  },
  {
    claim: "a field below the first",
    changes: [{ kind: "insert field", index: 1, field: field("X", "1") }],
    want: mail.replace("A: 1", "X: 1\nA: 1"),
  },
  {
    claim: "a field below all, where there are fewer",
    changes: [{ kind: "insert field", index: 4_294_967_295, field: field("X", "1") }],
    want: mail.replace("\n\n", "\nX: 1\n\n"),
  },
  {
    claim: "the second of a name, folded, in any case; its name stays as it stood",
    changes: [{ kind: "change field", index: 2, field: field("A", "new\n\tone") }],
    want: mail.replace("a:2\n folded", "a: new\n\tone"),
  },
  {
    claim: "a name with blanks behind it",
    changes: [{ kind: "change field", index: 1, field: field("b", "new") }],
    want: mail.replace("B : 3", "B : new"),
  },
  {
    claim: "number 0 as the first",
    changes: [{ kind: "delete field", index: 0, name: "A" }],
    want: mail.replace("A: 1\n", ""),
  },
  {
    claim: "a field of which there are fewer, as a new one",
    changes: [{ kind: "change field", index: 4, field: field("A", "5") }],
    want: mail.replace("\n\n", "\nA: 5\n\n"),
  },
  { claim: "no field of which there are fewer", changes: [{ kind: "delete field", index: 4, name: "A" }], want: mail },
  {
    claim: "all of a name, counted as the milter was told of them",
    changes: [1, 2, 3].map((index) => ({ kind: "delete field", index, name: "a" })),
    want: "Received: x\nB : 3\n\nbody\n",
  },
  {
    claim: "a field that it has added before",
    changes: [{ kind: "add field", field: field("X", "1") }, { kind: "delete field", index: 1, name: "X" }],
    want: mail,
  },
  {
    claim: "a body in pieces, cut within a line end",
    changes: [{ kind: "body", octets: "one\r" }, { kind: "body", octets: "\ntwo\r\n" }],
    want: mail.replace("body\n", "one\ntwo\n"),
  },
  {
    claim: "a body without its last line end",
    changes: [{ kind: "body", octets: "one" }],
    want: mail.replace("body", "one"),
  },
  { claim: "an empty body", changes: [{ kind: "body", octets: "" }], want: mail.replace("body\n", "") },
  {
    claim: "a body where there was none",
    content: "A: 1\n",
    changes: [{ kind: "body", octets: "one\r\n" }],
    want: "A: 1\n\none\n",
  },
  {
    claim: "a body where the header ended without an empty line",
    content: "A: 1\nno field\n",
    changes: [{ kind: "body", octets: "B: 2\r\n" }],
    want: "A: 1\n\nB: 2\n",
  },
];

describe("applyChanges()", () => {
  for (const { claim, changes, want, content = mail } of rows) {
    it(`changes ${claim}`, () => assertEquals(after(content, changes), want));
  }

  it("adds and removes recipients, each once, and changes the sender", () => {
    const before = {
      sender: "s@x.example",
      recipients: ["a@x.example", "b@x.example"],
      mail: splitMail(new Uint8Array())!,
    };
    const { sender, recipients } = applyChanges(before, [
      { kind: "add recipient", address: "c@x.example" },
      { kind: "add recipient", address: "c@X.example" },
      { kind: "delete recipient", address: "a@X.EXAMPLE" },
      { kind: "delete recipient", address: "nobody@x.example" },
      { kind: "sender", address: "" },
    ]);
    assertEquals([sender, recipients], ["", ["b@x.example", "c@x.example"]]);
    assertEquals(before.recipients, ["a@x.example", "b@x.example"]);
  });

  it("takes an added field away again without a trace", () => {
    const octets = fc.string({ unit: fc.constantFrom("A: 1\n", "B: 2\n", "\n", "x\n", " y\n", "\r"), maxLength: 12 });
    fc.assert(fc.property(octets, fc.nat(9), (content, index) => {
      const changes: Change[] = [
        { kind: "insert field", index, field: field("X-Own", "1") },
        { kind: "delete field", index: 1, name: "x-own" },
      ];
      assertEquals(after(content, changes), content);
    }));
  });
});
