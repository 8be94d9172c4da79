/**
 * Messages that cost much where MIME is taken apart, from their Content-Type on: octet strings with LF lines.
 * @module
 */

const mixed = (boundary: string) => `Content-Type: multipart/mixed; boundary="${boundary}"\n\n`;
const repeat = (count: number, part: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => part(n)).join("");

/** `claim` fits behind "a message with". */
export const mimeBombs: readonly (readonly [claim: string, content: string])[] = [
  ["ten thousand multiparts in each other", repeat(10_000, (n) => `${mixed(`b${n}`)}--b${n}\n`)],
  ["a million parts", mixed("b") + "--b\n\n".repeat(1_000_000) + "--b--\n"],
  ["boundaries that begin alike", `${mixed("b")}--b\n${mixed("bb")}--bb\n\nx\n--bb--\n--b--\n`],
  ["500 messages in each other", "Content-Type: message/rfc822\n\n".repeat(500) + "x\n"],
  ["no last boundary", `${mixed("b")}--b\nContent-Type: text/plain\n\nx\n`],
  [
    "a parameter in a million pieces",
    `${mixed("b")}--b\nContent-Type: a/b${repeat(1_000_000, (n) => `;\n n*${n}*=x`)}\n\nx\n--b--\n`,
  ],
  ["an octet of base64 a line", "Content-Transfer-Encoding: base64\n\n" + "Q\n".repeat(200_000)],
];
