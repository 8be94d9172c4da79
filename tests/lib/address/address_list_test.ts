import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { rewriteAddressList } from "../../../components/lib/address/address_list.ts";
import { formatEnvelopeAddress, formatTokens } from "../../../components/lib/address/format_tokens.ts";
import {
  completeAddress,
  type HostDefaults,
  parseArgument,
  parseHost,
} from "../../../components/lib/address/host_defaults.ts";
import { tokenize } from "../../../components/lib/address/token.ts";

const hosts: HostDefaults = {
  defaultHost: parseHost("h")!,
  defaultDomain: parseHost("example.com")!,
  plusDomain: parseHost("plus.example")!,
};

/** The list as it is written, and its addresses in their order, those to the right of an error included. */
function read(text: string, complete = false): { list: string | undefined; addresses: string[] } {
  const addresses: string[] = [];
  const list = rewriteAddressList(tokenize(text)!, (address) => {
    const rewritten = complete ? completeAddress(address, hosts) : address;
    addresses.push(formatEnvelopeAddress(rewritten));
    return rewritten;
  });
  return { list: list.ok ? formatTokens(list.value) : undefined, addresses: addresses.reverse() };
}

describe("rewriteAddressList()", () => {
  const table = [
    { text: "", list: "", addresses: [] },
    { text: "a@b", list: "a@b", addresses: ["a@b"] },
    { text: "(x\\\n) a@b", list: "(x) a@b", addresses: ["a@b"] },
    { text: "(x\\\\\n\\)) a@b", list: "(x\\\\\\)) a@b", addresses: ["a@b"] },
    { text: "a@b,c@d", list: "a@b, c@d", addresses: ["a@b", "c@d"] },
    { text: "a@b c@d e", list: "a@b, c@d, e", addresses: ["a@b", "c@d", "e"] },
    { text: "a . b @ c . d", list: "a.b@c.d", addresses: ["a.b@c.d"] },
    { text: "Joe Q. Public <joe@h>", list: "Joe Q. Public <joe@h>", addresses: ["joe@h"] },
    {
      text: "Joe Q.Public Jr. (x) . y @ h <joe @ h . i>",
      list: "Joe Q.Public Jr. (x). y@ h <joe@h.i>",
      addresses: ["joe@h.i"],
    },
    { text: 'joe@h "J" <joe@i>', list: 'joe@h "J" <joe@i>', addresses: ["joe@i"] },
    { text: "<a@b> <c@d>", list: "<a@b>, <c@d>", addresses: ["a@b", "c@d"] },
    { text: "<a@b> c@d", list: "<a@b>, c@d", addresses: ["a@b", "c@d"] },
    { text: "<>", list: "<>", addresses: [""] },
    { text: ",, a,,", list: ", , a, ,", addresses: ["a"] },
    { text: "a@[1.2.3.4] b", list: "a@[1.2.3.4], b", addresses: ["a@[1.2.3.4]", "b"] },
    { text: "(c) a@b (d), e", list: "(c) a@b (d), e", addresses: ["a@b", "e"] },
    { text: "a (x) @ (y) b", list: "a@b (x) (y)", addresses: ["a@b"] },
    { text: "Joe (x) <a@b (y)>", list: "Joe (x) <a@b (y)>", addresses: ["a@b"] },
    { text: "grp: a@b, c@d;", list: "grp: a@b, c@d;", addresses: ["a@b", "c@d"] },
    { text: "x, my grp:; y", list: "x, my grp: ;, y", addresses: ["x", "y"] },
    { text: "<x@y> g: a;", list: "<x@y>, g: a;", addresses: ["x@y", "a"] },
    { text: "g: a; h: b;", list: "g: a;, h: b;", addresses: ["a", "b"] },
    { text: "<@r1,@r2:a@b>", list: "<@r1, @r2: a@b>", addresses: ["@r1,@r2:a@b"] },
    // What looks like one address to somebody is not another's.
    {
      text: '"xclow3n@gmail.com x"@internal.domain',
      list: '"xclow3n@gmail.com x"@internal.domain',
      addresses: ["xclow3n@gmail.com x@internal.domain"],
    },
    { text: '"@"@x', list: '"@"@x', addresses: ["@@x"] },
    {
      text: "user@good.example(x)evil.example",
      list: "user@good.example, (x) evil.example",
      addresses: ["user@good.example", "evil.example"],
    },
    { text: "user@x.com(a(b)c)", list: "user@x.com (a(b)c)", addresses: ["user@x.com"] },
    { text: "a@b\xef\xbc\xa0c", list: "a@b\xef\xbc\xa0c", addresses: ["a@b\xef\xbc\xa0c"] },
  ];
  for (const { text, ...want } of table) {
    it(`reads ${JSON.stringify(text)}`, () => assertEquals(read(text), want));
  }

  const refused = [
    { text: "a: b", addresses: ["b"] },
    { text: "a:b:c;", addresses: ["c"] },
    { text: "a:b;c;;", addresses: [] },
    { text: "a; b", addresses: ["a", "b"] },
    { text: "<a@b", addresses: [] },
    { text: "a@b>", addresses: [] },
    { text: "<a<b>", addresses: ["b"] },
    { text: "<a>b>, c", addresses: ["c"] },
  ];
  for (const { text, addresses } of refused) {
    it(`refuses ${text}, knowing what was right of the error`, () =>
      assertEquals(read(text), { list: undefined, addresses }));
  }

  const nasty = fc.string({ unit: fc.constantFrom(...'ab.,@<>:;()[]"\\ \t\n\xff'), maxLength: 60 });

  it("throws for no octets; what it writes it reads again as the same addresses", () => {
    fc.assert(
      fc.property(nasty, fc.boolean(), (text, complete) => {
        if (tokenize(text) === undefined) return;
        const once = read(text, complete);
        if (once.list !== undefined) {
          assertEquals(
            read(once.list).addresses.filter((it) => it !== ""),
            once.addresses.filter((it) => it !== ""),
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("takes 131,072 addresses and no more, groups and brackets nested 5,000 deep, and comments anywhere", () => {
    assertEquals(read("a@b,".repeat(131_072)).addresses.length, 131_072);
    assertEquals(read("a b ".repeat(65_536)).addresses.length, 131_072);
    const fault = (text: string) => {
      const list = rewriteAddressList(tokenize(text)!, (address) => address);
      return list.ok ? undefined : list.error;
    };
    assertEquals(fault("a,".repeat(131_073)), "too many");
    assertEquals(fault(".".repeat(2_000_000)), "too many");
    assertEquals(read(`${"a:".repeat(5000)}${";".repeat(5000)}`), { list: undefined, addresses: [] });
    assertEquals(read(`${"<".repeat(5000)}${">".repeat(5000)}`).list, undefined);
    assertEquals(read("(x)".repeat(100_000)).addresses, []);
    assertEquals(read(`a${"(x)".repeat(100_000)}@b`).addresses, ["a@b"]);
  });
});

describe("completeAddress()", () => {
  const table = [
    { address: "<>", want: "<>" },
    { address: "x@[]", want: "x@[]" },
    { address: "<foo.>", want: "<foo@h.example.com>" },
    { address: "foo@", want: "foo@h.example.com" },
    { address: "foo@.", want: "foo@h.example.com" },
    { address: "<@r1,@r2:z@host+>", want: "<z@host.plus.example>" },
    { address: "box@h.", want: "box@h.example.com" },
    { address: '"a b"@host', want: '"a b"@host.example.com' },
    { address: "x@y@z", want: "x@y@z.example.com" },
    { address: "@only", want: "" },
    { address: "u@[1.2.3.4]", want: "u@[1.2.3.4]" },
    { address: "foo+", want: "foo+@h.example.com" },
    { address: "a@+", want: "a@plus.example" },
    { address: "a.b", want: "a.b@h.example.com" },
    { address: "a@b.c", want: "a@b.c" },
  ];
  for (const { address, want } of table) {
    it(`makes ${want || "nothing"} of ${address}`, () => assertEquals(read(address, true).list, want));
  }

  it("completes the default host itself", () => {
    const plus = { ...hosts, defaultHost: parseHost("me+")! };
    assertEquals(formatTokens(completeAddress(tokenize("joe")!, plus)), "joe@me.plus.example");
  });
});

describe("parseArgument()", () => {
  const table = [
    { argument: "joe", want: "joe@h.example.com" },
    { argument: "joe@host", want: "joe@host.example.com" },
    { argument: "joe blow@a.b", want: "joe blow@a.b" },
    { argument: "<joe@a.b>", want: "joe@a.b" },
    { argument: "<>", want: "" },
    { argument: "", want: "" },
    { argument: "a@b@c.d", want: "a@b@c.d" },
    { argument: "joe@", want: "joe@h.example.com" },
    { argument: "joe@a.b.", want: "joe@a.b" },
    { argument: "foo+", want: "foo+@h.example.com" },
    { argument: "x@[]", want: "x@[]" },
    { argument: "x@[127.0.0.1]", want: "x@[127.0.0.1]" },
    { argument: "${run{x}}`id`;|&@a.b", want: "${run{x}}`id`;|&@a.b" },
    { argument: "\xe9@\xe9.b", want: "\xe9@\xe9.b" },
  ];
  for (const { argument, want } of table) {
    it(`takes ${JSON.stringify(argument)} for ${JSON.stringify(want)}`, () => {
      const parsed = parseArgument(argument);
      assertEquals(parsed.ok && formatEnvelopeAddress(completeAddress(parsed.value, hosts)), want);
    });
  }

  for (
    const argument of ["joe@(", "joe@a b", "joe@a,b", "joe@a>b", 'joe@"a"', "joe@a\nb", "a\nb@c", "a\rb", "a\0b@c"]
  ) {
    it(`refuses ${JSON.stringify(argument)}`, () => assertEquals(parseArgument(argument).ok, false));
  }
});
