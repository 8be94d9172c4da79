/**
 * Octets that some server takes for the end of content, each with a second envelope behind it: one message or none, and no
 * second transaction. Sent to the process whole; to the pure server, by DATA and by BDAT, cut at every octet.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromOctets } from "../../components/lib/octets.ts";
import { PureServer } from "./pure_server.ts";
import { published, second, sequences as own } from "./smuggling.ts";
import { makeHome, policyFor, World } from "./world.ts";

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

const begin = "MAIL FROM:<s@s.example>\r\nRCPT TO:<joe@example.com>\r\n";
const { home, controls } = makeHome();
Deno.removeSync(home.dir, { recursive: true });
const policy = policyFor(controls);

/** The codes of a pure server's replies, and how many messages it queued. */
async function play(octets: string, cut: number): Promise<{ codes: string; messages: readonly string[] }> {
  const server = new PureServer({ settings: { greeting: "mx.example.com", databytes: 0 }, policy });
  await server.begin();
  await server.push(octets.slice(0, cut));
  await server.push(octets.slice(cut));
  const codes = server.replies.split("\r\n").map((line) => line.slice(0, 3)).join(" ").trim();
  assert(server.closed);
  return { codes, messages: server.messages.map(({ content }) => fromOctets(content)) };
}

/** By DATA, and by BDAT in one chunk and in two, which end within the sequence. */
async function smuggleCut(sequence: string): Promise<void> {
  const content = `Subject: first\r\n\r\nhello${sequence}${second}`;
  const inside = content.length - second.length - Math.ceil(sequence.length / 2);
  const chunk = (octets: string, last: string) => `BDAT ${octets.length}${last}\r\n${octets}`;
  const ways = [
    { octets: `${begin}DATA\r\n${content}.\r\nQUIT\r\n`, codes: "220 250 250 354 {} 221" },
    { octets: `${begin}${chunk(content, " LAST")}QUIT\r\n`, codes: "220 250 250 {} 221" },
    {
      octets: `${begin}${chunk(content.slice(0, inside), "")}${chunk(content.slice(inside), " LAST")}QUIT\r\n`,
      codes: "220 250 250 {} {} 221",
    },
  ];
  for (const { octets, codes } of ways) {
    for (let cut = 1; cut < octets.length; cut++) {
      const done = await play(octets, cut);
      const wants = ["250 250", "250 550", "550 550"].map((pair) => {
        const [one, other] = pair.split(" ");
        return codes.includes("{} {}") ? codes.replace("{} {}", pair) : codes.replace("{}", other ?? one!);
      });
      assert(wants.includes(done.codes), `cut at ${cut}: ${done.codes}`);
      assertEquals(done.messages.length, done.codes.endsWith("250 221") ? 1 : 0);
      for (const text of done.messages) assert(text.endsWith("Subject: second\n\nx\n"), text);
    }
  }
}

describe("content of the pure server, by DATA and by BDAT, cut at every octet", () => {
  for (const sequence of own) it(`does not end at ${JSON.stringify(sequence)}`, () => smuggleCut(sequence));

  it("is opaque in a chunk: the end of DATA is content there", async () => {
    const content = `Subject: first\r\n\r\nhello\r\n.\r\n${second}`;
    const octets = `${begin}BDAT ${content.length} LAST\r\n${content}QUIT\r\n`;
    for (let cut = 1; cut < octets.length; cut++) {
      const { codes, messages } = await play(octets, cut);
      assertEquals([codes, messages], ["220 250 250 250 221", [content.replaceAll("\r\n", "\n")]]);
    }
  });
});

describe("qmail-smtpd and the published sequences", () => {
  if (published === undefined) {
    it("does not end content at any of them (skipped: ../shared/vectors is not there)", { ignore: true }, () => {});
    return;
  }
  for (const sequence of published) {
    it(`does not end at ${JSON.stringify(sequence)}, by DATA and BDAT, cut anywhere`, () => smuggleCut(sequence));
  }
  for (const sequence of published) {
    it(`does not end content at ${JSON.stringify(sequence)}`, () => smuggle(sequence, undefined));
  }
});
