import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatMailbox, formatPath, type Mailbox } from "../../../components/lib/address/mailbox.ts";
import {
  parseEnvelopeAddress,
  parseForwardPath,
  parseReversePath,
  type PathError,
} from "../../../components/lib/address/parse_path.ts";
import { bytes, readVector, utf8 } from "../octets.ts";

/** A path as one string: `local|domain parameters`, or the error in brackets. */
function shown(result: ReturnType<typeof parseForwardPath> | ReturnType<typeof parseReversePath>): string {
  if (!result.ok) return `[${result.error}]`;
  const { path, parameters } = result.value;
  const name = path.kind === "mailbox" ? `${path.mailbox.localPart}|${path.mailbox.domain}` : path.kind;
  return parameters === "" ? name : `${name} ${parameters}`;
}

const long = (length: number) => "a".repeat(length);
const labels = (length: number) => "a.".repeat(length / 2 - 1) + "aa";

describe("parseForwardPath()", () => {
  const table: { input: string; want: string; why: string }[] = [
    { input: "<amy@example.org>", want: "amy|example.org", why: "takes a plain path" },
    { input: " \t<amy@example.org>  ", want: "amy|example.org", why: "takes blanks around the path" },
    { input: "<Amy@EXAMPLE.Org>", want: "Amy|example.org", why: "lowers the domain's case, not the local part's" },
    { input: "<amy@b.example> A=1 B", want: "amy|b.example A=1 B", why: "hands over the parameters" },
    { input: "<amy@b.example>A=1", want: "[syntax]", why: "wants a blank before parameters" },
    { input: '<"a b"@b.example>', want: "a b|b.example", why: "removes quotes" },
    { input: '<"a@b"@c.example>', want: "a@b|c.example", why: 'keeps a quoted "@" in the local part' },
    { input: '<"a>b"@c.example> X', want: "a>b|c.example X", why: 'keeps a quoted ">"' },
    { input: '<"\\"\\\\\\a"@c.example>', want: '"\\a|c.example', why: "removes backslashes" },
    { input: '<""@c.example>', want: "|c.example", why: "takes an empty quoted local part" },
    { input: '<"a"b@c.example>', want: "[syntax]", why: "refuses text behind a quoted string" },
    { input: '<a"b"@c.example>', want: "[syntax]", why: "refuses a quote inside an atom" },
    { input: '<"a@c.example>', want: "[syntax]", why: "refuses an open quote" },
    { input: "<@a,@b:joe@c>", want: "joe|c", why: "drops a source route" },
    { input: "<@a,b:joe@c>", want: "[syntax]", why: 'refuses a hop without "@"' },
    { input: "<@a joe@c>", want: "[syntax]", why: "refuses a route without colon" },
    { input: "<@a..b:joe@c>", want: "[bad domain]", why: "refuses a route over a bad domain" },
    { input: "<@a,@b:>", want: "[syntax]", why: "refuses a route to nowhere" },
    { input: "<PostMaster>", want: "postmaster", why: "takes a bare postmaster in any case" },
    { input: "<postmaster@b.example>", want: "postmaster|b.example", why: "knows postmaster with domain as a mailbox" },
    { input: "<noat>", want: "[syntax]", why: "refuses any other bare name" },
    { input: "<>", want: "[syntax]", why: "refuses the null path" },
    { input: "", want: "[syntax]", why: "refuses nothing" },
    { input: "amy@example.org", want: "[syntax]", why: "refuses a path without brackets" },
    { input: "<amy@example.org", want: "[syntax]", why: "refuses an open bracket" },
    { input: "<amy@>", want: "[bad domain]", why: "refuses an empty domain" },
    { input: "<@example.org>", want: "[syntax]", why: "refuses an empty unquoted local part" },
    { input: "<.a@b>", want: "[syntax]", why: "refuses a dot in front" },
    { input: "<a.@b>", want: "[syntax]", why: 'refuses a dot before "@"' },
    { input: "<a..b@b>", want: "[syntax]", why: "refuses two dots in a row" },
    { input: "<a b@c>", want: "[syntax]", why: "refuses an unquoted blank" },
    { input: "<a@b@c>", want: "[bad domain]", why: 'refuses a second unquoted "@"' },
    { input: "<a@b.example.>", want: "[bad domain]", why: "refuses a trailing dot" },
    { input: "<a@-b.example>", want: "[bad domain]", why: "refuses a hyphen in front of a label" },
    { input: "<a@b-.example>", want: "[bad domain]", why: "refuses a hyphen at a label's end" },
    { input: "<a@my_host.example>", want: "a|my_host.example", why: "takes an inner underscore" },
    { input: "<a@xn--a.example>", want: "a|xn--a.example", why: "leaves a false A-label as it is, decoding nothing" },
    { input: "<a@localhost>", want: "a|localhost", why: "takes a single label" },
    { input: "<a@[192.0.2.1]>", want: "a|[192.0.2.1]", why: "takes an IPv4 literal" },
    { input: "<a@[192.0.2.256]>", want: "[bad address literal]", why: "refuses a number above 255" },
    { input: "<a@[192.0.2.01]>", want: "[bad address literal]", why: "refuses a number that may be octal" },
    { input: "<a@[192.0.2]>", want: "[bad address literal]", why: "refuses three numbers" },
    { input: "<a@[ipv6:2001:DB8::1]>", want: "a|[IPv6:2001:db8::1]", why: "takes an IPv6 literal in one spelling" },
    { input: "<a@[IPv6:::ffff:192.0.2.1]>", want: "a|[IPv6:::ffff:192.0.2.1]", why: "takes an embedded IPv4 address" },
    { input: "<a@[IPv6:1:2:3:4:5:6:7:8:9]>", want: "[bad address literal]", why: "refuses nine groups" },
    { input: "<a@[IPv6:1::2::3]>", want: "[bad address literal]", why: 'refuses two "::"' },
    { input: "<a@[IPv6:1.2.3.4::]>", want: "[bad address literal]", why: "refuses IPv4 in front" },
    { input: "<a@[IPv6:]>", want: "[bad address literal]", why: "refuses an empty IPv6 literal" },
    { input: "<a@[x:y]>", want: "[bad address literal]", why: "refuses unregistered tags" },
    { input: "<a@[]>", want: "[bad address literal]", why: "refuses an empty literal" },
    { input: `<${long(255)}@b>`, want: `${long(255)}|b`, why: "takes a local part of 255 octets" },
    { input: `<${long(256)}@b>`, want: "[too long]", why: "refuses a local part of 256 octets" },
    { input: `<a@${long(63)}>`, want: `a|${long(63)}`, why: "takes a label of 63 octets" },
    { input: `<a@${long(64)}>`, want: "[too long]", why: "refuses a label of 64 octets" },
    { input: `<a@${labels(254)}>`, want: `a|${labels(254)}`, why: "takes a long domain" },
    { input: `<a@${labels(256)}>`, want: "[too long]", why: "refuses a domain of 256 octets" },
    { input: `<@${"a,@".repeat(297)}aaa:a@b>`, want: "a|b", why: "takes a path of 899 octets" },
    { input: `<@${"a,@".repeat(297)}aaaa:a@b>`, want: "[too long]", why: "refuses a path of 900 octets" },
    { input: "<a\r\nb@c>", want: "[control octet]", why: "refuses CRLF" },
    { input: '<"a\\\nb"@c>', want: "[control octet]", why: "refuses a quoted LF" },
    { input: '<"a\0b"@c>', want: "[control octet]", why: "refuses a quoted NUL" },
    { input: '<"a\tb"@c>', want: "[control octet]", why: "refuses a quoted TAB" },
    { input: '<"\x7f"@c>', want: "[control octet]", why: "refuses DEL" },
    { input: `<${utf8("é")}@b>`, want: "[utf8 without SMTPUTF8]", why: "refuses UTF-8 in the local part" },
    { input: `<a@${utf8("é")}.b>`, want: "[utf8 without SMTPUTF8]", why: "refuses UTF-8 in the domain" },
  ];
  for (const { input, want, why } of table) {
    it(`${why}: ${JSON.stringify(input.slice(0, 60))}`, () => assertEquals(shown(parseForwardPath(input)), want));
  }
});

describe("parseForwardPath() with SMTPUTF8", () => {
  const table: { input: string; want: string; why: string }[] = [
    { input: `<${utf8("jörg")}@b.example>`, want: `${utf8("jörg")}|b.example`, why: "keeps the local part's octets" },
    {
      input: `<a@${utf8("BÜCHER".toLowerCase())}.Example>`,
      want: `a|${utf8("bücher")}.example`,
      why: "takes U-labels",
    },
    { input: "<a@\xc3\x89.example>", want: "[bad domain]", why: "refuses a U-label in upper case" },
    { input: "<\xc3@b.example>", want: "[malformed utf8]", why: "refuses half a character" },
    { input: "<a@\xc0\xae.example>", want: "[malformed utf8]", why: "refuses an overlong dot" },
    { input: `<a@evil.example${utf8("\u3002")}com>`, want: "[bad domain]", why: "refuses an ideographic full stop" },
    { input: `<a@b${utf8("\uff0e")}com>`, want: "[bad domain]", why: "refuses a fullwidth full stop" },
    { input: `<a@b${utf8("\uff20")}c>`, want: "[bad domain]", why: 'refuses a fullwidth "@" in the domain' },
    {
      input: `<a${utf8("\uff20")}b@c>`,
      want: `a${utf8("\uff20")}b|c`,
      why: 'keeps a fullwidth "@" left of the real one',
    },
    { input: `<a@${utf8("\uff41")}.c>`, want: "[bad domain]", why: "refuses a fullwidth letter" },
    { input: `<a@${utf8("e\u0301")}.c>`, want: "[bad domain]", why: "refuses a letter that is not normalised" },
    { input: `<a@b${utf8("\u200b")}.c>`, want: "[bad domain]", why: "refuses an invisible character" },
    { input: `<"a${utf8("\u2028")}b"@c>`, want: "[control octet]", why: "refuses a line separator" },
    { input: `<"a${utf8("\u0085")}b"@c>`, want: "[control octet]", why: "refuses a C1 control" },
    { input: `<"\\${utf8("é")}"@c>`, want: "[syntax]", why: "refuses a quoted pair beyond ASCII" },
  ];
  for (const { input, want, why } of table) {
    it(`${why}: ${JSON.stringify(input)}`, () => {
      assertEquals(shown(parseForwardPath(input, { smtputf8: true })), want);
    });
  }
});

describe("parseReversePath()", () => {
  const table: { input: string; want: string }[] = [
    { input: "<>", want: "null" },
    { input: " <> AUTH=<>", want: "null AUTH=<>" },
    { input: "<<>", want: "[syntax]" },
    { input: "< >", want: "[syntax]" },
    { input: "<postmaster>", want: "[syntax]" },
    { input: "<list-return-1-amy=example.org@b.example>", want: "list-return-1-amy=example.org|b.example" },
  ];
  for (const { input, want } of table) {
    it(`answers ${want} for ${input}`, () => assertEquals(shown(parseReversePath(input)), want));
  }
});

describe("Hostile addresses", () => {
  const table: { input: string; want: string; why: string }[] = [
    {
      input: "<${run{\\x2Fbin\\x2Fsh\\t-c\\t\\x22id\\x22}}@localhost>",
      want: "[syntax]",
      why: "an expansion with backslashes is no atom",
    },
    { input: '<"${run{x}}"@localhost>', want: "${run{x}}|localhost", why: "a quoted expansion is mere octets" },
    { input: "<;for i in 0 1 2 3;do read r;done;sh;exit 0;>", want: "[syntax]", why: "a shell script is no path" },
    { input: '<";|&$`<>*? x"@b.example>', want: ";|&$`<>*? x|b.example", why: "quoted shell syntax is mere octets" },
    { input: '<";\nid"@b.example>', want: "[control octet]", why: "a quoted script has no second line" },
    { input: "<__proto__@__proto__>", want: "[bad domain]", why: "__proto__ is no domain" },
    { input: "<__proto__@constructor>", want: "__proto__|constructor", why: "names of JavaScript are mere names" },
    {
      input: '<"xclow3n@gmail.com x"@internal.domain>',
      want: "xclow3n@gmail.com x|internal.domain",
      why: "the last @",
    },
    { input: "<user@good.example(x)evil.example>", want: "[bad domain]", why: "comments have no place in a path" },
    { input: "<user@x.com(a(b)c)>", want: "[bad domain]", why: "nested comments neither" },
    { input: "<a:b:c:x;>", want: "[syntax]", why: "groups neither" },
    { input: '<"@"@x>', want: "@|x", why: "a quoted @ is a local part" },
    { input: "<@a,@b:u@c>", want: "u|c", why: "a source route leads to its end" },
    { input: "<a@b\r\nBcc: x@y>", want: "[control octet]", why: "no path holds a header" },
  ];
  for (const { input, want, why } of table) {
    it(`${why}: ${JSON.stringify(input)}`, () => assertEquals(shown(parseForwardPath(input)), want));
  }

  it("No length of input is parsed beyond the limit", () => {
    for (const unit of ["<", "a", "(", "@.", '"', "\\", "<@a,", "=?", ".", "[", ":"]) {
      for (const times of [50_000, 100_000]) {
        const input = unit.repeat(times);
        const want: PathError[] = ["too long", "syntax"];
        for (const path of [input, `<${input}@x>`, `<"${input}"@x>`, `<a@${input}>`]) {
          const parsed = parseForwardPath(path);
          assert(!parsed.ok && want.includes(parsed.error), `${unit} in ${path.slice(0, 5)}`);
        }
        assertEquals(parseEnvelopeAddress(input + "@x"), undefined);
      }
    }
  });

  it("The octets read of an endless path do not grow with it", () => {
    const counts = [5_000, 50_000].map((length) => {
      let reads = 0;
      const counted = {
        length,
        0: "<",
        charCodeAt: (at: number) => (reads++, at === 0 ? 0x3c : 0x61),
        slice: () => "",
      };
      parseForwardPath(counted as unknown as string);
      return reads;
    });
    assertEquals(counts[0], counts[1]);
    assert(counts[0]! < 1000);
  });
});

describe("parseEnvelopeAddress()", () => {
  const table: { input: string; want: string | undefined }[] = [
    { input: "amy@EXAMPLE.org", want: "amy@example.org" },
    { input: "x@y z@example.org", want: '"x@y z"@example.org' },
    { input: `${utf8("jörg")}@example.org`, want: `${utf8("jörg")}@example.org` },
    { input: "@example.org", want: '""@example.org' },
    { input: "noat", want: undefined },
    { input: "a@", want: undefined },
    { input: "#@[]", want: undefined },
    { input: "a\n@b", want: undefined },
    { input: "a@b\0", want: undefined },
    { input: "", want: undefined },
  ];
  for (const { input, want } of table) {
    it(`reads ${JSON.stringify(input)} as ${want}`, () => {
      const mailbox = parseEnvelopeAddress(input);
      assertEquals(mailbox && formatPath(mailbox), want);
    });
  }
});

const localPart = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const domain = fc.array(fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,10}[a-z0-9])?$/), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join("."));
const mailbox: fc.Arbitrary<Mailbox> = fc.tuple(localPart, domain)
  .map(([local, name]) => ({ localPart: local, domain: name }) as Mailbox);
const octetString = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const hostile = fc.string({
  unit: fc.constantFrom("<", ">", "@", '"', "\\", ".", ":", ",", "[", "]", " ", "a", "\xe9"),
});

describe("Paths in general", () => {
  it("parse(format(x)) is x for both written forms", () => {
    fc.assert(fc.property(mailbox, (m) => {
      assertEquals(parseEnvelopeAddress(formatMailbox(m)), m);
      const parsed = parseReversePath(`<${formatPath(m)}> X`);
      assertEquals(parsed, { ok: true, value: { path: { kind: "mailbox", mailbox: m }, parameters: "X" } });
    }));
  });

  it("No octets make a parser throw, and what is accepted survives both written forms", () => {
    fc.assert(
      fc.property(fc.oneof(octetString, hostile.map((s) => `<${s}@a>`), hostile), fc.boolean(), (input, smtputf8) => {
        parseReversePath(input, { smtputf8 });
        parseEnvelopeAddress(input);
        const parsed = parseForwardPath(input, { smtputf8 });
        if (!parsed.ok || parsed.value.path.kind !== "mailbox") return;
        const m = parsed.value.path.mailbox;
        assertEquals(parseEnvelopeAddress(formatMailbox(m)), m);
        assertEquals(shown(parseForwardPath(`<${formatPath(m)}>`, { smtputf8 })), `${m.localPart}|${m.domain}`);
        assert(bytes(formatPath(m)).every((octet) => octet >= 0x20 && octet !== 0x7f));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Rows `[id, address as octets, category]` of the isemail vectors, whose U+2400.. stand for control characters. */
function isemailRows(xml: string): [string, string, string][] {
  return xml.split("<test id=").slice(1).map((row) => {
    const field = (name: string) => row.split(`<${name}>`)[1]?.split(`</${name}>`)[0] ?? "";
    const address = field("address")
      .replace(/&#x([0-9A-Fa-f]+);/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
      .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&")
      .replace(/[\u2400-\u241f]/g, (symbol) => String.fromCharCode(symbol.charCodeAt(0) - 0x2400));
    return [row.split('"')[1] ?? "", utf8(address), field("category")];
  });
}

describe("isemail vectors", () => {
  const xml = readVector("isemail/tests.xml");
  if (xml === undefined) {
    it.skip("needs the folder ../shared/vectors/isemail", () => {});
    return;
  }
  const accepted = new Set(["ISEMAIL_VALID_CATEGORY", "ISEMAIL_RFC5321", "ISEMAIL_DNSWARN"]);
  const rows = isemailRows(xml);
  it("are all there", () => assertEquals(rows.length, 164));
  for (const [id, address, category] of rows) {
    const result = parseForwardPath(`<${address}>`);
    if (accepted.has(category)) {
      it(`${id}: ${JSON.stringify(address)} is accepted (${category})`, () => assert(result.ok, shown(result)));
    } else if (category === "ISEMAIL_ERR") {
      it(`${id}: ${JSON.stringify(address)} is refused`, () => assert(!result.ok));
    }
    // CFWS, DEPREC and RFC5322 rows are forms of header fields, or break limits that we set wider; no claim about them.
  }
});
