import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { encodeDots } from "../../components/lib/smtp/dot_stuffing.ts";
import { ReplyParser } from "../../components/lib/smtp/reply.ts";
import type { RecipientOptions } from "../../components/lib/queue/message_options.ts";
import { hasEightBitHeader, isBinary, surveyContent } from "../../components/qmail-remote/content.ts";
import { parsePeer, type Peer, plainPeer } from "../../components/qmail-remote/peer.ts";
import { fold, forAll, report } from "../../components/qmail-remote/reports.ts";
import { Session, type SessionOptions, type Step } from "../../components/qmail-remote/session.ts";
import type { Transaction } from "../../components/qmail-remote/transaction.ts";
import { mayTls } from "./support/conversation.ts";
import { defaults, type Dialogue, dialogues, turnsOf } from "./support/dialogues.ts";

function transactionOf(dialogue: Dialogue, content: Uint8Array): Transaction {
  const { sender, recipients } = { ...defaults, ...dialogue };
  return { ip: "127.0.0.1", helo: "me.example", sender, recipients, content: surveyContent(content.length, content) };
}

function sessionOf(transaction: Transaction, peer?: Peer, more: Partial<SessionOptions> = {}): Session {
  return new Session({ transaction, policy: mayTls, protocol: "smtp", nonce: "", peer, ...more });
}

/** Plays the server's lines to a session, checks the client's, and answers the reports. */
function play(dialogue: Dialogue): string[] {
  const content = toOctets(dialogue.content ?? defaults.content);
  const session = sessionOf(transactionOf(dialogue, content));
  const parser = new ReplyParser();
  const said: string[] = [];
  let ended: Step | undefined;
  const take = (step: Step): void => {
    if (step.kind === "content") {
      said.push(fromWire(encodeDots(content)));
      take(session.contentSent());
      return;
    }
    assert(step.kind !== "secure" && step.kind !== "derive" && step.kind !== "chunk", "not in these dialogues");
    const octets = step.kind === "reply" ? step.send : step.farewell;
    said.push(...octets.split("\r\n").slice(0, -1));
    if (step.kind !== "reply") ended = step;
  };
  take(session.begin());
  for (const turn of turnsOf(dialogue)) {
    if (turn.kind === "client line" || turn.kind === "client may") assertEquals(said.shift(), turn.text);
    else if (turn.kind === "client message") assertEquals(said.shift(), `${turn.text}.\r\n`);
    else if (ended !== undefined) continue;
    else if (turn.kind === "server line") {
      parser.push(toOctets(`${turn.text}\r\n`));
      const reply = parser.takeReply();
      if (reply !== undefined) take(reply.ok ? session.onReply(reply.value) : session.onBroken("malformed"));
    } else take(session.onBroken("died"));
  }
  assertEquals(said, []);
  assert(ended?.kind === "next" || ended?.kind === "done", "the dialogue ends");
  const { recipients } = { ...defaults, ...dialogue };
  const reports = ended.kind === "done" ? ended.reports : forAll(recipients.length, ended.report);
  return reports.map(({ verdict, text }) => verdict + text);
}

function fromWire(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}

describe("Session", () => {
  for (const dialogue of dialogues) it(`plays: ${dialogue.name}`, () => assertEquals(play(dialogue), dialogue.want));

  const transaction = transactionOf(dialogues[0]!, toOctets("x\n"));
  const peer = { ...plainPeer, pipelining: true };

  it("begins again with RSET and the envelope in one write", () => {
    const step = sessionOf(transaction, peer).begin();
    assertEquals(step, {
      kind: "reply",
      send: "RSET\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<a@r.example>\r\nDATA\r\n",
    });
  });

  it("begins again step by step without PIPELINING", () => {
    const session = sessionOf(transaction, { ...peer, pipelining: false });
    assertEquals(session.begin(), { kind: "reply", send: "RSET\r\n" });
    assertEquals(session.onReply({ code: 250, lines: ["ok"] }), { kind: "reply", send: "MAIL FROM:<s@s.example>\r\n" });
  });

  for (const answers of [[421], [250, 421], [250, 550]]) {
    it(`leaves a used connection for a new one after ${answers.join(" and ")}`, () => {
      const session = sessionOf(transaction, peer);
      let step = session.begin();
      for (const code of answers) step = session.onReply({ code, lines: [""] });
      assertEquals(step.kind, "next");
    });
  }

  describe("with what the message's client asked for", () => {
    const notify = { never: false, success: true, failure: false, delay: true };
    const recipients = ["a@r.example", "b@r.example", "c@r.example"];
    const asked = { ...transaction, recipients };
    const never = { ...notify, never: true };
    const options = {
      ret: "HDRS" as const,
      envid: "QQ+1\r\nRCPT TO:<evil@e.example>",
      recipients: new Map<number, RecipientOptions>([[0, { notify, orcpt: "rfc822;a b\n@x" }], [2, { notify: never }]]),
    };
    const begun = (more: Partial<Transaction>, offers: Partial<Peer>) => {
      const step = sessionOf({ ...asked, ...more }, { ...peer, ...offers }).begin();
      return step.kind === "reply" ? step.send.split("\r\n") : step.kind === "done" ? step.reports : step;
    };

    it("passes it on to a server that offers DSN, as xtext and nothing more", () => {
      assertEquals(begun({ options }, { dsn: true }), [
        "RSET",
        "MAIL FROM:<s@s.example> RET=HDRS ENVID=QQ+2B1+0D+0ARCPT+20TO:<evil@e.example>",
        "RCPT TO:<a@r.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+20b+0A@x",
        "RCPT TO:<b@r.example>",
        "RCPT TO:<c@r.example> NOTIFY=NEVER",
        "DATA",
        "",
      ]);
    });

    for (const [more, offers] of [[{ options }, {}], [{}, { dsn: true }]] as const) {
      it(`says nothing of it ${"dsn" in offers ? "where nothing was asked for" : "to one that offers no DSN"}`, () => {
        const plain = ["MAIL FROM:<s@s.example>", ...recipients.map((one) => `RCPT TO:<${one}>`)];
        assertEquals(begun(more, offers), ["RSET", ...plain, "DATA", ""]);
      });
    }

    it("reports whether the server does so itself", () => {
      for (
        const [more, offers, want] of [[{ options }, true, true], [{ options }, false, undefined], [{}, true]] as const
      ) {
        const session = sessionOf({ ...asked, ...more }, { ...peer, dsn: offers });
        session.begin();
        for (const code of [250, 250, 250, 550, 250, 354]) session.onReply({ code, lines: ["x"] });
        session.contentSent();
        const step = session.onReply({ code: 250, lines: ["x"] });
        assert(step.kind === "done");
        assertEquals(step.reports.map(({ verdict, dsn }) => [verdict, dsn]), [["K", want], ["D", undefined], [
          "K",
          want,
        ]]);
      }
    });

    it("says SMTPUTF8 where that was asked for, to a server that offers it", () => {
      const wants = { options: { smtputf8: true, recipients: new Map() } };
      const said = (offers: Partial<Peer>) => (begun(wants, offers) as string[])[1];
      assertEquals(said({ smtpUtf8: true }), "MAIL FROM:<s@s.example> SMTPUTF8");
      assertEquals(said({}), "MAIL FROM:<s@s.example>");
    });

    it("fails with 5.6.7 where the header needs SMTPUTF8 and the server does not offer it", () => {
      const failed = begun({ options: { smtputf8: true, recipients: new Map() }, utf8Header: true }, {});
      const text = "127.0.0.1 does not support internationalized headers. (#5.6.7)\n";
      assertEquals(failed, recipients.map(() => ({ verdict: "D" as const, text })));
    });
  });

  it("takes no reply for consent to a message that is not out yet", () => {
    for (const [code, verdict] of [[250, "Z"], [451, "Z"], [552, "D"]] as const) {
      const session = sessionOf(transaction, peer);
      session.begin();
      for (const reply of [250, 250, 250, 354]) session.onReply({ code: reply, lines: [""] });
      const step = session.onReply({ code, lines: ["early"] });
      assert(step.kind === "done");
      const { reports, farewell, reusable, seen } = step;
      assertEquals({ reports, farewell, reusable, seen }, {
        seen: { code, tls: undefined, flaw: undefined },
        reports: [{
          verdict,
          text: `127.0.0.1 failed while I was sending the message.\nRemote host said: ${code} early\n`,
        }],
        farewell: "",
        reusable: false,
      });
    }
  });

  it("ends with one report a recipient, and delivers nothing without consent, whatever the replies", () => {
    const codes = fc.array(fc.constantFrom(220, 221, 250, 354, 421, 450, 500, 550, 554, 0), { maxLength: 14 });
    const recipients = fc.array(fc.constantFrom("a@r.example", "\xc3\xa4@r.example", "bad", "c d@r.example"), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(fc.property(codes, recipients, fc.boolean(), (codes, recipients, pipelining) => {
      const session = sessionOf({ ...transaction, recipients });
      let step = session.begin();
      let last = 0;
      for (const code of [...codes, ...new Array<number>(30).fill(0)]) {
        if (step.kind === "content") step = session.contentSent();
        if (step.kind === "next" || step.kind === "done") break;
        last = code;
        const lines = pipelining ? ["x", "PIPELINING"] : ["x"];
        step = code === 0 ? session.onBroken("died") : session.onReply({ code, lines });
      }
      assert(step.kind === "next" || step.kind === "done", "ends");
      if (step.kind === "next") assertEquals(step.report.verdict === "K", false);
      else {
        assertEquals(step.reports.length, recipients.length);
        if (last !== 250 && last !== 220 && last !== 221) {
          assert(step.reports.every(({ verdict }) => verdict !== "K"), "no consent, no delivery");
        }
      }
    }));
  });
});

describe("fold()", () => {
  const [k, z, d] = [report("K", "k"), report("Z", "z"), report("D", "d")];
  const rows = [
    { own: undefined, whole: z, want: "Zz\n" },
    { own: d, whole: k, want: "Dd\n" },
    { own: d, whole: z, want: "Dd\n" },
    { own: d, whole: d, want: "Dd\nd\n" },
    { own: z, whole: k, want: "Zz\n" },
    { own: z, whole: z, want: "Zz\nz\n" },
    { own: z, whole: d, want: "Zz\nd\n" },
  ];
  for (const { own, whole, want } of rows) {
    it(`makes ${JSON.stringify(want)} of ${own?.verdict ?? "nothing"} and ${whole.verdict}`, () => {
      const folded = fold(own, whole);
      assertEquals(folded.verdict + folded.text, want);
    });
  }
});

describe("parsePeer()", () => {
  const plain = plainPeer;
  const rows = [
    { lines: ["mx"], want: plain },
    { lines: ["PIPELINING"], want: plain },
    {
      lines: ["mx", "pipelining", "8BitMime", "SMTPUTF8"],
      want: { ...plain, pipelining: true, eightBitMime: true, smtpUtf8: true },
    },
    { lines: ["mx", "dsn"], want: { ...plain, dsn: true } },
    { lines: ["mx", "SIZE"], want: { ...plain, size: 0 } },
    { lines: ["mx", "SIZE 0"], want: { ...plain, size: 0 } },
    { lines: ["mx", "SIZE 52428800"], want: { ...plain, size: 52428800 } },
    { lines: ["mx", "SIZE -1"], want: { ...plain, size: 0 } },
    { lines: ["mx", "SIZE 99999999999999999999"], want: { ...plain, size: 0 } },
    { lines: ["mx", "STARTTLS", "requiretls"], want: { ...plain, startTls: true, requireTls: true } },
    { lines: ["mx", "CHUNKING", "BINARYMIME"], want: { ...plain, chunking: true, binaryMime: true } },
    { lines: ["mx", "AUTH plain Login"], want: { ...plain, auth: ["PLAIN", "LOGIN"] } },
    { lines: ["mx", "AUTH=PLAIN", "AUTH CRAM-MD5 "], want: { ...plain, auth: ["PLAIN", "CRAM-MD5"] } },
    { lines: ["mx", "AUTH", "AUTHOR x"], want: plain },
    {
      lines: ["mx", "limits RcptMax=20 X=1 MAILMAX=5 RCPTDOMAINMAX=1"],
      want: { ...plain, limits: { rcptMax: 20, mailMax: 5, rcptDomainMax: 1 } },
    },
    { lines: ["mx", "LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=9999999"], want: plain },
    { lines: ["mx", "__proto__ x", "constructor", "SIZE=5"], want: plain },
  ];
  for (const { lines, want } of rows) {
    it(`reads ${lines.join(" | ")}`, () => assertEquals(parsePeer({ code: 250, lines }), want));
  }
});

describe("surveyContent()", () => {
  it("counts line ends of what is at hand and expects as many of the remainder", () => {
    assertEquals(surveyContent(4, toOctets("a\nb\n")), { sizeBytes: 4, wireBytes: 6, eightBit: false });
    assertEquals(surveyContent(8, toOctets("a\nb\n")), { sizeBytes: 8, wireBytes: 12, eightBit: false });
    assertEquals(surveyContent(0, toOctets("")), { sizeBytes: 0, wireBytes: 0, eightBit: false });
    assertEquals(surveyContent(1, toOctets("\x80")), { sizeBytes: 1, wireBytes: 1, eightBit: true });
  });
});

describe("hasEightBitHeader()", () => {
  const rows = [["Subject: a\n\n\xe4", false], ["Subject: \xc3\xa4\n\nx", true], ["\n\xff", true], [
    "",
    false,
  ]] as const;
  for (const [text, want] of rows) {
    it(`is ${want} of ${JSON.stringify(text)}`, () => assertEquals(hasEightBitHeader(toOctets(text)), want));
  }
});

describe("isBinary()", () => {
  const rows = [
    { name: "lines of text, of any octets", text: "Subject: a\n\n\xff\x01\n", want: false },
    { name: "a line of 998 octets", text: `${"x".repeat(998)}\n`, want: false },
    { name: "a line of 999 octets", text: `${"x".repeat(999)}\n`, want: true },
    { name: "NUL", text: "a\0b\n", want: true },
    { name: "CR", text: "a\rb\n", want: true },
    { name: "nothing", text: "", want: false },
  ];
  for (const { name, text, want } of rows) {
    it(`is ${want} of ${name}, wherever it is cut`, async () => {
      const octets = toOctets(text);
      for (const cut of [0, 1, octets.length >> 1, octets.length]) {
        const body = new MessageBody(
          octets.length,
          octets.subarray(0, cut),
          (at) => Promise.resolve(octets.subarray(at)),
        );
        assertEquals(await isBinary(body), want);
      }
    });
  }
});
