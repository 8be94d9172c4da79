import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseBounceText } from "../../../components/lib/dsn/bounce_text_file.ts";
import {
  type BouncePlan,
  formatBounce,
  formatParagraph,
  formatText,
  planBounce,
} from "../../../components/lib/dsn/qsbmf.ts";

const noMailbox = "Sorry, no mailbox here by that name. (#5.1.1)\n";
const unixSeconds = 1795332082;

/** A bounce of qmail's, as qmail-queue got it: without the three lines put in front later. */
const single = `Date: 22 Nov 2026 07:21:22 -0000
From: MAILER-DAEMON@mx.example.com
To: joe@localhost
Subject: failure notice

Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<noat@mx.example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

<joe-hard@localhost>:
hard trouble
second line

<nosuch@r.example>:
127.0.0.1 does not like recipient.
Remote host said: 550-no such user
550 really
Giving up on 127.0.0.1.

<later@r.example>:
127.0.0.1 does not like recipient.
Remote host said: 451 later
Giving up on 127.0.0.1.
I'm not going to try again; this message has been in the queue too long.

--- Below this line is a copy of the message.

Return-Path: <joe@localhost>
`;

const double = `Date: 22 Nov 2026 07:21:22 -0000
From: MAILER-DAEMON@mx.example.com
To: postmaster@mx.example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.com.
I tried to deliver a bounce message to this address, but the bounce bounced!

<dead@localhost>:

--- Below this line is the original bounce.

Return-Path: <>
`;

const common = { unixSeconds, from: "MAILER-DAEMON@mx.example.com", host: "mx.example.com" };

describe("formatBounce()", () => {
  it("writes a single bounce to the letter", () => {
    const paragraphs = [
      formatParagraph("noat@mx.example.com", noMailbox),
      formatParagraph("joe-hard@localhost", "hard trouble\nsecond line\n"),
      formatParagraph(
        "nosuch@r.example",
        "127.0.0.1 does not like recipient.\nRemote host said: 550-no such user\n550 really\nGiving up on 127.0.0.1.\n",
      ),
      formatParagraph(
        "later@r.example",
        "127.0.0.1 does not like recipient.\nRemote host said: 451 later\nGiving up on 127.0.0.1.\n" +
          "I'm not going to try again; this message has been in the queue too long.\n",
      ),
    ].join("");
    const fields = { recipient: "joe@localhost", originalSender: "joe@localhost", paragraphs };
    assertEquals(formatBounce({ kind: "single", ...common, ...fields }), single);
  });

  it("writes a double bounce to the letter", () => {
    const paragraphs = formatParagraph("dead@localhost", "");
    const fields = { recipient: "postmaster@mx.example.com", originalSender: "", paragraphs };
    assertEquals(formatBounce({ kind: "double", ...common, ...fields }), double);
  });

  const hostile = ["a\nBcc: eve@e.example\n\n@b.example", "a b@c.example", '"', "<>", "\xff\x01", "@", "a@b@c"];
  for (const sender of hostile) {
    it(`keeps the sender ${JSON.stringify(sender)} within its lines`, () => {
      const bounce = formatBounce({
        kind: "single",
        ...common,
        recipient: sender,
        originalSender: sender,
        paragraphs: "",
      });
      const lines = bounce.split("\n");
      assertEquals(lines.length, single.split("\n\n<")[0]!.split("\n").length + 5);
      assertEquals(lines[3], "Subject: failure notice");
      assert(lines[2]!.startsWith("To: ") && lines.at(-2)!.startsWith("Return-Path: <"));
    });
  }

  it("Unlike qmail: masks control octets of a report and breaks its lines of more than 998 octets", () => {
    const paragraphs = formatParagraph(
      "a@b",
      `one\r\ntwo\0\x1b\x7f\t\xff\n${"x".repeat(997)}\xc3\xa9${"y".repeat(998)}\n`,
    );
    const text = formatText({ kind: "double", host: "mx.example.com", paragraphs });
    const want = `\n\n<a@b>:\none?\ntwo???\t\xff\n${"x".repeat(997)}\n\xc3\xa9${"y".repeat(996)}\nyy\n\n--- Below`;
    assert(text.includes(want), text);
  });

  it("quotes what needs it", () => {
    const fields = { recipient: "a b@c.example", originalSender: "a b@c.example", paragraphs: "" };
    const bounce = formatBounce({ kind: "single", ...common, ...fields });
    assert(bounce.includes('\nTo: "a b"@c.example\n'));
    assert(bounce.endsWith('\nReturn-Path: <"a b"@c.example>\n'));
  });
});

describe("formatText()", () => {
  it("has the operator's words behind the introduction, and before the recipients", () => {
    const text = formatText({
      kind: "single",
      host: "h",
      paragraphs: "<a@b>:\nno\n\n",
      customText: "Ask us:\ncall 1\n",
    });
    assertEquals(text.split("\n\n").slice(1), [
      "Ask us:\ncall 1",
      "<a@b>:\nno",
      "--- Below this line is a copy of the message.\n",
    ]);
  });
});

describe("parseBounceText()", () => {
  const table: readonly (readonly [text: string, want: string | undefined])[] = [
    ["", ""],
    [" \n\n", ""],
    ["\nAsk us:  \n\ncall 1\n\n", "Ask us:\n\ncall 1\n"],
    ["<a@b>:\n", undefined],
    ["a\n--- x\n", undefined],
    ["f\u00fcr\n", undefined],
    ["a\tb\n", undefined],
    ["x".repeat(2001), undefined],
  ];
  for (const [text, want] of table) {
    it(`${want === undefined ? "refuses" : "takes"} ${JSON.stringify(text.slice(0, 30))}`, () => {
      const read = parseBounceText(text);
      assertEquals(read.ok ? read.value : undefined, want);
    });
  }
});

describe("planBounce()", () => {
  const to = "postmaster@mx.example.com";
  const rows: readonly { sender: string; to?: string; want: BouncePlan }[] = [
    { sender: "joe@localhost", want: { kind: "single", sender: "", recipient: "joe@localhost" } },
    { sender: "", want: { kind: "double", sender: "#@[]", recipient: to } },
    { sender: "#@[]", want: { kind: "triple" } },
    { sender: "joe@localhost", to: "", want: { kind: "single", sender: "", recipient: "joe@localhost" } },
    { sender: "", to: "", want: { kind: "discarded double" } },
    { sender: "#@[]", to: "", want: { kind: "triple" } },
  ];
  for (const { sender, to = "postmaster@mx.example.com", want } of rows) {
    const gets = "recipient" in want ? `a ${want.kind} bounce` : "nothing";
    it(`<${sender}> gets ${gets}${to === "" ? " where nobody gets double bounces" : ""}`, () => {
      assertEquals(planBounce(sender, to), want);
    });
  }
});

describe("formatParagraph()", () => {
  const rows = [
    { report: noMailbox, want: `<a@b>:\n${noMailbox}\n`, why: "the report, then an empty line" },
    { report: "no line end", want: "<a@b>:\nno line end\n\n", why: "a missing line end is added" },
    { report: "", want: "<a@b>:\n\n", why: "an empty report" },
    { report: "a\n\nb\n", want: "<a@b>:\na\n/b\n\n", why: "the second of two line ends becomes a slash" },
    { report: "a\n\n\nb\n", want: "<a@b>:\na\n//b\n\n", why: "and the third" },
    { report: "\na\n", want: "<a@b>:\n/a\n\n", why: "one at the beginning, too" },
    { report: "a\n\n", want: "<a@b>:\na\n\n", why: "Unlike qmail: empty lines at the end go" },
  ];
  for (const { report, want, why } of rows) {
    it(`${JSON.stringify(report)}: ${why}`, () => assertEquals(formatParagraph("a@b", report), want));
  }

  it("writes a line end in the address as _", () => {
    assertEquals(formatParagraph("a\n\n@b", "x\n"), "<a__@b>:\nx\n\n");
  });

  it("never holds an empty line, and ends in one", () => {
    const anyText = fc.string({ unit: fc.constantFrom("\n", "a", "<b@c>:", "-", "\xff", "\0", "\r") });
    fc.assert(fc.property(anyText, anyText, (recipient, report) => {
      const paragraph = formatParagraph(recipient, report);
      assertEquals(paragraph.indexOf("\n\n"), paragraph.length - 2);
      assert(paragraph.startsWith("<"));
    }));
  });
});
