import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { formatMail, type MailField, safeField, splitMail } from "../../../components/lib/scanners/mail.ts";

const rows: readonly {
  readonly content: string;
  readonly names: readonly string[];
  readonly rest: string;
}[] = [
  { content: "A: 1\nB: 2\n\nbody\n", names: ["A", "B"], rest: "\nbody\n" },
  { content: "A: 1\n folded\n\tonce more\nB:\n\n", names: ["A", "B"], rest: "\n" },
  { content: "A : 1\n\n", names: ["A "], rest: "\n" },
  { content: "\nA: body\n", names: [], rest: "\nA: body\n" },
  { content: "", names: [], rest: "" },
  { content: "A: 1\n", names: ["A"], rest: "" },
  { content: "A: 1", names: [], rest: "A: 1" },
  { content: "A: 1\nno field\nB: 2\n", names: ["A"], rest: "no field\nB: 2\n" },
  { content: " A: 1\n\n", names: [], rest: " A: 1\n\n" },
  { content: "From joe Mon Nov 23\nA: 1\n\n", names: ["A"], rest: "\n" },
  { content: ">From joe Mon Nov 23\nA: 1\n\n", names: ["A"], rest: "\n" },
  { content: "A: \xff\0\r\n\n", names: ["A"], rest: "\n" },
  { content: "A: 1\n \n\nbody\n", names: ["A"], rest: "\nbody\n" },
];

describe("splitMail()", () => {
  for (const { content, names, rest } of rows) {
    it(`finds ${names.length} fields in ${JSON.stringify(content)}, and gives every octet back`, () => {
      const mail = splitMail(toOctets(content))!;
      assertEquals([mail.fields.map(({ name }) => name), fromOctets(mail.rest)], [names, rest]);
      assertEquals(fromOctets(formatMail(mail)), content);
    });
  }

  it("gives every octet of any message back", () => {
    const line = fc.oneof(
      fc.constantFrom("A: 1", " folded", "\t", "", "From x", "B:", "\r", ":", "no field", "C : \xe9"),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 20 }),
    );
    fc.assert(fc.property(fc.array(line, { maxLength: 12 }), fc.boolean(), (lines, isWhole) => {
      const content = lines.join("\n") + (isWhole ? "\n" : "");
      assertEquals(fromOctets(formatMail(splitMail(toOctets(content))!)), content);
    }));
  });

  it("takes no header that would keep a filter busy", () => {
    assertEquals(splitMail(toOctets("A: 1\n".repeat(10_001))), undefined);
    assertEquals(splitMail(toOctets(`A: 1\n${" x\n".repeat(1_500_000)}`)), undefined);
    assertEquals(splitMail(toOctets(`A: ${"x".repeat(5_000_000)}\n`)), undefined);
    assertEquals(splitMail(toOctets("A: 1\n".repeat(10_000)))?.fields.length, 10_000);
    assertEquals(splitMail(toOctets(`\n${"A: 1\n".repeat(1_000_000)}`))?.fields.length, 0);
  });
});

const fields: readonly { readonly name: string; readonly value: string; readonly want: MailField | undefined }[] = [
  { name: "X-A", value: " 1", want: { name: "X-A", value: " 1" } },
  { name: "X-A", value: " 1\n\t2\r\n 3", want: { name: "X-A", value: " 1\n\t2\n 3" } },
  { name: "X-A", value: " 1\n", want: { name: "X-A", value: " 1" } },
  { name: "X-A", value: "", want: { name: "X-A", value: "" } },
  { name: "X-A", value: " \xe9", want: { name: "X-A", value: " \xe9" } },
  { name: "X-A", value: " 1\nBcc: joe@example.org", want: undefined },
  { name: "X-A", value: " 1\r\nBcc: joe@example.org", want: undefined },
  { name: "X-A", value: " 1\rBcc: joe@example.org", want: undefined },
  { name: "X-A", value: " 1\n\nbody", want: undefined },
  { name: "X-A", value: " 1\n \n 2", want: undefined },
  { name: "X-A", value: " 1\0", want: undefined },
  { name: "X-A: 1\nX-B", value: " 1", want: undefined },
  { name: "X A", value: " 1", want: undefined },
  { name: "X-A:", value: " 1", want: undefined },
  { name: "", value: " 1", want: undefined },
  { name: "X\xe9", value: " 1", want: undefined },
  { name: "x".repeat(256), value: " 1", want: undefined },
];

describe("safeField()", () => {
  for (const { name, value, want } of fields) {
    it(`${want === undefined ? "refuses" : "takes"} ${JSON.stringify([name, value]).slice(0, 80)}`, () => {
      assertEquals(safeField(name, value), want);
    });
  }

  it("is one field behind the next parser, whatever it is given", () => {
    const text = fc.string({ unit: fc.constantFrom(":", "\n", "\r", " ", "\t", "A", "\0", "\xff"), maxLength: 12 });
    fc.assert(fc.property(text, text, (name, value) => {
      const field = safeField(name, value);
      if (field === undefined) return;
      const mail = splitMail(formatMail({ mboxLine: "", fields: [field], rest: toOctets("\nbody\n") }))!;
      assertEquals([mail.fields, fromOctets(mail.rest)], [[field], "\nbody\n"]);
    }));
  });
});
