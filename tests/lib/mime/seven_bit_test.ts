import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  deepest,
  mostLooked,
  needsDowngrade,
  SevenBitConverter,
  toSevenBit,
} from "../../../components/lib/mime/seven_bit.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { parseAllWithPython, type ParsedPart, pythonIsInstalled } from "../../support/python_email.ts";
import { anyMessage, mimeMessage } from "./messages.ts";

function convert(message: string, cuts: readonly number[] = [message.length]): string {
  const converter = new SevenBitConverter();
  let out = "";
  let at = 0;
  for (const cut of cuts) {
    out += fromOctets(converter.push(toOctets(message.slice(at, at + cut))));
    at += cut;
  }
  return out + fromOctets(converter.push(toOctets(message.slice(at)))) + fromOctets(converter.end());
}

const mime = "MIME-Version: 1.0\n";
const mixed = `${mime}Content-Type: multipart/mixed; boundary=b\n`;
const signed = "Content-Type: multipart/signed; boundary=s\n\n--s\n\nh\xe9\n--s\n\nsignature\n--s--\n";

const table: readonly { readonly name: string; readonly input: string; readonly want: string }[] = [
  {
    name: "a message that says nothing about its text",
    input: "Subject: x\n\nh\xe9\n",
    want: "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n" +
      "Content-Transfer-Encoding: quoted-printable\n\nh=E9\n",
  },
  {
    name: "no field at all",
    input: "\n\xe9",
    want: `${mime}Content-Type: text/plain; charset=unknown-8bit
Content-Transfer-Encoding: quoted-printable

=E9`,
  },
  {
    name: "a text that says 8bit",
    input: `${mime}Content-Transfer-Encoding: 8BIT\nContent-Type: text/plain; charset=utf-8\n\n=\xc3\xa9 \n\t\nok\n`,
    want: `${mime}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable

=3D=C3=A9=20\n=09\nok\n`,
  },
  {
    name: "a text that says 7bit and is not",
    input: `${mime}Content-Type: text/html\nContent-Transfer-Encoding: 7bit\n\n\xe9\n`,
    want: `${mime}Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n`,
  },
  {
    name: "octets over 127 in the header alone",
    input: "Subject: h\xe9\n\nhi\n",
    want: "Subject: h\xe9\n\nhi\n",
  },
  {
    name: "parts that need it, and one that does not",
    input:
      `${mixed}Content-Transfer-Encoding: 8bit\n\npreamble\n--b\n\n\xe9\n--b  \nX: y\nContent-Transfer-Encoding: 8bit

only ascii \n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\naGk=\n--b--\nend\n`,
    want: `${mixed}Content-Transfer-Encoding: 7bit\n\npreamble\n--b\nContent-Type: text/plain; charset=unknown-8bit
Content-Transfer-Encoding: quoted-printable\n\n=E9\n--b  \nX: y\nContent-Transfer-Encoding: 8bit

only ascii \n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\naGk=\n--b--\nend\n`,
  },
  {
    name: "a multipart without MIME-Version",
    input: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\xe9\n--b--\n",
    want: `Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n--b
Content-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--b--\n`,
  },
  {
    name: "multiparts within one another, the inner one never ended",
    input: `${mixed}\n--b\nContent-Type: multipart/alternative; boundary="b c"\n\n--b c
Content-Type: text/plain\n\n\xe9\n--b\nContent-Type: text/plain\n\n\xe8\n--b--\n`,
    want: `${mixed}\n--b\nContent-Type: multipart/alternative; boundary="b c"\n\n--b c
Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--b
Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=E8\n--b--\n`,
  },
  {
    name: "a message within the message",
    input:
      `${mixed}\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: \xe9\n\n\xe9\n--b--\n`,
    want: `${mixed}\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nSubject: \xe9
MIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable

=E9\n--b--\n`,
  },
  {
    name: "messages of a digest, which do not say that they are",
    input:
      `${mime}Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\nContent-Type: text/plain\n\n\xe9\n--b--\n`,
    want: `${mime}Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\nContent-Type: text/plain
MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--b--\n`,
  },
  { name: "a message that is signed", input: mime + signed, want: mime + signed },
  {
    name: "a part that is signed, beside one that is not",
    input: `${mixed}\n--b\n${signed}--b\nContent-Type: text/plain\n\n\xe9\n--b--\n`,
    want: `${mixed}\n--b\n${signed}--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable

=E9\n--b--\n`,
  },
  {
    name: "quoted-printable with octets over 127",
    input: `${mime}Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9\xe9 =\n-- \n=\xe9\n`,
    want:
      `${mime}Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9=E9 =\n=2D- \n=3D=E9\n`,
  },
  {
    name: "base64 with octets over 127",
    input: `${mime}Content-Transfer-Encoding: base64\n\naG\xe9k=\n`,
    want: `${mime}Content-Transfer-Encoding: base64\n\naG*k=\n`,
  },
  {
    name: "lines that begin with a hyphen, or would after a break, cannot become a delimiter",
    input: `${mixed}\n--b\n\n--\xe9\n${"x".repeat(75)}--b\n--b--\n`,
    want: `${mixed}\n--b\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable

=2D-=E9\n${"x".repeat(75)}=\n=2D-b\n--b--\n`,
  },
  {
    name: "a NUL, and line ends as they will travel",
    input: `${mime}Content-Type: text/plain\n\na\r\nb\rc\0\n`,
    want: `${mime}Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na\nb\nc=00\n`,
  },
  ...[
    ["an encoding nobody knows", "Content-Transfer-Encoding: x-uuencode\n"],
    ["an encoding said twice", "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 8bit\n"],
    ["a type said twice", "Content-Type: text/plain\nX: y\nContent-Type: text/html\n"],
    ["message/partial", "Content-Type: message/partial; id=x\n"],
    ["a multipart without a boundary", "Content-Type: multipart/mixed\n"],
    ["a boundary in pieces", "Content-Type: multipart/mixed; boundary*0=b\n"],
    ["two boundaries", "Content-Type: multipart/mixed; boundary=b; boundary=c\n"],
    ["a boundary in a comment", "Content-Type: multipart/mixed; (x) boundary=b\n"],
    ["a boundary of 10,000 octets", `Content-Type: multipart/mixed; boundary=${"b".repeat(10_000)}\n`],
    ["a multipart that is malformed", "Content-Type: multipart mixed; boundary=b\n"],
    ["a type of 20,000 octets", `Content-Type: text/plain; name=${"x".repeat(20_000)}\n`],
    ["100,000 octets behind the encoding", `Content-Transfer-Encoding: 8bit\nX: ${"x\n ".repeat(40_000)}\n`],
    ["a blank in front of a colon", "Content-Type : text/plain\n"],
  ].map(([name, field]) => ({ name: name!, input: `${mime}${field}\nh\xe9\n`, want: `${mime}${field}\nh\xe9\n` })),
  { name: "no header", input: "h\xe9\n\n\xe9\n", want: "h\xe9\n\n\xe9\n" },
  { name: "a header that ends in a line that is none", input: "A: b\nh\xe9\n\n\xe9\n", want: "A: b\nh\xe9\n\n\xe9\n" },
  { name: "nothing", input: "", want: "" },
  {
    name: "a part that ends in its header",
    input: `${mixed}\n--b\nContent-Transfer-Encoding: 8bit\nX: \xe9\n--b--`,
    want: `${mixed}\n--b\nContent-Transfer-Encoding: 8bit\nX: \xe9\n--b--`,
  },
];

/** A part with its parts, as what has to stay the same: types and decoded content. */
function contentOf(part: ParsedPart): unknown {
  return { type: part.type, content: part.content, parts: part.parts.map(contentOf) };
}

function longestLineOf(text: string): number {
  return text.split("\n").reduce((longest, line) => Math.max(longest, line.length), 0);
}

describe("toSevenBit()", () => {
  for (const { name, input, want } of table) {
    it(`is right for ${name}`, () => assertEquals(convert(input), want));
  }

  it("changes nothing in its own output", () => {
    for (const { want } of table) assertEquals(convert(want), want);
  });

  it("gives the same wherever the octets are cut", () => {
    for (const { input, want } of table.filter(({ input }) => input.length < 2000)) {
      for (let first = 0; first < Math.min(input.length, 300); first++) assertEquals(convert(input, [first]), want);
    }
    fc.assert(
      fc.property(anyMessage, fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 40 }), (message, cuts) => {
        assertEquals(convert(message, cuts), convert(message));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves no octet over 127 in a body, no line longer than 998", () => {
    fc.assert(
      fc.property(mimeMessage, (message) => {
        const out = convert(message);
        // deno-lint-ignore no-control-regex -- octets over 127 are the point
        assert(/^[\x01-\x7f]*$/.test(out));
        assert(longestLineOf(out) <= 998);
      }),
      { numRuns: 200 },
    );
  });

  it("makes no line that a delimiter could be taken for", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const before = new Set(message.split(/\r\n?|\n/));
        const after = convert(message).split("\n");
        assertEquals(after.filter((line) => line.startsWith("--") && !before.has(line)), []);
      }),
      { numRuns: 500 },
    );
  });

  const missing = pythonIsInstalled ? "" : " (skipped: python3 is not installed)";
  it(
    `leaves the structure and the decoded octets of every part, says python's parser${missing}`,
    { ignore: !pythonIsInstalled },
    async () => {
      const messages = fc.sample(mimeMessage, { numRuns: 400, seed: 20_261_123 });
      const before = await parseAllWithPython(messages);
      const after = await parseAllWithPython(messages.map((message) => convert(message)));
      let encoded = 0;
      messages.forEach((message, at) => {
        assertEquals(contentOf(after[at]!), contentOf(before[at]!), JSON.stringify(message));
        if (convert(message) !== message) encoded++;
      });
      assert(encoded > 100);
    },
  );

  it("looks at 64 KiB of a part, and encodes what is longer", () => {
    const head = `${mime}Content-Type: text/plain\n`;
    const fits = `${"x".repeat(63)}\n`.repeat(mostLooked / 64);
    assertEquals(convert(`${head}\n${fits}`), `${head}\n${fits}`);
    const encoded = `${head}Content-Transfer-Encoding: quoted-printable\n`;
    assertEquals(convert(`${head}\n${fits}x`), `${encoded}\n${fits}x`);
    assertEquals(convert(`${head}\n${fits}`, [1000, 64 * 1024]), `${head}\n${fits}`);
  });

  it("walks multiparts to a depth, and leaves what is deeper", () => {
    const nest = (levels: number) => {
      let head = mime;
      for (let level = 0; level < levels; level++) {
        head += `Content-Type: multipart/mixed; boundary=b${level}.\n\n--b${level}.\n`;
      }
      return `${head}\nh\xe9\n`;
    };
    assert(convert(nest(deepest)).endsWith("quoted-printable\n\nh=E9\n"));
    assertEquals(convert(nest(deepest + 1)), nest(deepest + 1));
    assertEquals(convert(nest(1000)), nest(1000));
  });

  it("passes a message through in pieces, and holds little of it", async () => {
    const line = toOctets(`${"\xe9".repeat(99)}\n`);
    const piece = new Uint8Array(100 * 1300);
    for (let at = 0; at < piece.length; at += line.length) piece.set(line, at);
    let given = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield toOctets(`X: ${"y".repeat(900)}\n`.repeat(12_000));
      for (let count = 0; count < 40; count++) {
        yield count === 0 ? toOctets("\n") : piece;
        given++;
      }
      await Promise.resolve();
    }
    let largest = 0;
    let behind = 0;
    for await (const out of toSevenBit(pieces())) {
      largest = Math.max(largest, out.length);
      if (out.length > 0) behind = given;
    }
    assert(largest <= 110 * 1024);
    assertEquals(behind, 39);
  });
});

describe("needsDowngrade()", () => {
  async function* cut(text: string, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < text.length; at += size) yield toOctets(text.slice(at, at + size));
  }

  it("is true where an octet over 127 stands behind the header", async () => {
    const rows: readonly (readonly [string, boolean])[] = [
      ["", false],
      ["A: b\n\nhi\n", false],
      ["A: \xe9\n\nhi\n", false],
      ["A: \xe9\n\n\xe9\n", true],
      ["\n\xe9", true],
      ["A: b\r\n\r\n\xe9", true],
      ["A: \xe9\nno end", false],
    ];
    for (const [text, want] of rows) {
      for (const size of [1, 2, 100]) assertEquals(await needsDowngrade(cut(text, size)), want);
    }
  });
});
