import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../../components/lib/octets.ts";
import { formatDefect, type FormattedDir } from "../../../components/lib/queue/check_format.ts";
import { formatChannel, formatInfo, formatTodo } from "../../../components/lib/queue/envelope.ts";
import { longestRecord } from "../../../components/lib/queue/record_splitter.ts";

const unended = "the last record is not ended";
const missing = "there are records missing";

describe("formatDefect()", () => {
  const rows: readonly { dir: FormattedDir; content: string; want: string | undefined }[] = [
    { dir: "todo", content: "u1\0p2\0Fa\0Tb\0Tc\0", want: undefined },
    { dir: "todo", content: "u1\0p2\0F\0", want: undefined },
    { dir: "todo", content: "", want: missing },
    { dir: "todo", content: "u1\0p2\0", want: missing },
    { dir: "todo", content: "u1\0p2\0Fa\0Tb", want: unended },
    { dir: "todo", content: "u1\0p2\0Tb\0", want: 'record 3 begins with "T", not with F' },
    { dir: "todo", content: "p2\0u1\0Fa\0", want: 'record 1 begins with "p", not with u' },
    { dir: "todo", content: "ux\0p2\0Fa\0", want: "record 1 is not a number" },
    { dir: "todo", content: "u1\0p\0Fa\0", want: "record 2 is not a number" },
    { dir: "todo", content: "u1\0p2\0Fa\0Db\0", want: 'record 4 begins with "D", not with T' },
    { dir: "todo", content: "u1\0p2\0Fa\0\0", want: 'record 4 begins with "", not with T' },
    { dir: "info", content: "Fa\0", want: undefined },
    { dir: "info", content: "F\0", want: undefined },
    { dir: "info", content: "", want: missing },
    { dir: "info", content: "Fa", want: unended },
    { dir: "info", content: "Fa\0Fb\0", want: 'record 2 begins with "F", not with none' },
    { dir: "local", content: "Ta\0Db\0", want: undefined },
    { dir: "local", content: "", want: missing },
    { dir: "local", content: "Xa\0", want: 'record 1 begins with "X", not with T or D' },
    { dir: "remote", content: "Ta\0Db", want: unended },
    {
      dir: "remote",
      content: `T${"x".repeat(longestRecord)}\0`,
      want: `a record of more than ${longestRecord} octets`,
    },
  ];
  for (const { dir, content, want } of rows) {
    const shown = JSON.stringify(content.slice(0, 40));
    it(`${dir} ${shown}: ${want ?? "nothing wrong"}`, () => assertEquals(formatDefect(dir, [toOctets(content)]), want));
  }

  it("is none of what the queue's programs write, wherever the pieces end", () => {
    const address = fc.string({ unit: fc.constantFrom("a", "@", "T", "\xff", " "), maxLength: 20 });
    const pieces = (octets: Uint8Array, at: number) => [octets.slice(0, at), octets.slice(at)];
    fc.assert(fc.property(address, fc.array(address, { minLength: 1 }), fc.nat(60), (sender, recipients, at) => {
      const todo = formatTodo({ uid: 7791, qp: 4896, sender, recipients });
      const channel = formatChannel(recipients.map((name, index) => ({ address: name, done: index % 2 === 0 })));
      assertEquals(formatDefect("todo", pieces(todo, at)), undefined);
      assertEquals(formatDefect("info", pieces(formatInfo(sender), at)), undefined);
      assertEquals(formatDefect("remote", pieces(channel.octets, at)), undefined);
    }));
  });
});
