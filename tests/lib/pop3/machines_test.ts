import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { listing } from "../../../components/lib/pop3/listing.ts";
import type { MailboxView } from "../../../components/lib/pop3/transaction.ts";
import { MemoryMailbox, PurePop3Peer } from "./pure_peer.ts";

const messages = [{ uid: "a", content: "H: 1\n\none\n" }, { uid: "b", content: "H: 2\n\n.two" }];
const settings = {
  me: "mx.example.com",
  mechanisms: ["PLAIN", "APOP"] as const,
  startTls: true,
  needsTls: false,
  apopChallenge: "<1@x>",
};

const word = fc.constantFrom(
  ...["USER joe", "PASS secret", "PASS x", "STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "RETR 2", "TOP 2 1", "DELE 1"],
  ...["DELE 2", "RSET", "LAST", "NOOP", "CAPA", "AUTH PLAIN", "AUTH PLAIN AGpvZQBzZWNyZXQ=", "*", "QUIT", "XYZZY", ""],
  ...["APOP joe 0", "\xff\0", "RETR 99", "AUTH APOP", "AUTH"],
);

describe("the POP3 machines", () => {
  it("say the same wherever the client's octets are cut", async () => {
    const cuts = fc.array(fc.nat(200), { maxLength: 8 });
    await fc.assert(fc.asyncProperty(fc.array(word, { maxLength: 20 }), cuts, async (words, cuts) => {
      const octets = words.map((word) => `${word}\r\n`).join("");
      const [whole, cut] = [new PurePop3Peer(settings, messages), new PurePop3Peer(settings, messages)];
      await whole.send(octets);
      const ends = [...new Set([...cuts.map((at) => at % (octets.length + 1)), octets.length])].sort((a, b) => a - b);
      let at = 0;
      for (const end of ends) {
        await cut.send(octets.slice(at, end));
        at = end;
      }
      assertEquals(cut.said, whole.said);
      assertEquals(cut.isClosed, whole.isClosed);
    }));
  });

  it("answer each command before the next, and mark only what is there", async () => {
    await fc.assert(fc.asyncProperty(fc.array(word, { maxLength: 30 }), async (words) => {
      const peer = new PurePop3Peer(settings, messages);
      for (const word of words) {
        const before = peer.said.length;
        await peer.send(`${word}\r\n`);
        if (peer.isClosed) break;
        const said = peer.said.slice(before);
        assert(/^(?:\+OK|-ERR|\+ )/.test(said) && said.endsWith("\r\n"), JSON.stringify([word, said]));
      }
      for (const message of peer.mailbox.deleted) assert(message >= 1 && message <= messages.length);
    }));
  });

  it("take any octets without throwing", async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: "binary", maxLength: 60 })), async (chunks) => {
      const peer = new PurePop3Peer(settings, messages);
      for (const chunk of chunks) await peer.send(chunk);
    }));
  });
});

describe("listing()", () => {
  it("leaves out what is deleted", () => {
    const mailbox = new MemoryMailbox(messages);
    mailbox.deleted.add(1);
    const text = new TextDecoder().decode(
      Uint8Array.from([...listing("uids", mailbox)].flatMap((piece) => [...piece])),
    );
    assertEquals(text, "+OK \r\n2 b\r\n.\r\n");
  });

  it("gives a hundred thousand messages in pieces of some 16 KiB", () => {
    const mailbox: MailboxView = {
      count: 100_000,
      remainingBytes: 0,
      lastDeleted: 0,
      sizeBytes: (message) => message,
      uid: (message) => `${message}.${"u".repeat(60)}`,
      isDeleted: () => false,
    };
    let [largest, lines] = [0, 0];
    for (const piece of listing("uids", mailbox)) {
      largest = Math.max(largest, piece.length);
      for (const octet of piece) if (octet === 10) lines++;
    }
    assert(largest < 17 * 1024, `${largest}`);
    assertEquals(lines, 100_002);
  });
});
