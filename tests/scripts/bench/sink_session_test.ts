import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { beginSession, feed, type Received } from "../../../scripts/bench/sink_session.ts";

const number = "X-Bench-Number: 0000000005\r\n";
const dialogue =
  `EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n${number}\r\n..x\r\n.y\r\n\r\n.\r\n` +
  "MAIL FROM:<>\r\nRCPT TO:<z@b.example>\r\nDATA\r\n.\r\nQUIT\r\n";

function feedAll(chunks: readonly string[]): { replies: string; received: Received[]; closing: boolean } {
  const { session } = beginSession();
  const all = { replies: "", received: [] as Received[], closing: false };
  for (const chunk of chunks) {
    const fed = feed(session, new TextEncoder().encode(chunk));
    all.replies += fed.replies;
    all.received.push(...fed.received);
    all.closing ||= fed.closing;
  }
  return all;
}

describe("feed()", () => {
  it("names each whole message with its number and its recipients", () => {
    const { received, closing } = feedAll([dialogue]);
    assertEquals(received, [
      { running: 5, recipients: ["x@b.example", "y@b.example"] },
      { running: undefined, recipients: ["z@b.example"] },
    ]);
    assertEquals(closing, true);
  });

  it("does not care where the octets are cut", () => {
    const whole = feedAll([dialogue]);
    assertEquals(feedAll([...dialogue]), whole);
    for (let cut = 1; cut < dialogue.length; cut++) {
      assertEquals(feedAll([dialogue.slice(0, cut), dialogue.slice(cut)]), whole);
    }
  });

  it("does not count a message whose end has not come", () => {
    assertEquals(feedAll([dialogue.slice(0, dialogue.indexOf("\r\n.\r\n"))]).received, []);
  });
});
