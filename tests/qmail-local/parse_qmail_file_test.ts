import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  absolutePath,
  type Instruction,
  liesBelow,
  parseQmailFile,
  startsProgram,
  virtualDefect,
} from "../../components/qmail-local/parse_qmail_file.ts";

const forward = (address: string): Instruction => ({ kind: "forward", address });
const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const lines = fc.string({
  unit: fc.constantFrom("a", "/", ".", "..", "\n", " ", "\t", "#", "|", "&", "+list", "\0", "\xff"),
});

describe("parseQmailFile()", () => {
  const rows: readonly { text: string; want: readonly Instruction[] }[] = [
    { text: "./Maildir/\n", want: [{ kind: "maildir", path: "./Maildir/" }] },
    { text: "/var/mail/joe", want: [{ kind: "mbox", path: "/var/mail/joe" }] },
    { text: "./Mailbox \t \n", want: [{ kind: "mbox", path: "./Mailbox" }] },
    { text: "# a\n#b\n", want: [] },
    { text: "#\n\n \n&a@b.example\n", want: [forward("a@b.example")] },
    { text: "|preline procmail\n", want: [{ kind: "program", command: "preline procmail" }] },
    { text: "| exit 1  \n", want: [{ kind: "program", command: " exit 1" }] },
    { text: "+list\n", want: [{ kind: "list" }] },
    { text: "+lists\n+\n+list x\n", want: [] },
    { text: "&a@b.example\nc@d.example", want: [forward("a@b.example"), forward("c@d.example")] },
    { text: "& a@b.example\n", want: [forward(" a@b.example")] },
    { text: " a@b.example\n", want: [forward(" a@b.example")] },
    { text: "a@b.example # no comment\n", want: [forward("a@b.example # no comment")] },
    { text: "<a@b.example>\n", want: [forward("<a@b.example>")] },
    { text: "a@b.example\r\n", want: [forward("a@b.example\r")] },
    { text: "a@b\0c@d\n", want: [forward("a@b")] },
    { text: "\xff\xfe\n", want: [forward("\xff\xfe")] },
  ];
  for (const { text, want } of rows) {
    it(`of ${JSON.stringify(text)}`, () => {
      assertEquals(parseQmailFile(text), { kind: "instructions", instructions: want });
    });
  }

  it("tells an empty file and a blank first line from one with nothing to do", () => {
    assertEquals(parseQmailFile(""), { kind: "empty" });
    for (const text of ["\n", " \t\n./Maildir/\n", "\n#\n", "\0x\n"]) {
      assertEquals(parseQmailFile(text), { kind: "blank" });
    }
    assertEquals(parseQmailFile("#\n"), { kind: "instructions", instructions: [] });
  });

  it("never throws, and no instruction holds a line end or NUL", () => {
    fc.assert(fc.property(fc.oneof(octets, lines), (text) => {
      const file = parseQmailFile(text);
      if (file.kind !== "instructions") return;
      for (const instruction of file.instructions) {
        assert(Object.values(instruction).every((value) => !/[\n\0]/.test(value)));
      }
    }));
  });

  it("takes no long for a line of blanks", () => {
    assertEquals(parseQmailFile(`a@b${" ".repeat(200_000)}x\n`).kind, "instructions");
  });
});

describe("startsProgram()", () => {
  const program: Instruction = { kind: "program", command: "x" };
  const rows = [
    { instructions: [program], forwardOnly: false, want: true },
    { instructions: [program], forwardOnly: true, want: false },
    { instructions: [{ kind: "list" }, program], forwardOnly: false, want: false },
    { instructions: [program, { kind: "list" }], forwardOnly: false, want: true },
    { instructions: [forward("|x")], forwardOnly: false, want: false },
    { instructions: [], forwardOnly: false, want: false },
  ] as const;
  for (const { instructions, forwardOnly, want } of rows) {
    it(`is ${want} for ${JSON.stringify(instructions)}, x bit ${forwardOnly}`, () => {
      assertEquals(startsProgram(instructions, forwardOnly), want);
    });
  }
});

describe("absolutePath()", () => {
  const rows = [
    ["./Maildir/", "/h/joe/Maildir"],
    ["./a/../b", "/h/joe/b"],
    ["./../amy/", "/h/amy"],
    [".", "/h/joe"],
    ["./../../../..", "/"],
    ["/var//mail/./joe", "/var/mail/joe"],
    ["..x/", "/h/joe/..x"],
  ] as const;
  for (const [path, want] of rows) it(`of ${path} is ${want}`, () => assertEquals(absolutePath("/h/joe", path), want));
});

describe("virtualDefect()", () => {
  const rows = [
    { text: "./Maildir/\n./a/b\na@b\n", want: undefined },
    { text: "/h/joe/box\n", want: undefined },
    { text: "/dev/null\n", want: undefined },
    { text: "a@b\n|x\n", want: "a program line" },
    { text: "/h/joey/box\n", want: "a path outside the mailbox's home" },
    { text: "./../joe\n", want: "a path outside the mailbox's home" },
  ];
  for (const { text, want } of rows) {
    it(`of ${JSON.stringify(text)} is ${want}`, () => {
      const file = parseQmailFile(text);
      assert(file.kind === "instructions");
      assertEquals(virtualDefect("/h/joe", file.instructions), want);
    });
  }

  it("lets no path out of the home, however it is written", () => {
    fc.assert(fc.property(lines, (text) => {
      const file = parseQmailFile(text);
      if (file.kind !== "instructions" || virtualDefect("/h/joe", file.instructions) !== undefined) return;
      for (const instruction of file.instructions) {
        if (!("path" in instruction) || instruction.path === "/dev/null") continue;
        const path = absolutePath("/h/joe", instruction.path);
        assert(liesBelow("/h/joe", path) && !path.split("/").includes(".."));
      }
    }));
  });
});
