import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { AnswerParser, longestAnswer } from "../../../components/lib/qmtp/answer_parser.ts";
import { MailReader } from "../../../components/lib/qmtp/mail_reader.ts";
import { formatNetstring, longestNetstring } from "../../../components/lib/qmtp/netstring.ts";
import { framePackage } from "../../../components/lib/qmtp/qmtp_client.ts";

/** Everything a parser makes of octets cut at `size`: answers as code and text, an error as its word. */
function parse(octets: string, size = octets.length): string[] {
  const parser = new AnswerParser();
  const got: string[] = [];
  for (let at = 0; at < octets.length; at += Math.max(size, 1)) {
    parser.push(toOctets(octets.slice(at, at + Math.max(size, 1))));
    for (let taken = parser.takeReply(); taken !== undefined; taken = parser.takeReply()) {
      got.push(taken.ok ? `${taken.value.code} ${taken.value.lines.join("|")}` : taken.error);
      if (!taken.ok) return got;
    }
  }
  return got;
}

describe("framePackage()", () => {
  it("frames as the documented example", () => {
    const { head, tail } = framePackage(15, { sender: "s@d.org", recipients: ["a@example.com", "b@other.org"] })!;
    assertEquals(
      fromOctets(head) + "Subject: t\n\nhi\n" + fromOctets(tail),
      "16:\nSubject: t\n\nhi\n,7:s@d.org,32:13:a@example.com,11:b@other.org,,",
    );
  });

  it("frames what a server's reader reads back, any number one after the other", () => {
    const address = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((octet) => String.fromCharCode(octet)) });
    const mail = fc.record({
      text: fc.uint8Array({ maxLength: 200 }),
      sender: address,
      recipients: fc.array(address, { minLength: 1, maxLength: 5 }),
    });
    fc.assert(fc.property(fc.array(mail, { maxLength: 4 }), fc.integer({ min: 1, max: 50 }), (mails, size) => {
      const wire = mails.map(({ text, ...envelope }) => {
        const { head, tail } = framePackage(text.length, envelope)!;
        return fromOctets(head) + fromOctets(text) + fromOctets(tail);
      }).join("");
      const reader = new MailReader("qmtp");
      const got: unknown[] = [];
      let text = "";
      for (let at = 0; at < wire.length; at += size) {
        reader.push(toOctets(wire.slice(at, at + size)));
        for (let event = reader.next(); event !== undefined; event = reader.next()) {
          if (event.kind === "begin") text = "";
          if (event.kind === "text") text += fromOctets(event.octets);
          if (event.kind === "envelope") got.push({ text, ...event.envelope });
          if (event.kind === "fault") throw new Error(event.fault);
        }
      }
      assertEquals(got, mails.map(({ text, ...envelope }) => ({ text: fromOctets(text), ...envelope })));
    }));
  });

  it("frames nothing that is larger than servers take", () => {
    const envelope = { sender: "", recipients: ["a@b"] };
    assertEquals(framePackage(longestNetstring - 1, envelope) === undefined, false);
    assertEquals(framePackage(longestNetstring, envelope), undefined);
  });
});

describe("AnswerParser", () => {
  const rows: readonly { readonly input: string; readonly want: readonly string[] }[] = [
    { input: "", want: [] },
    { input: "23:Kok 1795331970 qp 24135,", want: ["250 ok 1795331970 qp 24135"] },
    { input: "1:K,1:Z,1:D,", want: ["250 ", "450 ", "550 "] },
    { input: "5:Da\n\x7f\xe9,", want: ["550 a??\xe9"] },
    { input: "2:Ka,2:", want: ["250 a"] },
    { input: formatNetstring(`Z${"x".repeat(longestAnswer - 1)}`), want: [`450 ${"x".repeat(longestAnswer - 1)}`] },
    { input: formatNetstring(`Z${"x".repeat(longestAnswer)}`), want: ["malformed"] },
    ...["0:,", "01:K,", ":K,", "x", "-1:K,", "1K,", " 1:K,", "1:K;", "1:K", "1:k,", "2:Xx,", "5:\0", "220 mx ESMTP\r\n"]
      .map((input) => ({ input, want: input === "1:K" ? [] : ["malformed"] })),
    { input: "9".repeat(400), want: ["malformed"] },
    { input: "2:Ka,nonsense,2:Kb,", want: ["250 a", "malformed"] },
  ];

  it("reads answers, and nothing else, wherever they are cut", () => {
    for (const { input, want } of rows) {
      for (const size of [1, 2, 3, 7, input.length]) assertEquals(parse(input, size), want, input.slice(0, 100));
    }
  });

  it("makes the same of any octets, wherever they are cut, and never throws", () => {
    const octets = fc.array(fc.constantFrom("1", "2", "0", ":", "K", "Z", "D", ",", "x", "2:Ka,", "1:D,", "\0"))
      .map((all) => all.join(""));
    fc.assert(fc.property(octets, fc.integer({ min: 1, max: 9 }), (input, size) => {
      assertEquals(parse(input, size), parse(input));
    }));
  });

  it("says whether anything came behind the last answer", () => {
    for (const [input, want] of [["2:Ka,", 0], ["2:Ka,1", 1], ["2:Ka,2:K", 3]] as const) {
      const parser = new AnswerParser();
      parser.push(toOctets(input));
      parser.takeReply();
      parser.takeReply();
      assertEquals(parser.discard(), want);
      assertEquals(parser.takeReply()?.ok, want === 0 ? undefined : false);
    }
  });
});
