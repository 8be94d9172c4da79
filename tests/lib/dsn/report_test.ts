import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { headerOf, messageIdOf } from "../../../components/lib/dsn/original.ts";
import { parseParagraphs } from "../../../components/lib/dsn/paragraphs.ts";
import { formatBounce, formatParagraph, formatText } from "../../../components/lib/dsn/qsbmf.ts";
import { formatReport, type ReportFields } from "../../../components/lib/dsn/report.ts";
import { toOctets, utf8Octets } from "../../../components/lib/octets.ts";
import { type ParsedPart, parseWithPython, pythonIsInstalled } from "../../support/python_email.ts";

const boundary = "=_0123456789abcdef";
const original = "Received: from client.example\nMessage-ID: <m.1@client.example>\nSubject: hi\n\nhello\n";

/** What a bounce of `original` to joe@localhost is made of. */
function fieldsOf(paragraphs: string, more: Partial<ReportFields> = {}): ReportFields {
  const header = headerOf(original);
  return {
    kind: "single",
    unixSeconds: 1795332082,
    from: "MAILER-DAEMON@mx.example.com",
    host: "mx.example.com",
    recipient: "joe@localhost",
    originalSender: "joe@localhost",
    paragraphs,
    reportingMta: "mx.example.com",
    arrivalSeconds: 1795332051,
    lastFailureSeconds: 1795332081,
    failed: parseParagraphs(paragraphs),
    copy: { part: "message", header, eightBit: false, messageId: messageIdOf(header) },
    idToken: "1795332082.5eed",
    ...more,
  };
}

function reportOf(fields: ReportFields, copy = original): string {
  const report = formatReport(fields, boundary);
  assert(report !== undefined);
  return report.before + copy + report.after;
}

/** The body of each part, without its header. */
function partsOf(report: string): string[] {
  const parts = report.split(`\n--${boundary}`);
  assertEquals(parts.at(-1), "--\n");
  return parts.slice(1, -1).map((part) => part.slice(part.indexOf("\n\n") + 2));
}

const refused = (text: string) =>
  `192.0.2.1 does not like recipient.\nRemote host said: ${text}\nGiving up on 192.0.2.1.\n`;
const paragraphs = [
  formatParagraph("noat@mx.example.com", "Sorry, no mailbox here by that name. (#5.1.1)\n"),
  formatParagraph("nosuch@r.example", refused("550-5.1.1 no such user\n550 5.1.1 really")),
  formatParagraph(
    "a b@r.example",
    "Connected to 2001:db8::1 but sender was rejected.\nRemote host said: 451 later\n" +
      "I'm not going to try again; this message has been in the queue too long.\n",
  ),
].join("");

const golden = `Date: 22 Nov 2026 07:21:22 +0000
From: Mail Delivery System <MAILER-DAEMON@mx.example.com>
To: joe@localhost
Subject: failure notice
Message-ID: <1795332082.5eed@mx.example.com>
In-Reply-To: <m.1@client.example>
References: <m.1@client.example>
MIME-Version: 1.0
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_0123456789abcdef"

--=_0123456789abcdef
Content-Type: text/plain; charset=us-ascii

Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<noat@mx.example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

<nosuch@r.example>:
192.0.2.1 does not like recipient.
Remote host said: 550-5.1.1 no such user
550 5.1.1 really
Giving up on 192.0.2.1.

<a b@r.example>:
Connected to 2001:db8::1 but sender was rejected.
Remote host said: 451 later
I'm not going to try again; this message has been in the queue too long.

--- Below this line is a copy of the message.

--=_0123456789abcdef
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: 22 Nov 2026 07:20:51 +0000

Final-Recipient: rfc822; noat@mx.example.com
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; nosuch@r.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; [192.0.2.1]
Diagnostic-Code: smtp; 550-5.1.1 no such user
 550 5.1.1 really

Final-Recipient: rfc822; "a b"@r.example
Action: failed
Status: 4.0.0
Remote-MTA: dns; [IPv6:2001:db8::1]
Diagnostic-Code: smtp; 451 later
Last-Attempt-Date: 22 Nov 2026 07:21:21 +0000

--=_0123456789abcdef
Content-Type: message/rfc822

Return-Path: <joe@localhost>
${original}
--=_0123456789abcdef--
`;

describe("formatReport()", () => {
  it("writes a whole report to the letter", () => assertEquals(reportOf(fieldsOf(paragraphs)), golden));

  for (const kind of ["single", "double"] as const) {
    it(`has the text of a ${kind} bounce as its first part, octet for octet`, () => {
      const fields = fieldsOf(paragraphs, { kind, originalSender: "", recipient: "postmaster@mx.example.com" });
      const [text] = partsOf(reportOf(fields));
      const plain = formatBounce(fields);
      assertEquals(`${text}\nReturn-Path: <>\n`, plain.slice(plain.indexOf("\n\n") + 2));
      assertEquals(text, formatText(fields));
    });
  }

  it("has the header for a copy as text/rfc822-headers", () => {
    const copy = { part: "header" as const, header: headerOf(original), eightBit: false, messageId: undefined };
    const report = reportOf(fieldsOf(paragraphs, { copy }), copy.header);
    assertStringIncludes(
      report,
      `Content-Type: text/rfc822-headers\n\nReturn-Path: <joe@localhost>\n${copy.header}\n--${boundary}--\n`,
    );
    assert(!report.includes("In-Reply-To") && !report.includes("References"));
  });

  it("answers nothing where the boundary stands in its own text", () => {
    assertEquals(formatReport(fieldsOf(formatParagraph("a@b", `no ${boundary}`)), boundary), undefined);
    assertEquals(formatReport(fieldsOf(formatParagraph(boundary, "no")), boundary), undefined);
    assertEquals(formatReport(fieldsOf(paragraphs, { originalSender: `${boundary}@b` }), boundary), undefined);
  });
});

describe("formatReport() with octets over 0x7f", () => {
  const address = utf8Octets("jörg@bücher.example");
  const cases = [
    {
      what: "a UTF-8 recipient",
      fields: fieldsOf(formatParagraph(address, "no (#5.1.1)")),
      want: [
        "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
        "message/global-delivery-status\nContent-Transfer-Encoding: 8bit",
        "message/rfc822\n",
      ],
      field: `Final-Recipient: utf-8; ${address}`,
    },
    {
      what: "a recipient that is not UTF-8",
      fields: fieldsOf(formatParagraph("j\xf6rg@r.example", "no")),
      want: [
        "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
        "message/delivery-status\n",
        "message/rfc822\n",
      ],
      field: "Final-Recipient: rfc822; j?rg@r.example",
    },
    {
      what: "a UTF-8 reply",
      fields: fieldsOf(formatParagraph("a@b.example", refused(`550 ${utf8Octets("né")}`))),
      want: [
        "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
        "message/delivery-status\n",
        "message/rfc822\n",
      ],
      field: "Diagnostic-Code: smtp; 550 n??",
    },
    {
      what: "a UTF-8 sender",
      fields: fieldsOf(formatParagraph("a@b.example", "no"), { originalSender: address, recipient: address }),
      want: [
        "text/plain; charset=us-ascii\n",
        "message/delivery-status\n",
        "message/global\nContent-Transfer-Encoding: 8bit",
      ],
      field: `To: ${address}`,
    },
    {
      what: "an original with an 8-bit body",
      fields: fieldsOf(paragraphs, {
        copy: { part: "message", header: headerOf(original), eightBit: true, messageId: undefined },
      }),
      want: [
        "text/plain; charset=us-ascii\n",
        "message/delivery-status\n",
        "message/rfc822\nContent-Transfer-Encoding: 8bit",
      ],
      field: "Content-Transfer-Encoding: 8bit\n",
    },
    {
      what: "an original with UTF-8 in its header, of which only that is copied",
      fields: fieldsOf(paragraphs, {
        copy: { part: "header", header: utf8Octets("Subject: é\n"), eightBit: true, messageId: undefined },
      }),
      want: [
        "text/plain; charset=us-ascii\n",
        "message/delivery-status\n",
        "message/global-headers\nContent-Transfer-Encoding: 8bit",
      ],
      field: "Content-Transfer-Encoding: 8bit\n",
    },
  ];
  for (const { what, fields, want, field } of cases) {
    it(`labels ${what}`, () => {
      const report = reportOf(fields);
      for (const type of want) assertStringIncludes(report, `--${boundary}\nContent-Type: ${type}`);
      assertStringIncludes(report, `\n${field}`);
      assertStringIncludes(report.slice(0, report.indexOf("\n\n")), "\nContent-Transfer-Encoding: 8bit");
    });
  }
});

describe("formatReport() with hostile texts", () => {
  const hostile = [
    "\nBcc: eve@e.example\n\nbody",
    "550 a\r\nStatus: 2.0.0\r\n\r\n",
    "Remote host said: 550-\n550-Action: delivered\n550 Final-Recipient: rfc822; eve@e.example",
    "\0\x1b[2J\x7f",
    "x".repeat(5000),
    utf8Octets("é".repeat(3000)),
    "550 ".repeat(2000),
    `Remote host said: 550 ${"y".repeat(4096)}`,
    "\xff\xfe",
    "--=_",
  ];
  const statusFields = /^(Final-Recipient|Action|Status|Remote-MTA|Diagnostic-Code|Last-Attempt-Date): | /;

  function check(report: string): void {
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x08\x0b-\x1f\x7f]/.test(report), "a control octet");
    assert(report.split("\n").every((line) => line.length <= 998), "a line of more than 998 octets");
    const header = report.slice(0, report.indexOf("\n\n")).split("\n");
    const names = header.filter((line) => !line.startsWith(" ")).map((line) => line.slice(0, line.indexOf(":")));
    assertEquals(names.filter((name) => !/^(In-Reply-To|References|Content-Transfer-Encoding)$/.test(name)), [
      ...["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type"],
    ]);
    const [, status = ""] = partsOf(report);
    const [, recipient = "", ...more] = status.split("\n\n");
    assertEquals(more, []);
    const lines = recipient.trimEnd().split("\n");
    assert(lines.every((line) => statusFields.test(line)), recipient);
    assertEquals(lines.filter((line) => /^(Final-Recipient|Action|Status): /.test(line)).length, 3);
  }

  for (const text of hostile) {
    it(`keeps ${JSON.stringify(text.slice(0, 60))} within its lines and fields`, () => {
      check(reportOf(fieldsOf(formatParagraph("a@b.example", text))));
      check(reportOf(fieldsOf(formatParagraph("a@b.example", refused(text)))));
      check(
        reportOf(
          fieldsOf(formatParagraph(text.replaceAll("\n", "_"), "no\n"), { originalSender: text, recipient: text }),
        ),
      );
    });
  }

  it("never writes a control octet, a line of more than 998 octets or a field too many", () => {
    const unit = fc.constantFrom(
      ...["\n", "\r", "\0", "\t", " ", "a", "\xc3\xa9", "\xff", ":", "<", ">", "@", '"', "550-", "550 ", "5.1.1"],
      ...["Remote host said: ", "Status: 2.0.0", `--${boundary.slice(0, 5)}`, "z".repeat(400)],
    );
    const anyText = fc.string({ unit, maxLength: 40 });
    fc.assert(fc.property(anyText, anyText, anyText, (recipient, report, sender) => {
      check(reportOf(fieldsOf(formatParagraph(recipient, report), { recipient: sender, originalSender: sender })));
    }));
  });
});

describe("Python's email module", () => {
  const missing = pythonIsInstalled ? "" : " (skipped: python3 is not installed)";

  function typesOf(part: ParsedPart): unknown[] {
    return part.parts.length === 0 ? [part.type] : [part.type, part.parts.map(typesOf)];
  }

  function defectsOf(part: ParsedPart): string[] {
    return [...part.defects, ...part.parts.flatMap(defectsOf)];
  }

  it(`reads a report as what it is${missing}`, { ignore: !pythonIsInstalled }, async () => {
    const parsed = await parseWithPython(toOctets(golden));
    assertEquals(defectsOf(parsed), []);
    const blocks = ["text/plain"];
    assertEquals(typesOf(parsed), ["multipart/report", [
      ["text/plain"],
      ["message/delivery-status", [blocks, blocks, blocks, blocks]],
      ["message/rfc822", [["text/plain"]]],
    ]]);
    assertEquals(parsed.parts[0]!.content, formatText(fieldsOf(paragraphs)));
    const [message, ...recipients] = parsed.parts[1]!.parts.map((block) => new Map(block.fields));
    assertEquals(message!.get("Reporting-MTA"), "dns; mx.example.com");
    assertEquals(recipients.map((fields) => [fields.get("Final-Recipient"), fields.get("Status")]), [
      ["rfc822; noat@mx.example.com", "5.1.1"],
      ["rfc822; nosuch@r.example", "5.1.1"],
      ['rfc822; "a b"@r.example', "4.0.0"],
    ]);
    assertEquals(recipients[1]!.get("Diagnostic-Code"), "smtp; 550-5.1.1 no such user\n 550 5.1.1 really");
    assertEquals(parsed.parts[2]!.parts[0]!.fields[0], ["Return-Path", "<joe@localhost>"]);
    assertEquals(parsed.parts[2]!.parts[0]!.content, "hello\n");
  });

  it(`finds nothing to object to in a UTF-8 report${missing}`, { ignore: !pythonIsInstalled }, async () => {
    const paragraph = formatParagraph(utf8Octets("jörg@bücher.example"), refused(`550 5.1.1 ${utf8Octets("né")}`));
    const parsed = await parseWithPython(toOctets(reportOf(fieldsOf(paragraph))));
    assertEquals(defectsOf(parsed), []);
    assertEquals(parsed.parts.map(({ type }) => type), [
      "text/plain",
      "message/global-delivery-status",
      "message/rfc822",
    ]);
    assertStringIncludes(parsed.parts[0]!.content, paragraph);
  });
});
