import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Command, isHttpVerb, parseCommand } from "../../../components/lib/smtp/command.ts";
import { utf8 } from "../octets.ts";

/** A command as one string. */
function shown(command: Command): string {
  switch (command.verb) {
    case "BAD":
      return `BAD ${command.of}: ${command.reason}`;
    case "UNKNOWN":
      return `UNKNOWN ${command.name}`;
    case "BDAT":
      return `BDAT ${command.sizeBytes}${command.last ? " LAST" : ""}`;
    case "AUTH":
      return `AUTH ${command.mechanism} ${command.initial}`;
    case "XCLIENT":
      return `XCLIENT ${command.attributes}`;
    case "HELO":
    case "EHLO":
    case "LHLO":
      return `${command.verb} ${command.domain}`;
    case "VRFY":
      return `${command.verb} ${command.argument}`;
    case "MAIL":
    case "RCPT": {
      const path = command.verb === "MAIL" ? command.reversePath : command.forwardPath;
      const name = path.kind === "mailbox" ? `${path.mailbox.localPart}|${path.mailbox.domain}` : path.kind;
      return [command.verb, name, ...command.parameters.map((p) => `${p.keyword}=${p.value}`)].join(" ");
    }
    default:
      return command.verb;
  }
}

describe("parseCommand()", () => {
  const table: { line: string; want: string }[] = [
    { line: "HELO client.example", want: "HELO client.example" },
    { line: "ehlo [192.0.2.1] ", want: "EHLO [192.0.2.1]" },
    { line: "EHLO", want: "EHLO " },
    { line: "EHLO two words", want: "EHLO two words" },
    { line: `EHLO ${"a".repeat(255)}`, want: `EHLO ${"a".repeat(255)}` },
    { line: `EHLO ${"a".repeat(256)}`, want: "BAD EHLO: too long" },
    { line: "HELO a\x1b]0;b", want: "BAD HELO: bad argument" },
    { line: "HELO \xe9", want: "BAD HELO: bad argument" },
    { line: "MAIL FROM:<s@s.example> SIZE=10", want: "MAIL s|s.example SIZE=10" },
    { line: "mail  from: <> body=8bitmime\tSMTPUTF8  ", want: "MAIL null BODY=8bitmime SMTPUTF8=undefined" },
    { line: "MAIL FROM:<> AUTH=<>", want: "MAIL null AUTH=<>" },
    { line: "MAIL FROM:<> constructor=1", want: "MAIL null CONSTRUCTOR=1" },
    { line: "MAIL FROM:<> __proto__=1", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> SIZE=1 size=2", want: "BAD MAIL: duplicate parameter" },
    { line: "MAIL FROM:<> SIZE=", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> SIZE=1=2", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> =1", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> -A", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> A\0", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> ENVID=a\rb", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> ENVID=\xe9", want: "BAD MAIL: bad parameter" },
    { line: "MAIL FROM:<> ORCPT=rfc822;a+0D+0A", want: "MAIL null ORCPT=rfc822;a+0D+0A" },
    { line: "MAIL <a@b>", want: "BAD MAIL: syntax" },
    { line: "MAIL", want: "BAD MAIL: syntax" },
    { line: "MAIL TO:<a@b>", want: "BAD MAIL: syntax" },
    { line: "MAIL FROM:<;for i in 0 1 2 3;do read r;done;sh;exit 0;>", want: "BAD MAIL: syntax" },
    { line: `MAIL FROM:<${utf8("é")}@b>`, want: "BAD MAIL: utf8 without SMTPUTF8" },
    { line: "RCPT TO:<amy@B.example> NOTIFY=NEVER", want: "RCPT amy|b.example NOTIFY=NEVER" },
    { line: "rcpt to:<Postmaster>", want: "RCPT postmaster" },
    { line: "RCPT TO:<>", want: "BAD RCPT: syntax" },
    { line: "RCPT TO:<a@b>x", want: "BAD RCPT: syntax" },
    { line: "DATA", want: "DATA" },
    { line: "data \t ", want: "DATA" },
    { line: "DATA now", want: "BAD DATA: unexpected argument" },
    { line: "RSET", want: "RSET" },
    { line: "RSET x", want: "BAD RSET: unexpected argument" },
    { line: "QUIT", want: "QUIT" },
    { line: "QUIT x", want: "BAD QUIT: unexpected argument" },
    { line: "NOOP anything", want: "NOOP" },
    { line: "HELP me", want: "HELP" },
    { line: "VRFY joe", want: "VRFY joe" },
    { line: "VRFY \0", want: "BAD VRFY: bad argument" },
    { line: "lhlo x", want: "LHLO x" },
    { line: "starttls", want: "STARTTLS" },
    { line: "STARTTLS x", want: "BAD STARTTLS: unexpected argument" },
    { line: "auth plain", want: "AUTH PLAIN undefined" },
    { line: "AUTH Scram-Sha-256  biws", want: "AUTH SCRAM-SHA-256 biws" },
    { line: "AUTH __proto__ =", want: "AUTH __PROTO__ =" },
    { line: "AUTH", want: "BAD AUTH: bad argument" },
    { line: "AUTH PLAIN a b", want: "BAD AUTH: bad argument" },
    { line: "AUTH PLAIN \0", want: "BAD AUTH: bad argument" },
    { line: "BDAT 0", want: "BDAT 0" },
    { line: "bdat 000010 last", want: "BDAT 10 LAST" },
    { line: "BDAT 999999999999999 LAST", want: "BDAT 999999999999999 LAST" },
    { line: "BDAT 9999999999999999", want: "BAD BDAT: bad argument" },
    { line: "BDAT 18446744073709551615", want: "BAD BDAT: bad argument" },
    { line: "BDAT -1", want: "BAD BDAT: bad argument" },
    { line: "BDAT +1", want: "BAD BDAT: bad argument" },
    { line: "BDAT 1e3", want: "BAD BDAT: bad argument" },
    { line: "BDAT LAST", want: "BAD BDAT: bad argument" },
    { line: "BDAT 1 FIRST", want: "BAD BDAT: bad argument" },
    { line: "BDAT 1 LAST x", want: "BAD BDAT: bad argument" },
    { line: "BDAT", want: "BAD BDAT: bad argument" },
    { line: "XCLIENT ADDR=192.0.2.1 NAME=x", want: "XCLIENT ADDR=192.0.2.1 NAME=x" },
    { line: "", want: "UNKNOWN " },
    { line: " DATA", want: "UNKNOWN " },
    { line: "DATA\0", want: "UNKNOWN DATA\0" },
    { line: "\xff\xdf", want: "UNKNOWN \xff\xdf" },
    { line: "x".repeat(4000), want: `UNKNOWN ${"X".repeat(64)}` },
    ...["EXPN x", "TURN", "ETRN x", "toString", "__proto__"].map((line) => ({
      line,
      want: `UNKNOWN ${line.split(" ")[0]!.toUpperCase()}`,
    })),
  ];
  for (const { line, want } of table) {
    it(`reads ${JSON.stringify(line.slice(0, 60))} as ${JSON.stringify(want.slice(0, 60))}`, () => {
      assertEquals(shown(parseCommand(line)), want);
    });
  }

  it("takes UTF-8 in MAIL where SMTPUTF8 is both offered and asked for", () => {
    const line = `MAIL FROM:<${utf8("é")}@b>`;
    assertEquals(shown(parseCommand(`${line} SMTPUTF8`, { smtputf8: true })), `MAIL ${utf8("é")}|b SMTPUTF8=undefined`);
    assertEquals(shown(parseCommand(line, { smtputf8: true })), "BAD MAIL: utf8 without SMTPUTF8");
    assertEquals(shown(parseCommand(`${line} SMTPUTF8`)), "BAD MAIL: utf8 without SMTPUTF8");
    assertEquals(shown(parseCommand(`RCPT TO:<${utf8("é")}@b>`, { smtputf8: true })), `RCPT ${utf8("é")}|b`);
  });

  it("never throws, whatever the octets", () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    const verb = fc.constantFrom("MAIL FROM:", "RCPT TO:<", "RCPT TO:<a@b> ", "EHLO ", "VRFY ", "DATA", "");
    fc.assert(fc.property(verb, octets, fc.boolean(), (start, end, smtputf8) => {
      parseCommand(start + end, { smtputf8 });
    }));
  });

  it("keeps no more parameters than the line has words", () => {
    const words = Array.from({ length: 800 }, (_, index) => `A${index}`);
    const command = parseCommand(`MAIL FROM:<> ${words.join(" ")}`);
    assert(command.verb === "MAIL" && command.parameters.length === 800);
  });
});

describe("isHttpVerb()", () => {
  it("knows the methods of HTTP and no verb of SMTP", () => {
    for (const name of ["GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "get"]) {
      assertEquals(isHttpVerb(name), true);
    }
    for (const name of ["HELO", "MAIL", "", "GETS", "__proto__", "constructor"]) assertEquals(isHttpVerb(name), false);
  });
});
