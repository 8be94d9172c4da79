/** The LMTP dialogue as a function of the replies: each story in lines as a transcript has them. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type LmtpPeer,
  LmtpSession,
  type LmtpStep,
  type LmtpTransaction,
  parseLmtpPeer,
} from "../../../components/lib/smtp/lmtp_session.ts";
import { type Reply, ReplyParser } from "../../../components/lib/smtp/reply.ts";
import type { Verdict } from "../../../components/lib/wire/delivery_protocol.ts";

const plain: LmtpTransaction = {
  hostName: "mx.example",
  sender: "amy@a.example",
  recipient: "joe@b.example",
  sizeBytes: 1000,
};
const bare: LmtpPeer = { pipelining: false, eightBitMime: false, smtpUtf8: false, size: undefined };
const dovecot: LmtpPeer = { ...bare, pipelining: true, eightBitMime: true };

function reply(text: string): Reply {
  const parser = new ReplyParser();
  parser.push(new TextEncoder().encode(`${text.replaceAll("|", "\r\n")}\r\n`));
  const taken = parser.takeReply();
  assert(taken?.ok === true, text);
  return taken.value;
}

interface Played {
  /** All that was written, commands parted by "|"; "…" stands for the content. */
  readonly said: string;
  readonly end: LmtpStep;
}

/** Plays the server's lines; "died" and "malformed" are what became of the connection, "(early)" precedes the content. */
function play(lines: readonly string[], transaction: LmtpTransaction = plain, peer?: LmtpPeer): Played {
  const session = new LmtpSession(transaction, peer);
  let said = "";
  let step = session.begin();
  for (const line of lines) {
    if (step.kind === "reply") said += step.send;
    if (step.kind === "content" && !line.startsWith("(early)")) {
      said += "…|";
      session.contentSent();
    }
    const heard = line.replace("(early)", "");
    step = heard === "died" || heard === "malformed" ? session.onBroken(heard) : session.onReply(reply(heard));
  }
  if (step.kind === "reply") said += step.send;
  return { said: said.replaceAll("\r\n", "|"), end: step };
}

const connected = ["220 lmtp", "250-lmtp|250-PIPELINING|250-8BITMIME|250 SIZE 2000"];
const slow = ["220 lmtp", "250 lmtp"];
const lhlo = "LHLO mx.example|";
const mail = "MAIL FROM:<amy@a.example>|";
const rcpt = "RCPT TO:<joe@b.example>|";
const ahead = `MAIL FROM:<amy@a.example> SIZE=1000 BODY=8BITMIME|${rcpt}DATA|`;
const quit = "QUIT|";

interface Row {
  readonly what: string;
  readonly lines: readonly string[];
  readonly said: string;
  readonly verdict: Verdict;
  readonly text: string;
  /** Undefined: it may be used again. */
  readonly farewell?: string;
}

const rows: readonly Row[] = [
  {
    what: "accepts it, told all at once",
    lines: [...connected, "250 ok", "250 ok", "354 go", "250 2.0.0 <joe@b.example> x Saved"],
    said: `${lhlo}${ahead}…|`,
    verdict: "K",
    text: "LMTP server accepted message.\nLMTP server said: 250 2.0.0 <joe@b.example> x Saved\n",
  },
  {
    what: "accepts it, told line by line where it offers nothing",
    lines: [...slow, "250 ok", "250 ok", "354 go", "250 ok"],
    said: `${lhlo}${mail}${rcpt}DATA|…|`,
    verdict: "K",
    text: "LMTP server accepted message.\nLMTP server said: 250 ok\n",
  },
  {
    what: "greets with a refusal",
    lines: ["554 no"],
    said: "",
    verdict: "Z",
    text: "Connected to LMTP server but greeting failed.\nLMTP server said: 554 no\n",
    farewell: quit,
  },
  {
    what: "is none, but an SMTP server",
    lines: ["220 smtp", "500 5.5.1 unknown command"],
    said: lhlo,
    verdict: "Z",
    text: "Connected to LMTP server but my name was rejected.\nLMTP server said: 500 5.5.1 unknown command\n",
    farewell: quit,
  },
  {
    what: "refuses the sender",
    lines: [...slow, "550 5.7.1 no"],
    said: `${lhlo}${mail}`,
    verdict: "D",
    text: "Connected to LMTP server but sender was rejected.\nLMTP server said: 550 5.7.1 no\n",
    farewell: quit,
  },
  {
    what: "refuses the sender while commands are on their way: no QUIT, that might become content",
    lines: [...connected, "451 later"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "Connected to LMTP server but sender was rejected.\nLMTP server said: 451 later\n",
    farewell: "",
  },
  {
    what: "does not know the mailbox",
    lines: [...connected, "250 ok", "550 5.1.1 User doesn't exist", "503 5.5.1 no valid recipients"],
    said: `${lhlo}${ahead}`,
    verdict: "D",
    text: "LMTP server does not like recipient.\nLMTP server said: 550 5.1.1 User doesn't exist\n",
  },
  {
    what: "defers the mailbox, and grants content all the same",
    lines: [...connected, "250 ok", "451 4.3.0 later", "354 go"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "LMTP server does not like recipient.\nLMTP server said: 451 4.3.0 later\n",
    farewell: `.|${quit}`,
  },
  {
    what: "refuses the mailbox and goes away",
    lines: [...connected, "250 ok", "550 no", "died"],
    said: `${lhlo}${ahead}`,
    verdict: "D",
    text: "LMTP server does not like recipient.\nLMTP server said: 550 no\n",
    farewell: "",
  },
  {
    what: "refuses DATA after it took the recipient: its own confusion is no verdict on the mail",
    lines: [...connected, "250 ok", "250 ok", "503 5.5.1 what"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "LMTP server failed on DATA command.\nLMTP server said: 503 5.5.1 what\n",
    farewell: quit,
  },
  {
    what: "consents to DATA without asking for it",
    lines: [...connected, "250 ok", "250 ok", "250 ok"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "LMTP server failed on DATA command.\nLMTP server said: 250 ok\n",
    farewell: quit,
  },
  {
    what: "says 250 before it has the message",
    lines: [...connected, "250 ok", "250 ok", "354 go", "(early)250 ok"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "LMTP server failed while I was sending the message.\nLMTP server said: 250 ok\n",
    farewell: "",
  },
  {
    what: "says 552 before it has all of the message",
    lines: [...connected, "250 ok", "250 ok", "354 go", "(early)552 too much"],
    said: `${lhlo}${ahead}`,
    verdict: "D",
    text: "LMTP server failed while I was sending the message.\nLMTP server said: 552 too much\n",
    farewell: "",
  },
  {
    what: "finds the mailbox full",
    lines: [...connected, "250 ok", "250 ok", "354 go", "552 5.2.2 <joe@b.example> Quota exceeded"],
    said: `${lhlo}${ahead}…|`,
    verdict: "D",
    text: "LMTP server failed after I sent the message.\nLMTP server said: 552 5.2.2 <joe@b.example> Quota exceeded\n",
    farewell: quit,
  },
  {
    what: "says good-bye instead",
    lines: [...connected, "421 4.3.2 shutting down"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "Connected to LMTP server but sender was rejected.\nLMTP server said: 421 4.3.2 shutting down\n",
    farewell: "",
  },
  {
    what: "goes away before the message",
    lines: [...connected, "250 ok", "died"],
    said: `${lhlo}${ahead}`,
    verdict: "Z",
    text: "Connected to LMTP server but connection died. (#4.4.2)\n",
    farewell: "",
  },
  {
    what: "goes away after the dot",
    lines: [...connected, "250 ok", "250 ok", "354 go", "died"],
    said: `${lhlo}${ahead}…|`,
    verdict: "Z",
    text: "Connected to LMTP server but connection died. Possible duplicate! (#4.4.2)\n",
    farewell: "",
  },
  {
    what: "talks nonsense after the dot",
    lines: [...connected, "250 ok", "250 ok", "354 go", "malformed"],
    said: `${lhlo}${ahead}…|`,
    verdict: "Z",
    text: "Connected to LMTP server but its reply was malformed. Possible duplicate! (#4.5.0)\n",
    farewell: "",
  },
];

describe("LmtpSession, with a server that", () => {
  for (const { what, lines, said, verdict, text, farewell } of rows) {
    it(what, () => {
      const played = play(lines);
      assertEquals(played.said, said);
      assertEquals({
        ...played.end,
        farewell: played.end.kind === "done" && played.end.farewell.replaceAll("\r\n", "|"),
      }, {
        kind: "done",
        report: { verdict, text },
        farewell: farewell ?? quit,
        reusable: farewell === undefined,
      });
    });
  }
});

describe("LmtpSession on a connection that was used before", () => {
  const again = (lines: readonly string[], peer = dovecot) => play(lines, plain, peer);

  it("begins anew with RSET, told all at once or line by line", () => {
    const pipelined = again(["250 ok", "250 ok", "250 ok", "354 go", "250 ok"]);
    assertEquals(pipelined.said, `RSET|MAIL FROM:<amy@a.example> BODY=8BITMIME|${rcpt}DATA|…|`);
    assertEquals(again(["250 ok", "250 ok", "250 ok", "354 go", "250 ok"], bare).said, `RSET|${mail}${rcpt}DATA|…|`);
  });

  for (const lines of [["421 bye"], ["died"], ["malformed"], ["250 ok", "421 bye"], ["250 ok", "250 ok", "died"]]) {
    it(`calls it stale where nothing was sent yet and the server said ${lines.join(", ")}`, () => {
      assertEquals(again(lines).end, { kind: "stale" });
    });
  }

  it("never calls it stale once content was asked for, for the server may have it", () => {
    const { end } = again(["250 ok", "250 ok", "250 ok", "354 go", "died"]);
    assertEquals(end.kind === "done" && end.report.verdict, "Z");
  });
});

describe("LmtpSession's addresses", () => {
  const opened = (transaction: Partial<LmtpTransaction>, features: string) =>
    play(["220 lmtp", `250-lmtp|250 ${features}`], { ...plain, ...transaction });

  const written = [
    { sender: "", recipient: 'a b"@b.example', want: 'MAIL FROM:<>|RCPT TO:<"a b\\""@b.example>|DATA|' },
    { sender: "#@[]", recipient: "joe@b.example", want: `MAIL FROM:<>|${rcpt}DATA|` },
    {
      sender: "a@b@a.example",
      recipient: ".joe@b.example",
      want: 'MAIL FROM:<"a@b"@a.example>|RCPT TO:<".joe"@b.example>|DATA|',
    },
    { sender: "", recipient: 'joe>" x@b.example', want: 'MAIL FROM:<>|RCPT TO:<"joe>\\" x"@b.example>|DATA|' },
  ];
  for (const { want, ...transaction } of written) {
    it(`of ${JSON.stringify(transaction)} are quoted`, () => {
      assertEquals(opened(transaction, "PIPELINING").said, lhlo + want);
    });
  }

  const refused = [
    { sender: "a\r\nRCPT TO:<x@y>@a.example", features: "PIPELINING", status: "(#5.1.7)" },
    { recipient: "joe\n@b.example", features: "PIPELINING", status: "(#5.1.3)" },
    { recipient: "j\xc3\xb6@b.example", features: "PIPELINING", status: "(#5.6.7)" },
    { sizeBytes: 1001, features: "SIZE 1000", status: "(#5.3.4)" },
  ];
  for (const { features, status, ...transaction } of refused) {
    it(`or size, ${JSON.stringify(transaction)}, are not given to a server with ${features}`, () => {
      const { said, end } = opened(transaction, features);
      assertEquals(said, lhlo);
      assert(end.kind === "done" && end.report.verdict === "D" && end.report.text.includes(status) && end.reusable);
    });
  }

  it("are given as they are, with SMTPUTF8, to a server that knows it", () => {
    const { said } = opened({ recipient: "j\xc3\xb6@b.example" }, "SMTPUTF8");
    assertEquals(said, `${lhlo}MAIL FROM:<amy@a.example> SMTPUTF8|`);
  });

  it("never add a line to the dialogue, whatever they are", () => {
    const octets = fc.string({
      unit: fc.constantFrom("a", "@", "\r", "\n", "<", ">", '"', "\\", " ", "\0", ".", "\xff"),
    });
    fc.assert(fc.property(octets, octets, (sender, local) => {
      const { said } = opened({ sender, recipient: `${local}@b.example` }, "PIPELINING");
      assert([1, 4].includes(said.split("|").length - 1), said);
    }));
  });
});

describe("LmtpSession", () => {
  it("reports K only where the last reply is a consent to the content it sent", () => {
    const code = fc.constantFrom("220", "250", "251", "354", "421", "450", "503", "550", "died", "malformed");
    fc.assert(fc.property(fc.array(code, { maxLength: 9 }), fc.boolean(), (codes, isReused) => {
      const session = new LmtpSession(plain, isReused ? dovecot : undefined);
      let step = session.begin();
      let [sent, last] = [false, ""];
      for (const one of codes) {
        if (step.kind === "content") {
          session.contentSent();
          sent = true;
        } else if (step.kind !== "reply") break;
        step = one === "died" || one === "malformed" ? session.onBroken(one) : session.onReply(reply(`${one} x`));
        last = one;
      }
      if (step.kind === "done" && step.report.verdict === "K") assert(sent && last.startsWith("2"), codes.join());
    }));
  });
});

describe("parseLmtpPeer()", () => {
  const table = [
    { text: "250 lmtp", want: bare },
    { text: "250-PIPELINING|250 ENHANCEDSTATUSCODES", want: bare },
    {
      text: "250-x|250-pipelining|250-8bitmime|250-SMTPUTF8|250 SIZE",
      want: { pipelining: true, eightBitMime: true, smtpUtf8: true, size: 0 },
    },
    { text: "250-x|250 SIZE 10", want: { ...bare, size: 10 } },
    { text: "250-x|250 SIZE x", want: { ...bare, size: 0 } },
    { text: "250-x|250-SIZE=10|250 PIPELININGS", want: bare },
  ];
  for (const { text, want } of table) {
    it(`reads ${text}`, () => assertEquals(parseLmtpPeer(reply(text)), want));
  }
});
