import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Command, parseCommand } from "../../../components/lib/pop3/command.ts";

const table: readonly { readonly line: string; readonly want: Command }[] = [
  { line: "STAT", want: { verb: "STAT" } },
  { line: "stat", want: { verb: "STAT" } },
  { line: "STAT 1", want: { verb: "STAT" } },
  { line: "LIST", want: { verb: "LIST", message: undefined } },
  { line: "LIST ", want: { verb: "LIST", message: undefined } },
  { line: "LIST 2", want: { verb: "LIST", message: 2 } },
  { line: "LIST  2", want: { verb: "LIST", message: 2 } },
  { line: "LIST 2 3", want: { verb: "syntax error" } },
  { line: "LIST -1", want: { verb: "syntax error" } },
  { line: "uidl 007", want: { verb: "UIDL", message: 7 } },
  { line: "RETR", want: { verb: "syntax error" } },
  { line: "RETR 1x", want: { verb: "syntax error" } },
  { line: "RETR 1e3", want: { verb: "syntax error" } },
  { line: "RETR 0x1", want: { verb: "syntax error" } },
  { line: "RETR 4294967297", want: { verb: "RETR", message: 4294967297 } },
  { line: "DELE 0", want: { verb: "DELE", message: 0 } },
  { line: "TOP 1", want: { verb: "TOP", message: 1, lines: undefined } },
  { line: "TOP 1 0", want: { verb: "TOP", message: 1, lines: 0 } },
  { line: "TOP 1 2 3", want: { verb: "syntax error" } },
  { line: "TOP", want: { verb: "syntax error" } },
  { line: "USER joe", want: { verb: "USER", text: "joe" } },
  { line: "PASS  a b ", want: { verb: "PASS", text: " a b " } },
  { line: "PASS", want: { verb: "PASS", text: "" } },
  { line: "STLS", want: { verb: "STLS", text: "" } },
  { line: "", want: { verb: "unknown" } },
  { line: " STAT", want: { verb: "unknown" } },
  { line: "STAT\t1", want: { verb: "unknown" } },
  { line: "__proto__ 1", want: { verb: "unknown" } },
];

describe("parseCommand()", () => {
  for (const { line, want } of table) {
    it(`reads ${JSON.stringify(line)}`, () => assertEquals(parseCommand(line), want));
  }

  it("takes any octets without throwing", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (line) => {
      parseCommand(line);
    }));
  });
});
