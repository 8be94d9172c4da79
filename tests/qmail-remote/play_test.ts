import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { dial } from "../../components/qmail-remote/dial.ts";
import { play } from "../../components/qmail-remote/play.ts";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { bodyOf, converse, mayTls, mustTls, noTls, reportsOf } from "./support/conversation.ts";
import { defaults } from "./support/dialogues.ts";
import { acceptEverything, ScriptedServer, type Taken, type Talk } from "./support/scripted_server.ts";
import { TlsGate } from "./support/tls_gate.ts";

const delivered = "K127.0.0.1 accepted message.\nRemote host said: 250 taken 1\n";

describe("a conversation", () => {
  let server: ScriptedServer;
  beforeEach(() => {
    server = new ScriptedServer();
  });
  afterEach(() => server.stop());

  /** Takes a binary message; answers its chunks. */
  async function takeChunks(talk: Talk, chunks: [string, string][]): Promise<void> {
    await talk.say("220 x\r\n");
    for (let line = await talk.line(); line !== undefined; line = await talk.line()) {
      if (line.startsWith("EHLO")) await talk.say("250-x\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 BINARYMIME\r\n");
      else if (line.startsWith("BDAT")) {
        const [, count, last = ""] = line.split(" ");
        const octets = await talk.octets(Number(count));
        if (octets === undefined) return;
        chunks.push([octets, last]);
        await talk.say(last === "LAST" ? "250 taken\r\n" : "250 more\r\n");
      } else if (line === "QUIT") return;
      else await talk.say("250 ok\r\n");
    }
  }

  it("brings a binary message through in chunks, the last one marked", async () => {
    const chunks: [string, string][] = [];
    server.script = (talk) => takeChunks(talk, chunks);
    const content = "Subject: x\n\n\0.\n.\n\n" + "z".repeat(5000);
    const outcome = await converse(server.port, { binary: true, content, pieceBytes: 1000 });
    assertEquals(reportsOf(outcome), ["K127.0.0.1 accepted message.\nRemote host said: 250 taken\n"]);
    assertEquals(chunks.map(([octets]) => octets).join(""), content.replaceAll("\n", "\r\n"));
    assertEquals(chunks.map(([, last]) => last), ["", "", "", "", "", "LAST"]);
  });

  for (const binary of [true, false]) {
    it(`ends no message whose reading fails in the middle, ${binary ? "in chunks" : "as lines"}`, async () => {
      const [chunks, taken]: [[string, string][], Taken[]] = [[], []];
      server.script = binary ? (talk) => takeChunks(talk, chunks) : acceptEverything(taken);
      const body = new MessageBody(2000, toOctets("x".repeat(1000)), () => Promise.reject(new Error("gone")));
      const dialled = await dial("127.0.0.1", server.port, { timeoutMs: 20_000 });
      assert(dialled.kind === "connected");
      const content = { sizeBytes: 2000, wireBytes: 2000, eightBit: false };
      const transaction = { ip: "127.0.0.1", helo: "me.example", ...defaults, content, binary };
      const conversation = { transaction, policy: noTls, host: "mx.example", protocol: "smtp" } as const;
      await assertRejects(() => play(dialled.connection, conversation, body, 20_000));
      await server.quiet();
      assertEquals([chunks.filter(([, last]) => last === "LAST"), taken], [[], []]);
    });
  }

  const eightBit = "Subject: x\nContent-Type: text/plain; charset=utf-8\n\nGr\xc3\xbc\xc3\x9fe\n.\n";
  const downgrades: readonly (readonly [string, readonly string[], string, string])[] = [
    ["encodes 8-bit text for a server without 8BITMIME", [], eightBit, "Gr=C3=BC=C3=9Fe\r\n..\r\n"],
    ["leaves 8-bit text alone for one with it", ["8BITMIME"], eightBit, "Gr\xc3\xbc\xc3\x9fe\r\n..\r\n"],
    ["leaves 7-bit text alone", [], "Subject: x\n\n=\n", "Subject: x\r\n\r\n=\r\n"],
  ];
  for (const [name, extensions, content, want] of downgrades) {
    for (const pieceBytes of [10, 100_000]) {
      it(`${name}, in pieces of ${pieceBytes} octets`, async () => {
        const taken: Taken[] = [];
        server.script = acceptEverything(taken, ["PIPELINING", ...extensions]);
        assertEquals(reportsOf(await converse(server.port, { content, pieceBytes })), [delivered]);
        assertStringIncludes(taken[0]!.content, want);
        assertEquals(/[\x80-\xff]/.test(taken[0]!.content), want.includes("\xc3"));
        assertEquals(/^.*quoted-printable\r$/im.test(taken[0]!.content), want.includes("=C3"));
      });
    }
  }

  it("speaks LMTP, and has a report for each recipient", async () => {
    server.script = async (talk) => {
      await talk.say("220 x\r\n");
      assertEquals(await talk.line(), "LHLO me.example");
      await talk.say("250-x\r\n250 PIPELINING\r\n");
      while (await talk.line() !== "DATA") { /* the envelope */ }
      await talk.say("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
      await talk.content();
      await talk.say("250 a has it\r\n452 c is full\r\n");
      await talk.remainder();
    };
    const recipients = ["a@r.example", "b@r.example", "c@r.example"];
    assertEquals(reportsOf(await converse(server.port, { protocol: "lmtp", recipients })), [
      "K127.0.0.1 accepted message.\nRemote host said: 250 a has it\n",
      "D127.0.0.1 does not like recipient.\nRemote host said: 550 no\n",
      "Z127.0.0.1 failed after I sent the message.\nRemote host said: 452 c is full\n",
    ]);
  });
});

describe(`a conversation within TLS${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  let gate: TlsGate;
  let server: ScriptedServer;
  beforeAll(() => {
    gate = new TlsGate(makeCertificate({ name: "mx.example" }));
  });
  afterAll(() => gate.close());
  beforeEach(() => {
    server = new ScriptedServer();
  });
  afterEach(() => server.stop());

  /** Takes all mail, after STARTTLS or within TLS from the start. */
  function acceptWithin(taken: Taken[], isImplicit: boolean) {
    return async (talk: Talk): Promise<void> => {
      if (!isImplicit) {
        await talk.say("220 x\r\n");
        await talk.line();
        await talk.say("250-x\r\n250 STARTTLS\r\n");
        assertEquals(await talk.line(), "STARTTLS");
        await talk.say("220 go\r\n");
      }
      const inner = await talk.secured(gate);
      if (inner === undefined) return;
      // A server that greets within TLS only where TLS came first.
      await acceptEverything(taken, ["PIPELINING"], isImplicit)(inner);
      await inner.end();
    };
  }

  for (const isImplicit of [false, true]) {
    const name = isImplicit ? "from the start" : "after STARTTLS";
    it(`brings a large message through, ${name}, octet for octet`, async () => {
      const taken: Taken[] = [];
      server.script = acceptWithin(taken, isImplicit);
      const content = "0123456789abcdef\n".repeat(60_000);
      const policy = { ...mustTls, implicit: isImplicit };
      const outcome = await converse(server.port, { policy, content });
      assertEquals(reportsOf(outcome), [delivered]);
      assertEquals([outcome.seen.tls?.protocol, outcome.seen.flaw], ["TLSv1.3", undefined]);
      assert(Buffer.from(taken[0]!.content, "latin1").equals(Buffer.from(content.replaceAll("\n", "\r\n") + ".\r\n")));
    });
  }

  it("carries message after message on one connection", async () => {
    const taken: Taken[] = [];
    server.script = acceptWithin(taken, false);
    const dialled = await dial("127.0.0.1", server.port, { timeoutMs: 20_000 });
    assert(dialled.kind === "connected");
    const body = bodyOf("x\n");
    const content = { sizeBytes: 2, wireBytes: 3, eightBit: false };
    const transaction = { ip: "127.0.0.1", helo: "me.example", ...defaults, content };
    const conversation = { transaction, policy: mayTls, host: "mx.example", protocol: "smtp" } as const;
    let outcome = await play(dialled.connection, conversation, body, 20_000);
    for (let more = 0; more < 3; more++) {
      assert(outcome.kind === "done" && outcome.reusable);
      const { peer, seen: { tls } } = outcome;
      assert(tls !== undefined);
      outcome = await play(dialled.connection, { ...conversation, peer, tls }, body, 20_000);
    }
    dialled.connection.close(outcome.farewell);
    assertEquals(reportsOf(outcome), ["K127.0.0.1 accepted message.\nRemote host said: 250 taken 4\n"]);
    assertEquals([taken.length, server.connections], [4, 1]);
  });

  it("is over where the server speaks on and on", async () => {
    server.script = async (talk) => {
      const inner = await talk.secured(gate);
      if (inner === undefined) return;
      await inner.say("220 x\r\n");
      for (;;) await inner.say("450 y\r\n".repeat(10_000));
    };
    const outcome = await converse(server.port, { policy: { ...mustTls, implicit: true } });
    assertEquals(reportsOf(outcome), ["ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 450 y\n"]);
  });
});
