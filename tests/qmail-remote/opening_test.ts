import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import { plainPeer } from "../../components/qmail-remote/peer.ts";
import { Session, type SessionOptions } from "../../components/qmail-remote/session.ts";
import type { Transaction } from "../../components/qmail-remote/transaction.ts";
import { mayTls, mustTls, noTls } from "./support/conversation.ts";
import { facts, playEvents, unproved } from "./support/events.ts";

const ip = "192.0.2.1";
const transaction: Transaction = {
  ip,
  helo: "me.example",
  sender: "s@s.example",
  recipients: ["a@r.example"],
  content: { sizeBytes: 2, wireBytes: 3, eightBit: false },
};
const login = { user: "me", password: "secret" };
const mail = "MAIL FROM:<s@s.example>";
const proving: TlsPolicy = { ...mustTls, proof: { kind: "authority", names: ["mx.example"] } };
const testing: TlsPolicy = { ...mayTls, proof: proving.proof, enforced: false };
const requiring: TlsPolicy = { ...proving, requireTls: true, source: "requiretls" };

function sessionOf(more: Partial<SessionOptions>): Session {
  return new Session({ transaction, policy: noTls, protocol: "smtp", nonce: "abc", ...more });
}

interface Row {
  readonly name: string;
  readonly more?: Partial<SessionOptions>;
  readonly events: readonly string[];
  /** All that was said behind EHLO, or behind the beginning of implicit TLS. */
  readonly said: readonly string[];
  readonly kind?: "next" | "plain" | "done";
  readonly report?: string;
  readonly flaw?: string;
}

const [greeting, withTls] = ["220 x", "250 x|STARTTLS|SIZE 5"];
const failedText = `ZConnected to ${ip} but TLS failed: the certificate has expired. (#4.7.5)\n`;
const noTlsText = `ZConnected to ${ip} but it offers no TLS, which is required. (#4.7.10)\n`;
const requiredText =
  `DConnected to ${ip} but it cannot keep the message within TLS, as its sender requires. (#5.7.30)\n`;

const rows: readonly Row[] = [
  { name: "goes without TLS where none is wished", events: [greeting, withTls], said: [`${mail} SIZE=3`] },
  {
    name: "begins TLS where it is offered, and asks anew what the server can do",
    more: { policy: mayTls },
    events: [greeting, withTls, "220 go", "secured", "250 x|8BITMIME"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", mail],
  },
  {
    name: "believes nothing that was said before TLS",
    more: { policy: mustTls },
    events: [greeting, "250 x|STARTTLS|PIPELINING|DSN|CHUNKING|AUTH PLAIN", "220 go", "secured", "250 x"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", mail],
  },
  {
    name: "does not begin TLS within TLS",
    more: { policy: mustTls },
    events: [greeting, withTls, "220 go", "secured", "250 x|STARTTLS"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", mail],
  },
  {
    name: "begins with TLS where it is implicit",
    more: { policy: { ...mustTls, implicit: true } },
    events: ["secured", greeting, "250 x|STARTTLS"],
    said: ["EHLO me.example", mail],
  },
  {
    name: "fails where implicit TLS fails, demanded or not",
    more: { policy: { ...mayTls, implicit: true } },
    events: ["insecure"],
    said: [],
    kind: "next",
    report: failedText,
    flaw: "certificate-expired",
  },
  {
    name: "goes without where it is not offered",
    more: { policy: mayTls },
    events: [greeting, "250 x"],
    said: [mail],
  },
  {
    name: "leaves a server that offers none where it is demanded",
    more: { policy: mustTls },
    events: [greeting, "250 x"],
    said: ["QUIT"],
    kind: "next",
    report: noTlsText,
    flaw: "starttls-not-supported",
  },
  {
    name: "leaves a server that knows HELO only where TLS is demanded",
    more: { policy: mustTls },
    events: [greeting, "500 what", "250 x"],
    said: ["HELO me.example", "QUIT"],
    kind: "next",
    report: noTlsText,
  },
  {
    name: "asks for a connection without TLS where a handshake fails that nobody demands",
    more: { policy: mayTls },
    events: [greeting, withTls, "220 go", "insecure"],
    said: ["STARTTLS", "[secure]"],
    kind: "plain",
    report: failedText,
    flaw: "certificate-expired",
  },
  {
    name: "leaves a server whose handshake fails where it is demanded",
    more: { policy: proving },
    events: [greeting, withTls, "220 go", "insecure"],
    said: ["STARTTLS", "[secure]"],
    kind: "next",
    report: failedText,
    flaw: "certificate-expired",
  },
  {
    name: "says that a policy in its testing mode would have failed",
    more: { policy: testing },
    events: [greeting, withTls, "220 go", "unproved", "250 x", "554 no"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", mail, "QUIT"],
    kind: "done",
    report: `DConnected to ${ip} but sender was rejected.\nRemote host said: 554 no\n`,
    flaw: "certificate-not-trusted",
  },
  {
    name: "says nothing to one that spoke in between",
    more: { policy: mayTls },
    events: [greeting, withTls, "220 go", "surplus"],
    said: ["STARTTLS", "[secure]"],
    kind: "next",
    report: `ZConnected to ${ip} but something was slipped in before TLS. (#4.7.0)\n`,
  },
  {
    name: "says REQUIRETLS to a server that promises it within TLS",
    more: { policy: requiring },
    events: [greeting, withTls, "220 go", "secured", "250 x|REQUIRETLS"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", `${mail} REQUIRETLS`],
  },
  {
    name: "fails mail that requires TLS where the server promises nothing within it",
    more: { policy: requiring },
    events: [greeting, "250 x|STARTTLS|REQUIRETLS", "220 go", "secured", "250 x"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", "QUIT"],
    kind: "next",
    report: requiredText,
  },
  {
    name: "fails mail that requires TLS where none is offered",
    more: { policy: requiring },
    events: [greeting, "250 x|REQUIRETLS"],
    said: ["QUIT"],
    kind: "next",
    report: requiredText,
  },
  {
    name: "fails mail that requires TLS under a policy that forgot about it",
    more: { transaction: { ...transaction, options: { requireTls: true, recipients: new Map() } } },
    events: [greeting, "250 x|STARTTLS|REQUIRETLS"],
    said: ["QUIT"],
    kind: "next",
    report: requiredText,
  },
  {
    name: "tells no password to who may be overheard",
    more: { login, policy: mayTls },
    events: [greeting, "250 x|AUTH PLAIN LOGIN"],
    said: ["QUIT"],
    kind: "next",
    report: `ZConnected to ${ip} but it offers no mechanism that keeps the password secret. (#4.7.11)\n`,
  },
  {
    name: "answers a challenge to who may be overheard",
    more: { login },
    events: [greeting, "250 x|AUTH PLAIN CRAM-MD5 LOGIN"],
    said: ["AUTH CRAM-MD5"],
  },
  {
    name: "tells the password within TLS",
    more: { login, policy: mayTls },
    events: [greeting, "250 x|STARTTLS", "220 go", "secured", "250 x|AUTH=LOGIN PLAIN", "235 welcome"],
    said: ["STARTTLS", "[secure]", "EHLO me.example", "AUTH PLAIN AG1lAHNlY3JldA==", mail],
  },
  {
    name: "tells the password to this machine",
    more: { login, transaction: { ...transaction, ip: "127.0.0.1" } },
    events: [greeting, "250 x|AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"],
    said: ["AUTH LOGIN", "bWU=", "c2VjcmV0", mail],
  },
  {
    name: "defers where its password is wrong",
    more: { login, transaction: { ...transaction, ip: "::1" } },
    events: [greeting, "250 x|AUTH PLAIN", "535 5.7.8 no"],
    said: ["AUTH PLAIN AG1lAHNlY3JldA==", "QUIT"],
    kind: "next",
    report: `ZConnected to ${ip.replace(ip, "::1")} but login was refused.\nRemote host said: 535 5.7.8 no\n`,
  },
];

describe("a session's beginning", () => {
  for (const { name, more = {}, events, said, kind, report, flaw } of rows) {
    it(name, () => {
      const played = playEvents(sessionOf(more), events);
      const [opens] = more.policy?.implicit === true ? ["[secure]"] : ["EHLO me.example"];
      assertEquals(played.said, [opens!, ...said]);
      assertEquals(played.outcome?.kind, kind);
      const { outcome } = played;
      if (outcome === undefined) return;
      const { verdict, text } = outcome.kind === "done" ? outcome.reports[0]! : outcome.report;
      assertEquals(verdict + text, report);
      if (flaw !== undefined) assertEquals(outcome.seen.flaw as string | undefined, flaw);
    });
  }

  it("speaks LHLO, and never HELO, where it is LMTP", () => {
    assertEquals(playEvents(sessionOf({ protocol: "lmtp" }), [greeting, "500 what"]).said, ["LHLO me.example", "QUIT"]);
  });

  const used: readonly (readonly [string, Partial<SessionOptions>, boolean])[] = [
    ["without TLS for mail that wishes none", { policy: noTls }, true],
    ["without TLS for mail that demands it", { policy: mustTls }, false],
    ["with TLS for mail that demands it", { policy: mustTls, tls: facts }, true],
    ["with TLS that proved nothing for mail that demands a proof", { policy: proving, tls: unproved }, false],
    ["without REQUIRETLS for mail that requires it", { policy: requiring, tls: facts }, false],
  ];
  for (const [name, more, isUsed] of used) {
    it(`${isUsed ? "uses" : "does not use"} a connection ${name}`, () => {
      const { said, outcome } = playEvents(sessionOf({ peer: plainPeer, ...more }), []);
      assertEquals(said, [isUsed ? "RSET" : "QUIT"]);
      assertEquals(outcome?.kind, isUsed ? undefined : "next");
    });
  }
});
