import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type Ask,
  newSession,
  onCommand,
  onContentEnd,
  onDecision,
  onLongLine,
  onSecured,
  parseLine,
  type Session,
  type Settings,
  type Step,
} from "../../../components/lib/smtp/server_session.ts";

const settings: Settings = { greeting: "mx.example.com", databytes: 1000 };

/** One command; the policy accepts all of them. The reply to a refused chunk counts as said. */
function step(session: Session, line: string, given = settings): Step {
  const done = onCommand(session, parseLine(session, line, given), given);
  if (done.next.kind === "discard") return { ...done, reply: done.next.reply, next: { kind: "command" } };
  if (done.next.kind !== "policy") return done;
  const { ask } = done.next;
  const address = ask.on === "mail" ? "a@b.example" : ask.on === "rcpt" ? "joe@example.com" : "";
  const decided = onDecision(done.session, ask, { kind: "accept", address }, given);
  return decided.next.kind === "chunk" ? { ...decided, reply: "250 2.0.0 ok\r\n" } : decided;
}

function after(...lines: string[]): Session {
  return lines.reduce((session, line) => step(session, line).session, newSession);
}

const path = { kind: "postmaster" } as const;
const rcpt: Ask = { on: "rcpt", path, options: undefined };

function acceptRcpt(session: Session, address: string): Step {
  return onDecision(session, rcpt, { kind: "accept", address }, settings);
}

describe("onCommand() in every state", () => {
  const states = {
    "greeting": after(),
    "HELO": after("HELO x"),
    "MAIL": after("EHLO x", "MAIL FROM:<a@b.example>"),
    "RCPT": after("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<joe@example.com>"),
  };
  /** The reply's code and status after each of the states, and whether a transaction is open then. */
  const rows: [string, string, string, string, string][] = [
    ["HELO x", "250", "250", "250", "250"],
    ["HELO", "250", "250", "250", "250"],
    ["EHLO x", "250", "250", "250", "250"],
    ["MAIL FROM:<>", "250 2.1.0 +", "250 2.1.0 +", "503 5.5.1 +", "503 5.5.1 +"],
    ["MAIL FROM:<x", "501 5.1.7", "501 5.1.7", "501 5.1.7 +", "501 5.1.7 +"],
    ["MAIL FROM:<a@b.example> SIZE=1001", "552 5.3.4", "552 5.3.4", "503 5.5.1 +", "503 5.5.1 +"],
    ["RCPT TO:<joe@example.com>", "503 5.5.1", "503 5.5.1", "250 2.1.5 +", "250 2.1.5 +"],
    ["RCPT TO:<x", "501 5.1.3", "501 5.1.3", "501 5.1.3 +", "501 5.1.3 +"],
    ["RCPT TO:<joe@example.com> X=1", "503 5.5.1", "503 5.5.1", "555 5.5.4 +", "555 5.5.4 +"],
    ["DATA", "503 5.5.1", "503 5.5.1", "503 5.5.1 +", "354"],
    ["DATA x", "501 5.5.4", "501 5.5.4", "501 5.5.4 +", "501 5.5.4 +"],
    ["RSET", "250 2.0.0", "250 2.0.0", "250 2.0.0", "250 2.0.0"],
    ["NOOP", "250 2.0.0", "250 2.0.0", "250 2.0.0 +", "250 2.0.0 +"],
    ["VRFY joe", "252 2.1.5", "252 2.1.5", "252 2.1.5 +", "252 2.1.5 +"],
    ["HELP", "214 2.0.0", "214 2.0.0", "214 2.0.0 +", "214 2.0.0 +"],
    ["QUIT", "221 2.0.0", "221 2.0.0", "221 2.0.0 +", "221 2.0.0 +"],
    ["STARTTLS", "502 5.5.1", "502 5.5.1", "502 5.5.1 +", "502 5.5.1 +"],
    ["STARTTLS x", "501 5.5.4", "501 5.5.4", "501 5.5.4 +", "501 5.5.4 +"],
    ["AUTH PLAIN", "502 5.5.1", "502 5.5.1", "502 5.5.1 +", "502 5.5.1 +"],
    ["LHLO x", "500 5.5.1", "500 5.5.1", "500 5.5.1 +", "500 5.5.1 +"],
    ["XCLIENT ADDR=192.0.2.1", "550 5.7.0", "550 5.7.0", "550 5.7.0 +", "550 5.7.0 +"],
    ["BDAT 1", "503 5.5.1", "503 5.5.1", "503 5.5.1 +", "250 2.0.0 +"],
    ["BDAT 1 LAST", "503 5.5.1", "503 5.5.1", "503 5.5.1 +", "250 2.0.0"],
    ["BDAT x", "501 5.5.4", "501 5.5.4", "501 5.5.4 +", "501 5.5.4 +"],
    ["GET / HTTP/1.1", "421 4.7.0", "421 4.7.0", "421 4.7.0 +", "421 4.7.0 +"],
    ["", "502 5.5.1", "502 5.5.1", "502 5.5.1 +", "502 5.5.1 +"],
    ["__proto__", "502 5.5.1", "502 5.5.1", "502 5.5.1 +", "502 5.5.1 +"],
  ];
  for (const [line, ...wants] of rows) {
    it(`answers ${JSON.stringify(line)} with ${wants.join(", ")}`, () => {
      const got = Object.values(states).map((session) => {
        const done = step(session, line);
        const words = /^([0-9]{3})(?:-|$| (?:([245]\.[0-9]\.[0-9]) )?)/.exec(done.reply)!;
        return [words[1], words[2], done.session.transaction === undefined ? undefined : "+"].filter(Boolean).join(" ");
      });
      assertEquals(got, wants);
    });
  }

  it("offers only what is built", () => {
    assertEquals(step(newSession, "EHLO x").reply.split("\r\n"), [
      "250-mx.example.com",
      "250-PIPELINING",
      "250-8BITMIME",
      "250-SIZE 1000",
      "250-CHUNKING",
      "250-BINARYMIME",
      "250-SMTPUTF8",
      "250-DSN",
      "250-HELP",
      "250 ENHANCEDSTATUSCODES",
      "",
    ]);
  });

  it("offers what each state allows: TLS until it is there, AUTH under it and until somebody has logged in", () => {
    const all: Settings = { ...settings, startTls: true, mechanisms: ["PLAIN", "SCRAM-SHA-256-PLUS"] };
    const offered = (session: Session, given: Settings) =>
      ["STARTTLS", "REQUIRETLS", "AUTH PLAIN", "AUTH PLAIN SCRAM-SHA-256-PLUS"].filter((word) =>
        step(session, "EHLO x", given).reply.includes(`250-${word}\r\n`)
      );
    const secured = onSecured(newSession, { isBound: false });
    assertEquals(offered(newSession, all), ["STARTTLS"]);
    assertEquals(offered(newSession, { ...all, authNeedsTls: false }), ["STARTTLS", "AUTH PLAIN"]);
    assertEquals(offered(secured, all), ["REQUIRETLS", "AUTH PLAIN"]);
    assertEquals(offered(onSecured(newSession, { isBound: true }), all), [
      "REQUIRETLS",
      "AUTH PLAIN SCRAM-SHA-256-PLUS",
    ]);
    assertEquals(offered({ ...secured, login: "joe" }, all), ["REQUIRETLS"]);
  });
});

describe("onCommand() under limits", () => {
  it("closes with the twentieth error, whichever kinds they are of", () => {
    const kinds = ["NONSENSE", "DATA", "MAIL FROM:<x", "RCPT TO:<a@b>"];
    let done: Step = { session: newSession, reply: "", next: { kind: "command" } };
    for (let count = 1; count <= 20; count++) {
      assertEquals(done.next.kind, "command");
      done = count % 5 === 0
        ? onLongLine(done.session, settings)
        : step(step(done.session, "NOOP").session, kinds[count % 4]!);
    }
    assertEquals(done.next, { kind: "close", reason: "too-many-errors" });
    assert(done.reply.endsWith("\r\n421 4.7.0 too many errors\r\n"), done.reply);
  });

  it("takes recipients up to four mebibytes, the next ones get 452 and cost no error", () => {
    let session = after("MAIL FROM:<a@b.example>");
    let refused = 0;
    let accepted = 0;
    for (let count = 0; count < 1_000_000; count++) {
      const done = acceptRcpt(session, "joe@example.com");
      session = done.session;
      if (done.reply.startsWith("250")) accepted++;
      else if (done.reply === "452 4.5.3 too many recipients\r\n") refused++;
      assertEquals(done.next.kind, "command");
    }
    assertEquals(accepted, Math.floor((4 * 1024 * 1024 - "a@b.example".length - 2) / ("joe@example.com".length + 2)));
    assertEquals(refused, 1_000_000 - accepted);
    const data = step(session, "DATA");
    assertEquals(data.next.kind === "content" && data.next.message.envelope.recipients.length, accepted);
  });

  it("hands out the recipients in the order they came", () => {
    let session = after("MAIL FROM:<a@b.example>");
    for (const recipient of ["1@x", "2@x", "3@x"]) session = acceptRcpt(session, recipient).session;
    assertEquals(step(session, "DATA").next, {
      kind: "content",
      message: {
        envelope: { sender: "a@b.example", recipients: ["1@x", "2@x", "3@x"] },
        header: [],
        framing: "dots",
      },
    });
  });

  it("hands out what was asked for beside the addresses, and of which recipient", () => {
    const session = [
      "RCPT TO:<1@x.example>",
      "RCPT TO:<2@x.example> NOTIFY=NEVER",
      "RCPT TO:<3@x.example> ORCPT=rfc822;3+40x NOTIFY=DELAY,FAILURE",
    ].reduce(
      (session, line) => step(session, line).session,
      after("MAIL FROM:<a@b.example> RET=HDRS ENVID=x+20y BODY=8BITMIME SMTPUTF8"),
    );
    const { next } = step(session, "DATA");
    assertEquals(next.kind === "content" && next.message.envelope.options, {
      ret: "HDRS",
      envid: "x y",
      smtputf8: true,
      body: "8BITMIME",
      recipients: new Map([
        [1, { notify: { never: true, success: false, failure: false, delay: false } }],
        [2, { orcpt: "rfc822;3@x", notify: { never: false, success: false, failure: true, delay: true } }],
      ]),
    });
  });
});

describe("onContentEnd()", () => {
  const rows: [number, string][] = [
    [0, "250 2.0.0 ok 1795333684 qp 4896"],
    [11, "554 5.1.3 envelope address too long for qq (#5.1.3)"],
    [31, "554 5.3.0 mail server permanently rejected message (#5.3.0)"],
    [35, "554 5.3.0 qq permanent problem (#5.3.0)"],
    [51, "451 4.3.0 qq out of memory (#4.3.0)"],
    [53, "451 4.3.0 qq write error or disk full (#4.3.0)"],
    [72, "451 4.4.1 connection to mail server timed out (#4.4.1)"],
    [74, "451 4.4.2 communication with mail server failed (#4.4.2)"],
    [81, "451 4.3.0 qq internal bug (#4.3.0)"],
    [99, "451 4.3.0 qq temporary problem (#4.3.0)"],
    [120, "451 4.3.0 unable to exec qq (#4.3.0)"],
  ];
  for (const [code, want] of rows) {
    it(`says ${want.slice(0, 9)} to qmail-queue's ${code}`, () => {
      assertEquals(
        onContentEnd(newSession, { kind: "queue", code, qp: 4896, unixSeconds: 1795333684 }).reply,
        `${want}\r\n`,
      );
    });
  }
});

describe("a program in qmail-queue's place", () => {
  const rows: readonly [text: string, want: string][] = [
    ["Dyour mail is a virus (#5.7.1)", "554 5.7.1 your mail is a virus (#5.7.1)"],
    ["Zcome back", "451 4.3.0 come back"],
    ["Dtwo\r\n250 lines", "554 5.3.0 two??250 lines"],
    ["", "451 4.3.0 qq temporary problem (#4.3.0)"],
    ["no letter", "451 4.3.0 qq temporary problem (#4.3.0)"],
  ];
  for (const [text, want] of rows) {
    it(`says ${JSON.stringify(text)} as a reply of one line`, () => {
      const end = { kind: "queue", code: 82, qp: 0, text, unixSeconds: 1795333684 } as const;
      assertEquals(onContentEnd(newSession, end).reply, `${want}\r\n`);
    });
  }
});

describe("any dialogue", () => {
  it("gets one reply a command, each line of it whole and without control octets, and never throws", () => {
    const words = fc.constantFrom(
      ...[
        "EHLO x",
        "HELO y",
        "MAIL FROM:<a@b.example>",
        "MAIL FROM:<> SIZE=2000",
        "RCPT TO:<a@example.com>",
        "DATA",
        "RSET",
        "NOOP",
      ],
      ...[
        "VRFY \x1b[2J",
        "HELP",
        "STARTTLS",
        "AUTH PLAIN",
        "BDAT 0 LAST",
        "BDAT 10",
        "RCPT TO:<\r\n>",
        "MAIL FROM:<a\nb@c>",
        "EHLO \xff",
      ],
    );
    const octets = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 80,
    });
    fc.assert(fc.property(fc.array(fc.oneof(words, octets), { maxLength: 60 }), (lines) => {
      let session = newSession;
      for (const line of lines) {
        const done = step(session, line);
        // deno-lint-ignore no-control-regex
        assert(/^(?:[2345][0-9][0-9][ -][^\x00-\x1f\x7f-\xff]*\r\n)+$/.test(done.reply), JSON.stringify(done.reply));
        const last = done.reply.split("\r\n").filter((text) => /^[0-9]{3} /.test(text));
        assertEquals(last.length, done.session.errors === 20 ? 2 : 1);
        if (done.next.kind === "close") return;
        session = done.session;
      }
    }));
  });
});
