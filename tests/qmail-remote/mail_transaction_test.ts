import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { toOctets } from "../../components/lib/octets.ts";
import { ReplyQueue } from "../../components/lib/smtp/reply_queue.ts";
import { CrlfEncoder } from "../../components/qmail-remote/crlf_encoder.ts";
import { groupRecipients } from "../../components/qmail-remote/group_recipients.ts";
import type { Outcome } from "../../components/qmail-remote/outcome.ts";
import { type Peer, plainPeer } from "../../components/qmail-remote/peer.ts";
import { Session, type SessionOptions, type Step } from "../../components/qmail-remote/session.ts";
import type { Transaction } from "../../components/qmail-remote/transaction.ts";
import { noTls, reportsOf } from "./support/conversation.ts";
import { facts, playEvents } from "./support/events.ts";

const ip = "192.0.2.1";
const three = ["a@r.example", "b@r.example", "c@r.example"];
const transaction: Transaction = {
  ip,
  helo: "me.example",
  sender: "s@s.example",
  recipients: three,
  content: { sizeBytes: 2, wireBytes: 3, eightBit: false },
};
const pipelining: Peer = { ...plainPeer, pipelining: true };
const binaryPeer: Peer = { ...pipelining, chunking: true, binaryMime: true };

/** On a connection that was used before, so that the peer is known. */
function sessionOf(peer: Peer, more: Partial<SessionOptions> = {}, mail: Partial<Transaction> = {}): Session {
  const options = {
    transaction: { ...transaction, ...mail },
    policy: noTls,
    protocol: "smtp",
    nonce: "",
    peer,
  } as const;
  return new Session({ ...options, ...more });
}

/** The reports, shortened to the verdict and the reply. */
function shortReports(session: Session, events: readonly string[]): string[] {
  const { outcome } = playEvents(session, events);
  assert(outcome !== undefined, "it ends");
  return reportsOf(outcome, three.length).map((text) => text.replace(/^(.).*?(?:said: (.*?))?\n$/s, "$1 $2").trim());
}

const rset = "250 reset";

describe("a transaction by LMTP", () => {
  const lmtp = { protocol: "lmtp" } as const;
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["one reply a recipient", ["250 a", "250 b", "250 c"], ["K 250 a", "K 250 b", "K 250 c"]],
    ["a reply of each kind", ["250 a", "452 full", "552 too much"], ["K 250 a", "Z 452 full", "D 552 too much"]],
    ["no reply", ["died"], ["Z", "Z", "Z"]],
    ["too few replies", ["250 a", "died"], ["K 250 a", "Z", "Z"]],
    ["a good-bye in between", ["250 a", "421 bye"], ["K 250 a", "Z 421 bye", "Z"]],
    ["a reply that is none", ["552 a", "malformed"], ["D 552 a", "Z", "Z"]],
  ];
  for (const [name, replies, want] of rows) {
    it(`takes ${name}`, () => {
      const events = [rset, "250 ok", "250 ok", "250 ok", "250 ok", "354 go", "sent", ...replies];
      assertEquals(shortReports(sessionOf(pipelining, lmtp), events), want);
    });
  }

  it("awaits a reply for those only that were accepted", () => {
    const events = [rset, "250 ok", "250 ok", "550 no", "250 ok", "354 go", "sent", "250 a", "452 c"];
    const { outcome } = playEvents(sessionOf(pipelining, lmtp), events);
    assert(outcome?.kind === "done");
    assertEquals(outcome.reusable, true);
    assertEquals(reportsOf(outcome), [
      `K${ip} accepted message.\nRemote host said: 250 a\n`,
      `D${ip} does not like recipient.\nRemote host said: 550 no\n`,
      `Z${ip} failed after I sent the message.\nRemote host said: 452 c\n`,
    ]);
  });
});

describe("a binary message", () => {
  const session = () => sessionOf(binaryPeer, {}, { binary: true, recipients: three.slice(0, 2) });
  const accepted = [rset, "250 ok", "250 ok", "550 no"];
  const envelope = [
    "RSET",
    "MAIL FROM:<s@s.example> BODY=BINARYMIME",
    "RCPT TO:<a@r.example>",
    "RCPT TO:<b@r.example>",
  ];

  it("goes in chunks, after a recipient was accepted, each after the reply to the one before", () => {
    const { said, outcome } = playEvents(session(), [...accepted, "chunk", "250 got it", "last chunk", "250 taken"]);
    assertEquals(said, [...envelope, "[chunk]", "[chunk]", "QUIT"]);
    assertEquals(outcome && reportsOf(outcome)[0], `K${ip} accepted message.\nRemote host said: 250 taken\n`);
  });

  it("is not sent where nobody wants it", () => {
    assertEquals(playEvents(session(), [rset, "250 ok", "550 no", "550 no"]).said, [...envelope, "QUIT"]);
  });

  const interrupted: readonly (readonly [string, readonly string[], boolean])[] = [
    ["a refused chunk", ["chunk", "552 too much"], false],
    ["a reply before the chunk", ["250 taken"], false],
    ["a reply before the last chunk", ["chunk", "250 ok", "250 taken"], false],
    ["the end of the connection before the last chunk", ["chunk", "died"], false],
    ["the end of the connection after the last chunk", ["last chunk", "died"], true],
  ];
  for (const [name, events, isDoubtful] of interrupted) {
    it(`is not taken for delivered by ${name}${isDoubtful ? ", but perhaps is" : ""}`, () => {
      const { outcome } = playEvents(session(), [...accepted, ...events]);
      assert(outcome?.kind === "done");
      assertEquals(outcome.reusable, false);
      assertEquals(outcome.farewell, "");
      assert(outcome.reports.every(({ verdict }) => verdict !== "K"));
      assertEquals(outcome.reports[0]!.text.includes("Possible duplicate!"), isDoubtful);
    });
  }

  for (const lacking of ["chunking", "binaryMime"] as const) {
    it(`fails where the server lacks ${lacking}`, () => {
      const { said, outcome } = playEvents(sessionOf({ ...binaryPeer, [lacking]: false }, {}, { binary: true }), []);
      assertEquals(said, ["QUIT"]);
      assertEquals(outcome && reportsOf(outcome)[0], `DMessage is binary, and ${ip} only takes text. (#5.6.3)\n`);
    });
  }
});

describe("recipients over a server's limits", () => {
  const one: readonly string[] = [rset, "250 ok", "250 ok", "354 go", "sent", "250 taken"];
  const limited = (limits: Peer["limits"]): Peer => ({ ...pipelining, limits });

  it("get transactions of their own on one connection", () => {
    const { said, outcome } = playEvents(sessionOf(limited({ rcptMax: 1 })), [...one, ...one, ...one]);
    assertEquals(said.filter((line) => line.startsWith("RCPT")), three.map((address) => `RCPT TO:<${address}>`));
    assert(outcome?.kind === "done");
    assertEquals([outcome.transactions, outcome.reusable, outcome.left.length], [3, true, 0]);
    assertEquals(outcome.reports.map(({ verdict }) => verdict), ["K", "K", "K"]);
  });

  it("are left for another connection where this one may carry no more", () => {
    for (const [carried, groups] of [[0, 2], [1, 1]] as const) {
      const session = sessionOf(limited({ rcptMax: 1, mailMax: 2 }), { transactions: carried });
      const { outcome } = playEvents(session, new Array<readonly string[]>(groups).fill(one).flat());
      assert(outcome?.kind === "done");
      assertEquals(outcome.left, [0, 1, 2].slice(groups));
      assertEquals([outcome.transactions, outcome.reusable, outcome.farewell], [groups, false, "QUIT\r\n"]);
      assertEquals(outcome.reports.map(({ verdict }) => verdict).join(""), "KKK".slice(0, groups).padEnd(3, "Z"));
    }
  });

  it("are left for another connection where the server says 421 in between", () => {
    const { outcome } = playEvents(sessionOf(limited({ rcptMax: 2 })), [
      ...[rset, "250 ok", "250 ok", "250 ok", "354 go", "sent", "250 taken"],
      ...[rset, "421 enough"],
    ]);
    assert(outcome?.kind === "done");
    assertEquals([outcome.left, outcome.seen.code], [[2], 421]);
    assertEquals(outcome.reports.map(({ verdict }) => verdict), ["K", "K", "Z"]);
  });

  it("are deferred, and not asked about, where the connection fails in between", () => {
    const { outcome } = playEvents(sessionOf(limited({ rcptMax: 2 })), [
      ...[rset, "250 ok", "250 ok", "250 ok", "354 go", "sent"],
      "died",
    ]);
    assert(outcome?.kind === "done");
    assertEquals(outcome.left, []);
    assertEquals(outcome.reports.map(({ text }) => text.includes("Possible duplicate!")), [true, true, false]);
  });

  const rows = [
    { recipients: three, limits: {}, want: [[0, 1, 2]] },
    { recipients: three, limits: { rcptMax: 2 }, want: [[0, 1], [2]] },
    { recipients: ["a@x", "b@Y", "c@X", "d@y"], limits: { rcptDomainMax: 1 }, want: [[0], [1], [2], [3]] },
    { recipients: ["a@x", "b@X", "c@y"], limits: { rcptDomainMax: 1 }, want: [[0, 1], [2]] },
    { recipients: ["a@x", "b@y", "c@x"], limits: { rcptDomainMax: 2 }, want: [[0, 1, 2]] },
    { recipients: ["a@x", "b@y", "c@x"], limits: { rcptDomainMax: 2, rcptMax: 2 }, want: [[0, 1], [2]] },
  ];
  for (const { recipients, limits, want } of rows) {
    it(`make ${JSON.stringify(want)} of ${recipients.join(" ")} by ${JSON.stringify(limits)}`, () => {
      assertEquals(groupRecipients(recipients, limits).map((group) => [...group]), want);
    });
  }
});

describe("what was seen of a server", () => {
  const rows: readonly (readonly [string, readonly string[], number])[] = [
    ["the reply to the message", [rset, "250 ok", "250 ok", "250 ok", "450 busy", "354 go", "sent", "250 taken"], 250],
    ["the last refusal where there were only refusals", [rset, "250 ok", "450 a", "450 b", "451 c", "554 none"], 451],
    ["a rejected sender", [rset, "421 bye"], 421],
    ["a DATA that failed", [rset, "250 ok", "250 ok", "250 ok", "250 ok", "451 later"], 451],
    ["nothing where the connection died", [rset, "250 ok", "died"], 0],
  ];
  for (const [name, events, code] of rows) {
    it(`is the code of ${name}`, () => {
      assertEquals(playEvents(sessionOf(pipelining), events).outcome?.seen.code, code);
    });
  }

  it("holds what protects a connection that was used before", () => {
    assertEquals(playEvents(sessionOf(pipelining, { tls: facts }), ["died"]).outcome?.seen.tls, facts);
  });
});

describe("a session", () => {
  /** Plays a server's octets, in pieces, to a fresh session. */
  async function playOctets(
    octets: Uint8Array,
    cuts: readonly number[],
    more: Partial<SessionOptions>,
  ): Promise<Outcome> {
    const session = sessionOf(pipelining, { ...more, peer: undefined });
    const queue = new ReplyQueue();
    let at = 0;
    for (const cut of [...cuts.toSorted((left, right) => left - right), octets.length]) {
      queue.push(octets.slice(at, cut));
      at = cut;
    }
    queue.break("died");
    let step: Step = session.begin();
    while (step.kind !== "next" && step.kind !== "plain" && step.kind !== "done") {
      if (step.kind === "content") step = session.contentSent();
      else if (step.kind === "chunk") step = session.chunkSent(true);
      else if (step.kind === "secure") step = session.onSecured(facts);
      else if (step.kind === "derive") step = session.onDerived(new Uint8Array(32));
      else {
        const answer = await queue.reply(10_000);
        step = answer.kind === "reply" ? session.onReply(answer.reply) : session.onBroken(answer.kind);
      }
    }
    return step;
  }

  const lines = fc.constantFrom(
    "220 x",
    "250 ok",
    "250-x\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2",
    "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN SCRAM-SHA-256",
    "250-x\r\n250-CHUNKING\r\n250 BINARYMIME",
    "354 go",
    "334 ",
    "235 in",
    "421 bye",
    "450 later",
    "550 no",
    "250-half",
    "what",
    "",
  );
  const settings = fc.record({
    protocol: fc.constantFrom("smtp" as const, "lmtp" as const),
    policy: fc.constantFrom(noTls, { ...noTls, tls: "may" as const }, { ...noTls, tls: "must" as const }),
    login: fc.constantFrom(undefined, { user: "me", password: "secret" }),
    transaction: fc.constantFrom(transaction, { ...transaction, binary: true }),
  });

  it("ends the same wherever a server's octets are cut, with one report a recipient", async () => {
    const cuts = fc.array(fc.nat(400), { maxLength: 10 });
    await fc.assert(fc.asyncProperty(fc.array(lines, { maxLength: 20 }), cuts, settings, async (said, cuts, more) => {
      const octets = toOctets(said.map((line) => `${line}\r\n`).join(""));
      const whole = await playOctets(octets, [], more);
      assertEquals(await playOctets(octets, cuts.map((cut) => Math.min(cut, octets.length)), more), whole);
      if (whole.kind === "done") assertEquals(whole.reports.filter((one) => one !== undefined).length, three.length);
    }));
  });
});

describe("CrlfEncoder", () => {
  it("ends lines in CRLF and changes nothing else, wherever it is cut", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("\0", "\r", "\n", ".", "a") }), fc.nat(20), (text, cut) => {
      const encoder = new CrlfEncoder();
      const octets = toOctets(text);
      const pieces = [octets.subarray(0, cut), octets.subarray(cut)].map((piece) => encoder.push(piece));
      const want = text.replace(/(?<!\r)\n/g, "\r\n");
      assertEquals(String.fromCharCode(...pieces[0]!, ...pieces[1]!), want);
    }));
  });
});
