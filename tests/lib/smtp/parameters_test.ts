import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseCommand } from "../../../components/lib/smtp/command.ts";
import { parseMailParameters, parseRcptParameters } from "../../../components/lib/smtp/parameters.ts";

const all = { binaryMime: true, smtputf8: true, dsn: true, requireTls: true, auth: true };
const none = { binaryMime: false, smtputf8: false, dsn: false, requireTls: false, auth: false };

function mail(words: string, offered = all): unknown {
  const command = parseCommand(`MAIL FROM:<> ${words}`, { smtputf8: true });
  if (command.verb !== "MAIL") return "bad command";
  const parsed = parseMailParameters(command.parameters, offered);
  return parsed.ok ? parsed.value : parsed.error;
}

function rcpt(words: string): unknown {
  const command = parseCommand(`RCPT TO:<a@b.example> ${words}`, { smtputf8: true });
  if (command.verb !== "RCPT") return "bad command";
  const parsed = parseRcptParameters(command.parameters, { dsn: true });
  return parsed.ok ? parsed.value : parsed.error;
}

describe("parseMailParameters()", () => {
  const table: { words: string; want: unknown }[] = [
    { words: "", want: {} },
    { words: "SIZE=0", want: { sizeBytes: 0 } },
    { words: "SIZE=99999999999999999999", want: { sizeBytes: 1e20 } },
    { words: "SIZE=1e3", want: "bad value" },
    { words: "BODY=8bitmime", want: { body: "8BITMIME" } },
    { words: "BODY=BINARYMIME SMTPUTF8 REQUIRETLS", want: { body: "BINARYMIME", smtputf8: true, requireTls: true } },
    { words: "BODY", want: "bad value" },
    { words: "SMTPUTF8=1", want: "bad value" },
    { words: "REQUIRETLS=", want: "bad command" },
    { words: "RET=full ENVID=QQ314159", want: { ret: "FULL", envid: "QQ314159" } },
    { words: "ENVID=a+2Bb+3Dc+20d", want: { envid: "a+b=c d" } },
    { words: "ENVID=a+0Ab", want: "bad value" },
    { words: "ENVID=a+0D+0Ab", want: "bad value" },
    { words: "ENVID=a+00b", want: "bad value" },
    { words: "ENVID=a+7Fb", want: "bad value" },
    { words: "ENVID=a+C3b", want: "bad value" },
    { words: "ENVID=a+2b", want: "bad value" },
    { words: "ENVID=a+", want: "bad value" },
    { words: "ENVID=\u00c3 SMTPUTF8", want: "bad value" },
    { words: `ENVID=${"x".repeat(100)}`, want: { envid: "x".repeat(100) } },
    { words: `ENVID=${"x".repeat(101)}`, want: "bad value" },
    { words: "AUTH=<>", want: {} },
    { words: "AUTH=joe+40b.example", want: {} },
    { words: "AUTH=joe+0A", want: "bad value" },
    { words: "AUTH", want: "bad value" },
    { words: "constructor", want: "unknown" },
    { words: "toString=1", want: "unknown" },
  ];
  for (const { words, want } of table) {
    it(`reads ${JSON.stringify(words.slice(0, 40))} as ${JSON.stringify(want)?.slice(0, 60)}`, () => {
      assertEquals(mail(words), want);
    });
  }

  it("knows nothing that is not on offer but SIZE and BODY", () => {
    for (const words of ["SMTPUTF8", "REQUIRETLS", "RET=FULL", "ENVID=x", "AUTH=<>"]) {
      assertEquals(mail(words, none), "unknown", words);
    }
    assertEquals(mail("BODY=BINARYMIME", none), "bad value");
    assertEquals(mail("BODY=7BIT SIZE=1", none), { body: "7BIT", sizeBytes: 1 });
  });
});

describe("parseRcptParameters()", () => {
  const notify = { never: false, success: false, failure: false, delay: false };
  const table: { words: string; want: unknown }[] = [
    { words: "", want: {} },
    { words: "NOTIFY=never", want: { notify: { ...notify, never: true } } },
    {
      words: "NOTIFY=SUCCESS,FAILURE,DELAY",
      want: { notify: { never: false, success: true, failure: true, delay: true } },
    },
    { words: "NOTIFY=SUCCESS,SUCCESS", want: "bad value" },
    { words: "NOTIFY=NEVER,DELAY", want: "bad value" },
    { words: "NOTIFY=SUCCESS,", want: "bad value" },
    { words: "NOTIFY", want: "bad value" },
    { words: "ORCPT=rfc822;Bob+2Bx@b.example", want: { orcpt: "rfc822;Bob+x@b.example" } },
    { words: "ORCPT=rfc822;", want: "bad value" },
    { words: "ORCPT=;x", want: "bad value" },
    { words: "ORCPT=rfc822", want: "bad value" },
    { words: "ORCPT=rfc_822;x", want: "bad value" },
    { words: "ORCPT=rfc822;x+0D+0ASubject:+20y", want: "bad value" },
    { words: "ORCPT=rfc822;\u00c3\u00b6", want: "bad value" },
    { words: "ORCPT=UTF-8;\u00c3\u00b6@b", want: { orcpt: "UTF-8;\u00c3\u00b6@b" } },
    { words: "ORCPT=utf-8;\u00c3", want: "bad value" },
    { words: "ORCPT=utf-8;\u00c2\u0085", want: "bad value" },
    { words: "ORCPT=utf-8;\u00e2\u0080\u00a8", want: "bad value" },
    { words: "ORCPT=utf-8;\\x{20AC}@b", want: { orcpt: "utf-8;\\x{20AC}@b" } },
    { words: `ORCPT=rfc822;${"x".repeat(494)}`, want: "bad value" },
    { words: "RET=FULL", want: "unknown" },
    { words: "__defineGetter__=1", want: "bad command" },
  ];
  for (const { words, want } of table) {
    it(`reads ${JSON.stringify(words.slice(0, 40))} as ${JSON.stringify(want)?.slice(0, 60)}`, () => {
      assertEquals(rcpt(words), want);
    });
  }

  it("lets out no control character, whatever comes in", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."+0123456789ABCDEFabcx;@\\ \t\u00c3\u00b6\u0085\u00e2\u0080\u00a8"),
      maxLength: 20,
    });
    fc.assert(fc.property(fc.constantFrom("ORCPT=utf-8;", "ORCPT=rfc822;"), text, (keyword, value) => {
      const parsed = rcpt(keyword + value) as { orcpt?: string };
      const text = new TextDecoder().decode(Uint8Array.from(parsed.orcpt ?? "", (char) => char.charCodeAt(0)));
      // deno-lint-ignore no-control-regex -- control characters are the point
      assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text), JSON.stringify(text));
    }));
  });
});
