import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../components/lib/octets.ts";
import {
  mostAttachments,
  mostFields,
  mostFieldText,
  mostPreviewText,
} from "../../components/lib/wire/qread_protocol.ts";
import { previewOf } from "../../components/qread/preview.ts";
import { mimeBombs } from "../support/mime_bombs.ts";

function preview(message: string, sizeBytes = message.length) {
  return previewOf({ octets: toOctets(message), sizeBytes });
}

/** A message of one part. */
function typed(contentType: string, body: string): string {
  return `Subject: x\nContent-Type: ${contentType}\n\n${body}`;
}

function mixed(...parts: readonly string[]): string {
  return `Content-Type: multipart/mixed; boundary=b\n\n${parts.map((part) => `--b\n${part}\n`).join("")}--b--\n`;
}

const texts: readonly { name: string; message: string; kind: string; text: string }[] = [
  { name: "plain text", message: "Subject: x\n\nHello\n", kind: "plain", text: "Hello\n" },
  { name: "CRLF", message: "Subject: x\r\n\r\nHello\r\nyou\r\n", kind: "plain", text: "Hello\nyou\n" },
  { name: "no text", message: "Subject: x\n\n", kind: "none", text: "" },
  { name: "no header", message: "\nHello\n", kind: "plain", text: "Hello\n" },
  {
    name: "a text in UTF-8",
    message: typed("text/plain; charset=utf-8", "\xc3\xa4 \xe2\x82\xac\n"),
    kind: "plain",
    text: "\u00e4 \u20ac\n",
  },
  {
    name: "a text in Latin-1",
    message: typed("text/plain; charset=iso-8859-1", "\xe4\n"),
    kind: "plain",
    text: "\u00e4\n",
  },
  {
    name: "what a terminal or the direction of writing is turned by",
    message: typed("text/plain; charset=utf-8", "a\x1b[2J\x00b\tc\xe2\x80\xaed\n"),
    kind: "plain",
    text: "a\ufffd[2J\ufffdb\tc\ufffdd\n",
  },
  {
    name: "HTML, of which only what is seen",
    message: typed(
      "text/html",
      "<html><head><style>p{}</style></head><body><p>Hello <b>you</b> &amp; &lt;me&gt;</p></body>",
    ),
    kind: "html",
    text: "Hello you & <me>",
  },
  {
    name: "a script",
    message: typed("text/html", "<script>alert(1)</script><p onclick=x>Hi</p><img src=x onerror=alert(1)>"),
    kind: "html",
    text: "Hi",
  },
  {
    name: "HTML that holds what looks like the end of a part",
    message: typed("text/html", "<p>one</p>\n--b--\n--bb--\n<p>two</p>"),
    kind: "html",
    text: "one --b-- --bb-- two",
  },
  {
    name: "the plain one of two",
    message: "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\n" +
      "Content-Type: text/html\n\n<p>html</p>\n--b--\n",
    kind: "plain",
    text: "plain\n",
  },
];

describe("previewOf()", () => {
  for (const { name, message, kind, text } of texts) {
    it(`tells the text of ${name}`, async () => {
      const found = await preview(message);
      assertEquals([found.kind, found.text.trim().replace(/\s+/g, " ")], [kind, text.trim().replace(/\s+/g, " ")]);
    });
  }

  it("tells header fields in their order, unfolded and decoded, as lines of text", async () => {
    const { fields } = await preview(
      "Received: from a\n\tby b\nSubject: =?utf-8?q?h=C3=A4?= <b>\nX-Bell: \x07\x1b]0;x\nX-Words: =?utf-8?q?a=0Ab?=\n\nx\n",
    );
    assertEquals(fields, [
      { name: "Received", value: "from a by b" },
      { name: "Subject", value: "h\u00e4 <b>" },
      { name: "X-Bell", value: "\ufffd\ufffd]0;x" },
      { name: "X-Words", value: "a b" },
    ]);
  });

  it("tells attachments by a name without folders, a type and a size", async () => {
    const named = (name: string) =>
      `Content-Type: IMAGE/PNG\nContent-Disposition: attachment; filename="${name}"\n\n1234`;
    const { attachments } = await preview(mixed(
      "Content-Type: text/plain\n\nHello",
      named("../../etc/passwd"),
      named("C:\\\\evil.exe"),
      named(".."),
      named("=?utf-8?b?YQ0KWC1Fdmls?="),
      "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''a%2Fb%E2%80%AEgpj.exe\n" +
        "Content-Transfer-Encoding: base64\n\nAAECAw==",
    ));
    assertEquals(attachments.map(({ name }) => name), ["passwd", "evil.exe", "", "a X-Evil", "b\ufffdgpj.exe"]);
    assertEquals(attachments.map(({ type }) => type).slice(0, 1), ["image/png"]);
    assertEquals(attachments.at(-1)!.sizeBytes, 4);
  });

  it("says that there is more than it tells", async () => {
    const long = await preview(`Subject: ${"s".repeat(9000)}\n\n${"\u00e4".repeat(mostPreviewText)}x`, 1_000_000);
    assertEquals([long.text.length <= mostPreviewText, long.textIsCut, long.sizeBytes], [true, true, 1_000_000]);
    assert(long.readBytes < long.sizeBytes && long.fields[0]!.value.length <= mostFieldText);
  });

  it("tells the header of a message that is beyond understanding", async () => {
    const deep = Array.from({ length: 100 }, (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\n\n--b${n}\n`);
    const { kind, fields } = await preview(`Subject: x\n${deep.join("")}`);
    assertEquals([kind, fields[0]], ["none", { name: "Subject", value: "x" }]);
  });

  for (const [claim, content] of mimeBombs) {
    it(`answers within its bounds for a message with ${claim}`, async () => {
      const { text, fields, attachments } = await preview(`Subject: x\n${content}`.slice(0, 256 * 1024));
      assert(text.length <= mostPreviewText && fields.length <= mostFields && attachments.length <= mostAttachments);
      assertEquals(fields[0]?.name, "Subject");
    });
  }

  it("never throws, and says nothing that acts on what shows it", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string({
              unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
              maxLength: 30,
            }),
            fc.constantFrom(
              ...[
                "\n",
                "\r\n",
                "\n\n",
                "--b",
                "--b--\n",
                "Content-Type: multipart/mixed; boundary=b\n",
                "Subject: ",
                "=?utf-8?q?=00=E2=80=AE?=",
              ],
              ...[
                "Content-Type: message/rfc822\n",
                "Content-Type: text/html\n",
                "<b",
                "&#x0;&#x202e;",
                "Content-Transfer-Encoding: base64\n",
              ],
              ...["Content-Disposition: attachment; filename=", '"', "name*0*=utf-8''%00"],
            ),
          ),
          { maxLength: 30 },
        ),
        async (pieces) => {
          const { text, fields, attachments } = await preview(pieces.join(""));
          const lines = [
            ...fields.flatMap(({ name, value }) => [name, value]),
            ...attachments.flatMap((one) => [one.name, one.type]),
          ];
          // deno-lint-ignore no-control-regex
          const acting = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
          assert(!acting.test(text) && lines.every((line) => !acting.test(line) && !/[\t\n]/.test(line)));
          assert([text, ...lines].every((one) => one.isWellFormed()));
        },
      ),
      { numRuns: 300 },
    ));
});
