/**
 * Messages for tests, octet strings: well-formed MIME of every kind that has to be converted, and anything at all.
 * @module
 */
import fc from "fast-check";

const eightBit = fc.string({
  unit: fc.oneof(
    { arbitrary: fc.integer({ min: 32, max: 126 }).map((octet) => String.fromCharCode(octet)), weight: 6 },
    { arbitrary: fc.constantFrom("\xe9", "\xc3", "\xff", "\x80"), weight: 2 },
    { arbitrary: fc.constantFrom("\n", " \n", "\t", "=", "--", " ", "-- \n", "--b1\xe9"), weight: 2 },
  ),
  maxLength: 400,
});
const longLines = fc.integer({ min: 900, max: 3000 }).map((length) => `${"l\xe9-".repeat(length / 3)}\n`);
const sevenBit = eightBit.map((text) => text.replace(/[\x80-\xff]/g, "?"));
const text = fc.oneof(eightBit, eightBit, sevenBit, longLines);

/** A part, with the boundaries around it, of which it may use none. */
type Part = (depth: number) => string;

const leaf: fc.Arbitrary<Part> = fc.record({
  type: fc.constantFrom("", "text/plain; charset=utf-8", "text/html", "application/octet-stream"),
  encoding: fc.constantFrom("", "7bit", "8bit", "binary", "8BIT"),
  encodingFirst: fc.boolean(),
  text,
}).map(({ type, encoding, encodingFirst, text }) => () => {
  const fields = [type && `Content-Type: ${type}\n`, encoding && `Content-Transfer-Encoding: ${encoding}\n`];
  return `${(encodingFirst ? fields.reverse() : fields).join("")}\n${text}`;
});

const base64: fc.Arbitrary<Part> = fc.tuple(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom("", "\xe9", "-\xff"),
).map(([octets, slipped]) => () =>
  `Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n${slipped}${
    octets.toBase64().replace(/.{76}/g, `$&\n${slipped}`)
  }\n`
);

/** Encoded already, but for octets that slipped in. */
const alreadyQuoted: fc.Arbitrary<Part> = fc.array(
  fc.constantFrom(
    "=E9",
    "=C3=A9",
    "=\n",
    "abc",
    "\xe9",
    " ",
    "\t",
    "--",
    "\n",
    "= ",
    "=x",
    "=\xe9",
    `${"y".repeat(70)}`,
  ),
  { maxLength: 100 },
).map((all) => () => `Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n${all.join("")}\n`);

const { part } = fc.letrec<{ part: Part; multipart: Part; message: Part }>((tie) => ({
  part: fc.oneof({ depthSize: "small" }, leaf, base64, alreadyQuoted, tie("multipart"), tie("message")),
  multipart: fc.record({
    subtype: fc.constantFrom("mixed", "alternative", "related"),
    encoding: fc.constantFrom("", "Content-Transfer-Encoding: 8bit\n"),
    parts: fc.array(tie("part"), { minLength: 1, maxLength: 3 }),
  }).map(({ subtype, encoding, parts }): Part => (depth) => {
    const delimiter = `--b${depth}=_x`;
    const inner = parts.map((one) => `${delimiter}\n${one(depth + 1)}\n`).join("");
    return `Content-Type: multipart/${subtype};\n\tboundary="b${depth}=_x"\n${encoding}\npreamble\n${inner}${delimiter}--\n`;
  }),
  message: tie("part").map((one): Part => (depth) =>
    `Content-Type: message/rfc822\n\nSubject: inner\nMIME-Version: 1.0\n${one(depth + 1)}`
  ),
}));

export const mimeMessage = part.map((one) => `Subject: outer\nMIME-Version: 1.0\n${one(0)}`);

/** Lines of which nearly every one means something, in any order. */
const lines = fc.array(
  fc.constantFrom(
    "\n",
    "--b\n",
    "--b--\n",
    "--c\n",
    "--c--",
    "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: multipart/digest;\n boundary=c\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: text/plain\r\n",
    "Content-Transfer-Encoding: 8bit\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Transfer-Encoding: base64\n",
    "MIME-Version: 1.0\n",
    "h\xe9",
    "\r",
    " \n",
    "=E9=\n",
    "=\xe9\n",
    `${"x".repeat(1022)}\n`,
    `--b${" ".repeat(1020)}`,
    `${"y\n".repeat(20_000)}`,
    "\xe9\n",
  ),
  { maxLength: 30 },
).map((all) => all.join(""));

export const anyMessage = fc.oneof(mimeMessage, lines, eightBit);
