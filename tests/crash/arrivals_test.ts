import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { formatParagraph, formatText } from "../../components/lib/dsn/qsbmf.ts";
import { parseMaildirFile, parseTaken } from "./arrivals.ts";
import { hashBody, sender } from "./load.ts";

const [first, second] = ["refused-5-0@sink.example", "refused-5-1@sink.example"];

describe("parseMaildirFile()", () => {
  it("finds the recipient, the number and the body below headers that were added", () => {
    const message = "Return-Path: <a@b>\nDelivered-To: demo-5-0@localhost\nReceived: x\nX-Number: 5\n\nbody\n\n.more\n";
    assertEquals(parseMaildirFile(message, 7), {
      kind: "delivery",
      recipient: "demo-5-0@localhost",
      number: 5,
      bodyHash: hashBody("body\n\n.more\n"),
      atMs: 7,
    });
  });

  const bounceOf = (paragraphs: string) => {
    const text = formatText({ kind: "single", host: "localhost", paragraphs });
    return `Return-Path: <>\nDelivered-To: ${sender}\n\n--x\n\n${text}\n--x\n\nX-Number: 5\n\n<not@this.one>:\n`;
  };

  it("finds in a bounce the recipients its text names, and none in the copy", () => {
    const message = bounceOf(formatParagraph(first, "no\n") + formatParagraph(second, "no\n"));
    assertEquals(parseMaildirFile(message, 7), { kind: "bounce", recipients: [first, second], atMs: 7 });
  });

  it("finds the recipient behind a paragraph that a crash has cut, and each once", () => {
    const cut = formatParagraph(second, "no\n").slice(0, 12);
    const message = bounceOf(cut + formatParagraph(first, "no\n") + formatParagraph(first, "no\n"));
    assertEquals(parseMaildirFile(message, 7), { kind: "bounce", recipients: [first], atMs: 7 });
  });
});

describe("parseTaken()", () => {
  it("is a delivery for each recipient, with the hash its sender knows though line ends are CRLF", () => {
    const recipients = ["r-5-0@sink.example", "r-5-1@sink.example"];
    const content = "Received: x\r\nX-Number: 5\r\n\r\nbody\r\n\r\n.more\r\n";
    const common = { kind: "delivery" as const, number: 5, bodyHash: hashBody("body\n\n.more\n"), atMs: 9 };
    assertEquals(
      parseTaken({ sender: "", recipients, content, parameters: {}, recipientParameters: [{}, {}] }, 9),
      recipients.map((recipient) => ({ ...common, recipient })),
    );
  });
});
