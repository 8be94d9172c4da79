import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Completion, longestCompletedHeader } from "../../../components/lib/message/complete_submission.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

const moment = { unixSeconds: 1795333684, unique: "1.2", host: "mx.example.com" };
const date = "Date: 22 Nov 2026 07:48:04 -0000\n";
const id = "Message-ID: <1.2@mx.example.com>\n";

function complete(pieces: readonly string[]): string {
  const completion = new Completion(moment);
  const text = pieces.map((piece) => fromOctets(completion.push(toOctets(piece)))).join("");
  return text + fromOctets(completion.end(new Uint8Array(0)));
}

describe("Completion", () => {
  const table: { claim: string; content: string; added: string }[] = [
    { claim: "adds both", content: "From: a@b\n\nx\n", added: date + id },
    { claim: "adds both to an empty message", content: "", added: date + id },
    { claim: "adds both to a message without a header", content: "\nDate: x\n", added: date + id },
    { claim: "leaves a Date", content: "dAtE : today\n\n", added: id },
    { claim: "leaves a Message-ID", content: "From: a\nmessage-id:\n\n", added: date },
    { claim: "adds both where a body names them", content: "From: a\n\nDate: x\nMessage-ID: y\n", added: date + id },
    { claim: "knows a field from a folded line", content: "Subject: x\n Date: y\n\n", added: date + id },
    { claim: "knows a field from a longer name", content: "Resent-Date: x\nDates: y\n\n", added: date + id },
    { claim: "finds a header without a body", content: "Date: x\nMessage-ID: y\n", added: "" },
    { claim: "changes nothing that is signed", content: "DKIM-Signature: v=1\n\n", added: "" },
    { claim: "leaves __proto__ alone", content: "__proto__: x\n\n", added: date + id },
  ];
  for (const { claim, content, added } of table) it(claim, () => assertEquals(complete([content]), added + content));

  it("does not mind where the content is cut", () => {
    const text = fc.array(fc.constantFrom("\n", "Date: x", "a", ":", "Message-ID: y\n"), { maxLength: 10 });
    fc.assert(fc.property(text, fc.nat(40), fc.nat(40), (words, one, two) => {
      const content = words.join("");
      const [from, to] = [Math.min(one, two), Math.max(one, two)];
      assertEquals(complete([content.slice(0, from), content.slice(from, to), content.slice(to)]), complete([content]));
    }));
  });

  it("holds no header without end: a long one passes as it is", () => {
    const completion = new Completion(moment);
    const line = `X: ${"x".repeat(995)}\n`;
    let passed = 0;
    for (let count = 0; count < 200; count++) passed += completion.push(toOctets(line)).length;
    assertEquals(passed, 200 * line.length);
    assertEquals(Math.ceil(longestCompletedHeader / line.length) < 200, true);
  });
});
