/**
 * Octets that some server takes for the end of content, each with a second envelope behind it, sent to the process: one
 * message or none, and no second transaction.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { utf8Octets } from "../../components/lib/octets.ts";
import { root, World } from "./world.ts";

const second = "MAIL FROM:<admin@example.com>\r\nRCPT TO:<joe@virt.example>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n";

const own = [
  ...[
    "\n.\n",
    "\n.\r",
    "\r.\n",
    "\r.\r",
    "\n.\r\n",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n.\r\r\n",
    "\r\r\n.\r\r\n",
    "\n\n.\r\n",
  ],
  ...["\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\0\n", "\r\n.\n\r\n", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n..\r\n"],
];

async function smuggle(sequence: string, cut: number | undefined): Promise<void> {
  await using world = await World.start();
  const client = await world.connect();
  await client.untilContent();
  const octets = `Subject: first\r\n\r\nhello${sequence}${second}.\r\nQUIT\r\n`;
  const at = cut ?? octets.length;
  await client.send(octets.slice(0, at));
  await client.send(octets.slice(at));
  const replies = await client.finish();
  assertEquals(replies.length, 2, JSON.stringify(replies));
  assert(/^(?:250 2\.0\.0 ok |550 5\.5\.2 (?:bare CR|bare LF|NUL) )/.test(replies[0]!), replies[0]);
  assert(replies[1]!.startsWith("221 "), replies[1]);
  assertEquals(world.queue.messages.length, replies[0]!.startsWith("250") ? 1 : 0);
  for (const { envelope, content } of world.queue.messages) {
    assertEquals([envelope.sender, envelope.recipients], ["s@s.example", ["joe@example.com"]]);
    assert(content.endsWith("RCPT TO:<joe@virt.example>\nDATA\nSubject: second\n\nx\n"), content);
  }
}

describe("qmail-smtpd does not end content at", () => {
  for (const sequence of own) it(JSON.stringify(sequence), () => smuggle(sequence, undefined));
  it('"\\n.\\r\\n" cut behind its dot', () => smuggle("\n.\r\n", "Subject: first\r\n\r\nhello\n.".length));
});

describe("qmail-smtpd and the published sequences", () => {
  const file = join(root, "../shared/vectors/smuggling/eod-sequences.json");
  if (!existsSync(file)) {
    it("does not end content at any of them (skipped: ../shared/vectors is not there)", { ignore: true }, () => {});
    return;
  }
  const { not_eod } = JSON.parse(Deno.readTextFileSync(file)) as { not_eod: string[] };
  for (const sequence of not_eod) {
    it(`does not end content at ${JSON.stringify(sequence)}`, () => smuggle(utf8Octets(sequence), undefined));
  }
});
