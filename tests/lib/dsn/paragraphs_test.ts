import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseParagraphs, remoteReply, statusOf } from "../../../components/lib/dsn/paragraphs.ts";
import { formatParagraph } from "../../../components/lib/dsn/qsbmf.ts";

const refused = "192.0.2.1 does not like recipient.\nRemote host said: ";

describe("parseParagraphs()", () => {
  const rows = [
    { text: "", want: [], why: "nothing" },
    { text: "<a@b>:\nno\n\n", want: [{ recipient: "a@b", report: "no" }], why: "one recipient" },
    {
      text: "<a@b>:\none\ntwo\n\n<c@d>:\n\n",
      want: [{ recipient: "a@b", report: "one\ntwo" }, { recipient: "c@d", report: "" }],
      why: "two, one of them without a report",
    },
    { text: "<a>:<b@c>:\nno\n\n", want: [{ recipient: "a>:<b@c", report: "no" }], why: "an address with >: in it" },
    {
      text: "a word\n\n<a@b>:\nno\n\n",
      want: [{ recipient: "a@b", report: "no" }],
      why: "other paragraphs are ignored",
    },
    { text: "<a@b>:\nno\n\n<c@", want: [{ recipient: "a@b", report: "no" }], why: "a torn end is" },
    { text: "<a@b>:\nno", want: [{ recipient: "a@b", report: "no" }], why: "a report without its last line end" },
  ];
  for (const { text, want, why } of rows) {
    it(`${JSON.stringify(text)}: ${why}`, () => assertEquals(parseParagraphs(text), want));
  }

  it("is the inverse of formatParagraph(), for any number of them", () => {
    const anyText = fc.string({ unit: fc.constantFrom("\n", "a", "<b@c>:", "-", "\xff", "\0", "\r", " ") });
    fc.assert(fc.property(fc.array(fc.record({ recipient: anyText, report: anyText })), (failed) => {
      const text = failed.map(({ recipient, report }) => formatParagraph(recipient, report)).join("");
      const parsed = parseParagraphs(text);
      assertEquals(
        parsed.map(({ recipient }) => recipient),
        failed.map(({ recipient }) => recipient.replaceAll("\n", "_")),
      );
      assertEquals(parsed.map(({ recipient, report }) => formatParagraph(recipient, report)).join(""), text);
    }));
  });
});

describe("statusOf()", () => {
  const rows = [
    { report: "Sorry, no mailbox here by that name. (#5.1.1)", want: "5.1.1" },
    { report: "first (#5.2.2), then (#5.7.1)", want: "5.7.1" },
    { report: `${refused}550 5.1.1 no such user\nGiving up on 192.0.2.1.`, want: "5.1.1" },
    { report: `${refused}550-5.1.1 no such\n550 5.1.1 user`, want: "5.1.1" },
    { report: `${refused}550 5.1.1`, want: "5.1.1" },
    { report: `${refused}550 sorry, no mailbox (#5.1.2)`, want: "5.1.2" },
    { report: `${refused}451 later\nI'm not going to try again`, want: "4.0.0" },
    { report: `${refused}554 no`, want: "5.0.0" },
    { report: `${refused}550 4.2.1 of another class`, want: "5.0.0" },
    { report: `${refused}550 2.0.0 no failure`, want: "5.0.0" },
    { report: `${refused}550 5.1.1.1 no status`, want: "5.0.0" },
    { report: `${refused}550 5.1.1234`, want: "5.0.0" },
    { report: "hard trouble", want: "5.0.0" },
    { report: "", want: "5.0.0" },
    { report: "done (#2.1.5)", want: "5.0.0" },
    { report: "(#5.1.1\n)", want: "5.0.0" },
    { report: "(#5.1111.1)", want: "5.0.0" },
    { report: "connection died. (#4.4.2)\nI'm not going to try again; too long.", want: "4.4.2" },
  ];
  for (const { report, want } of rows) {
    it(`${JSON.stringify(report)}: ${want}`, () => assertEquals(statusOf(report), want));
  }

  it("is a failure's status for any report", () => {
    const unit = fc.constantFrom("(#", ")", "5", ".", "1", "\n", "Remote host said: ", " ", "550", "-", "\xff");
    fc.assert(fc.property(fc.string({ unit }), (report) => {
      assert(/^[45]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(statusOf(report)));
    }));
  });
});

describe("remoteReply()", () => {
  const rows = [
    { report: "Sorry, no mailbox here by that name. (#5.1.1)", want: undefined },
    { report: `${refused}550 no\nGiving up on 192.0.2.1.`, want: { host: "192.0.2.1", lines: ["550 no"] } },
    {
      report: "Connected to 2001:db8::1 but sender was rejected.\nRemote host said: 550-no\n550-really\n550 no\n550 x",
      want: { host: "2001:db8::1", lines: ["550-no", "550-really", "550 no"] },
    },
    { report: `${refused}550-no\n551 other`, want: { host: "192.0.2.1", lines: ["550-no"] } },
    { report: "Remote host said: 550 no", want: { host: undefined, lines: ["550 no"] } },
    { report: "a;b\x1b does not\nRemote host said: ", want: { host: undefined, lines: [""] } },
    {
      report: `${refused}550-x\n550 Remote host said: 250 2.0.0 fine`,
      want: { host: "192.0.2.1", lines: ["550-x", "550 Remote host said: 250 2.0.0 fine"] },
    },
  ];
  for (const { report, want } of rows) it(JSON.stringify(report), () => assertEquals(remoteReply(report), want));
});
