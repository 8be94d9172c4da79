import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  formatAddressField,
  formatEnvelopeAddress,
  formatTokens,
} from "../../../components/lib/address/format_tokens.ts";
import { commentOf, localPartTokens, type Token, tokenize } from "../../../components/lib/address/token.ts";

/** Tokens in one line: `kind:text`, or the special. */
function show(tokens: readonly Token[] | undefined): string | undefined {
  return tokens?.map((token) => "text" in token ? `${token.kind}:${token.text}` : token.kind).join(" ");
}

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)) });
/** Rich in what the grammar looks at. */
const nasty = fc.string({ unit: fc.constantFrom(...'ab.,@<>:;()[]"\\ \t\n\r\0\xff') });

describe("tokenize()", () => {
  const table = [
    { text: "joe@example.org", want: "atom:joe @ atom:example . atom:org" },
    { text: " a\t.\n b ", want: "atom:a . atom:b" },
    { text: '"a b"@c', want: "quote:a b @ atom:c" },
    { text: '"a \\"b\\" \\\\ c"', want: 'quote:a "b" \\ c' },
    { text: "[1.2.3.4]", want: "literal:1.2.3.4" },
    { text: "[]", want: "literal:" },
    { text: "(a (b) c)d", want: "comment:a (b) c atom:d" },
    { text: "(a \\) b)", want: "comment:a \\) b" },
    { text: "a(b)c", want: "atom:a comment:b atom:c" },
    { text: 'a"b"c', want: "atom:a quote:b atom:c" },
    { text: "a\\ b@c", want: "quote:a b @ atom:c" },
    { text: '"a\n b" (c\n d)', want: "quote:a b comment:c d" },
    { text: "j\xfcrgen@\xe3", want: "atom:j\xfcrgen @ atom:\xe3" },
    { text: "<>,;:", want: "< > , ; :" },
    { text: "__proto__@constructor", want: "atom:__proto__ @ atom:constructor" },
    { text: "", want: "" },
  ];
  for (const { text, want } of table) {
    it(`reads ${JSON.stringify(text)}`, () => assertEquals(show(tokenize(text)), want));
  }

  for (const text of ["(", "(()", ")", '"', "[", "]", "a\\", '"a\\', "(a\\", '"a\\"', "a\0b", '"\0"', "(\0)"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(tokenize(text), undefined));
  }

  it("takes comments nested a million deep, and refuses them without an end", () => {
    const depth = 1_000_000;
    assertEquals(tokenize(`${"(".repeat(depth)}${")".repeat(depth)}`)?.length, 1);
    assertEquals(tokenize("(".repeat(depth)), undefined);
  });

  it("throws for no octets", () => {
    fc.assert(fc.property(fc.oneof(octets, nasty), (text) => void tokenize(text)));
  });

  it("reads what formatTokens() writes as the same tokens", () => {
    fc.assert(fc.property(fc.oneof(octets, nasty), (text) => {
      const tokens = tokenize(text.replaceAll("\r", ""));
      if (tokens === undefined) return;
      assertEquals(show(tokenize(formatTokens(tokens))), show(tokens));
    }));
  });
});

describe("localPartTokens()", () => {
  const table = [
    { text: "joe", want: "joe" },
    { text: "joe.q", want: "joe.q" },
    { text: "joe blow", want: '"joe blow"' },
    { text: "a@b", want: '"a@b"' },
    { text: ".a", want: '".a"' },
    { text: 'a"b\\', want: '"a\\"b\\\\"' },
    { text: "", want: '""' },
    { text: "\xe9", want: "\xe9" },
  ];
  for (const { text, want } of table) {
    it(`has ${JSON.stringify(text)} written ${want}`, () => assertEquals(formatTokens(localPartTokens(text)), want));
  }

  it("keeps any octets but NUL", () => {
    fc.assert(fc.property(fc.oneof(octets, nasty), (text) => {
      assertEquals(formatEnvelopeAddress(localPartTokens(text)), text);
    }));
  });
});

describe("formatAddressField()", () => {
  it("puts as much on a line as 80 columns take, a comma included, and two blanks in front of the next", () => {
    const field = (length: number) => formatAddressField("To", tokenize(`${"a".repeat(length)},b`)!);
    assertEquals(field(73), `To: ${"a".repeat(73)}, b\n`);
    assertEquals(field(74), `To: ${"a".repeat(74)},\n  b\n`);
    assertEquals(
      formatAddressField("To", tokenize(`x,${"a".repeat(77)},b`)!),
      `To: x,\n  ${"a".repeat(77)},\n  b\n`,
    );
  });

  it("folds no address that is longer than a line", () => {
    const long = `${"a".repeat(200)}@b.c`;
    assertEquals(formatAddressField("To", tokenize(`${long},${long}`)!), `To: ${long},\n  ${long}\n`);
  });

  it("writes an empty field without a blank", () => assertEquals(formatAddressField("To", []), "To:\n"));

  it("lets no line end of a name or comment out: a field stays one field", () => {
    const name: Token = { kind: "quote", text: "Joe\r\nBcc: x@y.example\n" };
    assertEquals(
      formatAddressField("From", [name, commentOf("a\nb)(")]),
      'From: "Joe  Bcc: x@y.example " (a b\\)\\()\n',
    );
    fc.assert(fc.property(octets, octets, (a, b) => {
      const field = formatAddressField("From", [{ kind: "quote", text: a }, commentOf(b), ...localPartTokens(a)]);
      assert(/^[^\n]*\n$/.test(field));
    }));
  });
});
