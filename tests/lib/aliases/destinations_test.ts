import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type Destination, parseDestinations } from "../../../components/lib/aliases/destinations.ts";

const to = (address: string, final = false): Destination => ({ kind: "address", address, final });
const program = (command: string): Destination => ({ kind: "program", command });
const file = (path: string): Destination => ({ kind: "file", path });
const include = (path: string): Destination => ({ kind: "include", path });

const table: readonly { readonly input: string; readonly want: readonly Destination[] }[] = [
  { input: "", want: [] },
  { input: "# amy@a.example\n\n  \n", want: [] },
  { input: "amy@a.example", want: [to("amy@a.example")] },
  { input: " amy , bob@b.example,\n\tcarl\r\n", want: [to("amy"), to("bob@b.example"), to("carl")] },
  { input: "\\amy", want: [to("amy", true)] },
  { input: "Amy A. <amy@a.example>, (a comment, with a comma) bob", want: [to("amy@a.example"), to("bob")] },
  { input: '"a, b"@c.example', want: [to("a, b@c.example")] },
  { input: '"A, B" <amy@a.example>', want: [to("amy@a.example")] },
  { input: "<@relay.example,@other.example:amy@a.example>", want: [to("amy@a.example")] },
  { input: "<@a:@b:c@d>", want: [to("c@d")] },
  { input: "\xe9@a.example", want: [to("\xe9@a.example")] },
  { input: "|vacation amy", want: [program("vacation amy")] },
  { input: '"|vacation -a \\"x, y\\" amy", \\amy', want: [program('vacation -a "x, y" amy'), to("amy", true)] },
  { input: '|"vacation amy"', want: [program("vacation amy")] },
  { input: '| "vacation amy" "b"', want: [program(' "vacation amy" "b"'.trimStart())] },
  { input: "|case $x in a) b;; esac, amy", want: [program("case $x in a) b;; esac"), to("amy")] },
  { input: "/var/mail/amy", want: [file("/var/mail/amy")] },
  { input: '"/home/amy/My Mail"', want: [file("/home/amy/My Mail")] },
  { input: ":include:/etc/list, :Include: /etc/other", want: [include("/etc/list"), include("/etc/other")] },
  { input: '":include:/etc/a list"', want: [include("/etc/a list")] },
  { input: "/a b/c (d", want: [file("/a b/c (d")] },
];

const refused = ['"amy', "amy@a.example, (", "<amy", "|", ":include:", "amy>", "a\0b", "<>", "list: amy"];

describe("parseDestinations()", () => {
  for (const { input, want } of table) {
    it(`reads ${JSON.stringify(input)}`, () => assertEquals(parseDestinations(input), { ok: true, value: [...want] }));
  }
  for (const input of refused) {
    it(`refuses ${JSON.stringify(input)}`, () => assertEquals(parseDestinations(input).ok, false));
  }

  it("throws for no text, and gives each program as one command", () => {
    const words = fc.constantFrom(...[
      "\\",
      '"',
      ",",
      "|",
      "/",
      "<",
      ">",
      "(",
      ")",
      ":include:",
      "@",
      "\n",
      "a",
      "\xff",
      " ",
    ]);
    fc.assert(fc.property(fc.array(words, { maxLength: 20 }), (parts) => {
      const parsed = parseDestinations(parts.join(""));
      if (parsed.ok) assertEquals(parsed.value.some((each) => each.kind === "program" && each.command === ""), false);
    }));
  });
});
