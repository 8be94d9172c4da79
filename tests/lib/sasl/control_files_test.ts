/** control/smtpauth and control/checkpassword, and what they put on offer. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { parseCheckpassword } from "../../../components/lib/sasl/checkpassword_file.ts";
import { canonicalLogin } from "../../../components/lib/sasl/names.ts";
import { defaultMechanisms, offeredMechanisms, parseSmtpauth } from "../../../components/lib/sasl/offered.ts";

describe("control/smtpauth", () => {
  const rows: readonly (readonly [text: string, want: readonly string[] | undefined])[] = [
    ["plain\n", ["PLAIN"]],
    ["login plain", ["PLAIN", "LOGIN"]],
    ["plain\nlogin\n", ["PLAIN", "LOGIN"]],
    ["plain cram-md5 scram-sha-256\n", ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"]],
    ["scram-sha-256 scram-sha-256-plus\n", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]],
    ["# what clients need\nplain \t plain\r\n", ["PLAIN"]],
    ["off\n", []],
    ["", undefined],
    ["\n", undefined],
    ["off plain\n", undefined],
    ["PLAIN\n", undefined],
    ["scram-sha-1\n", undefined],
    ["__proto__\n", undefined],
  ];
  for (const [text, want] of rows) {
    it(`${JSON.stringify(text)} ${want === undefined ? "is refused" : `offers ${want.join(" ") || "nothing"}`}`, () => {
      const parsed = parseSmtpauth(text);
      assertEquals(parsed.ok ? parsed.value : undefined, want);
    });
  }

  it("offers by default what needs no password on the disk; with a checkpassword program what such a one can answer", () => {
    assertEquals(defaultMechanisms, ["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
    assertEquals(offeredMechanisms(defaultMechanisms, false), defaultMechanisms);
    assertEquals(offeredMechanisms(defaultMechanisms, true), ["PLAIN", "LOGIN"]);
    const all = parseSmtpauth("plain login cram-md5 scram-sha-256 scram-sha-256-plus");
    assert(all.ok);
    assertEquals(offeredMechanisms(all.value, true), ["CRAM-MD5", "PLAIN", "LOGIN"]);
  });
});

describe("control/checkpassword", () => {
  const rows: readonly (readonly [text: string, want: readonly string[] | undefined])[] = [
    ["/bin/checkpassword /bin/true\n", ["/bin/checkpassword", "/bin/true"]],
    ["  /home/vpopmail/bin/vchkpw \t true", ["/home/vpopmail/bin/vchkpw", "true"]],
    ["/bin/c '*' $HOME `x`\n", ["/bin/c", "'*'", "$HOME", "`x`"]],
    ["/bin/c\nmore lines are not read\n", ["/bin/c"]],
    ["", undefined],
    ["checkpassword\n", undefined],
    ["./checkpassword\n", undefined],
    ["/bin/c\r\n", undefined],
    ["/bin/c \x01\n", undefined],
    ["/bin/\u00e9\n", undefined],
  ];
  for (const [text, want] of rows) {
    it(`${JSON.stringify(text)} ${want === undefined ? "is refused" : `runs ${want.join(" ")}`}`, () => {
      const parsed = parseCheckpassword(text);
      assertEquals(parsed.ok ? parsed.value : undefined, want);
    });
  }
});

describe("canonicalLogin()", () => {
  const rows = [["amy", "amy@me.example"], ["Amy@A.Example", "amy@a.example"], ["@", "@"], [
    "\xc4@x",
    "\xc4@x",
  ]] as const;
  for (const [login, want] of rows) {
    it(`${JSON.stringify(login)} is ${want}`, () => assertEquals(canonicalLogin(login, "me.example"), want));
  }
});
