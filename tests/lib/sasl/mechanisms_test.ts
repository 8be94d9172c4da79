/** PLAIN, LOGIN and CRAM-MD5: the RFCs' examples, and what is not accepted. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Mechanism } from "../../../components/lib/sasl/authenticator.ts";
import { cramDigest } from "../../../components/lib/sasl/cram_md5.ts";
import { startMechanism } from "../../../components/lib/sasl/mechanism.ts";
import { parseScramSecret } from "../../../components/lib/sasl/scram_secret.ts";
import { beginning, play, settle, told } from "./play.ts";

const tim = "tanstaaftanstaaf";
const passwords = new Map([
  ["tim", tim],
  ["Kurt", "xipj3plmq"],
  ["amy@a.example", "p\xc3\xa4ss w\xf6rd"],
  ["x".repeat(255), "y".repeat(255)],
]);
const world = { passwords };

describe("PLAIN", () => {
  const rows: readonly (readonly [message: string, want: string])[] = [
    // RFC 4616 §4: the first example, and the second, whose user wants to be another.
    [`\0tim\0${tim}`, "ok tim"],
    ["Ursel\0Kurt\0xipj3plmq", "no credentials"],
    ["Kurt\0Kurt\0xipj3plmq", "ok Kurt"],
    ["KURT\0Kurt\0xipj3plmq", "ok Kurt"],
    ["\0amy@a.example\0p\xc3\xa4ss w\xf6rd", "ok amy@a.example"],
    [`\0${"x".repeat(255)}\0${"y".repeat(255)}`, `ok ${"x".repeat(255)}`],
    ["\0tim\0wrong", "no credentials"],
    ["\0nobody\0wrong", "no credentials"],
    ["", "no malformed"],
    ["\0", "no malformed"],
    ["\0\0", "no malformed"],
    ["tim", "no malformed"],
    [`tim\0${tim}`, "no malformed"],
    [`\0\0${tim}`, "no malformed"],
    ["\0tim\0", "no malformed"],
    [`\0tim\0${tim}\0`, "no malformed"],
    [`\0\0tim\0${tim}`, "no malformed"],
    [`\0tim\r\0${tim}`, "no malformed"],
    [`\0tim\0${tim}\n`, "no malformed"],
    [`\x01\0tim\0${tim}`, "no malformed"],
    [`\0\x7ftim\0${tim}`, "no malformed"],
    [`\0${"x".repeat(256)}\0y`, "no malformed"],
    [`\0x\0${"y".repeat(256)}`, "no malformed"],
    [`${"x".repeat(256)}\0x\0y`, "no malformed"],
    ["\0".repeat(100_000), "no malformed"],
    ["x".repeat(1_000_000), "no malformed"],
  ];
  for (const [message, want] of rows) {
    const name = message.length > 80
      ? `${JSON.stringify(message.slice(0, 20))}... (${message.length} octets)`
      : message;
    it(`${JSON.stringify(name)} gives ${want.slice(0, 40)}`, () =>
      assertEquals(play("PLAIN", [message], world), [want]));
  }

  it("asks with nothing where the client did not begin", () => {
    assertEquals(told(startMechanism("PLAIN", beginning)), "?");
  });
});

describe("LOGIN", () => {
  const rows: readonly (readonly [responses: readonly string[], want: readonly string[]])[] = [
    [["tim", tim], ["? Password:", "ok tim"]],
    [["tim", "wrong"], ["? Password:", "no credentials"]],
    [["nobody", "wrong"], ["? Password:", "no credentials"]],
    [[""], ["no malformed"]],
    [["ti\0m"], ["no malformed"]],
    [["x".repeat(256)], ["no malformed"]],
    [["tim", ""], ["? Password:", "no malformed"]],
    [["tim", `${tim}\0`], ["? Password:", "no malformed"]],
    [["tim", "y".repeat(256)], ["? Password:", "no malformed"]],
  ];
  for (const [responses, want] of rows) {
    it(`${JSON.stringify(responses).slice(0, 60)} gives ${want.join(", ")}`, () => {
      assertEquals(play("LOGIN", responses, world), want);
    });
  }

  it('asks for "Username:" and "Password:", whose base64 clients compare', () => {
    assertEquals(told(startMechanism("LOGIN", beginning)), "? Username:");
    assertEquals([btoa("Username:"), btoa("Password:")], ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]);
  });
});

describe("CRAM-MD5", () => {
  const start = { ...beginning, nonce: "1896.697170952", me: "postoffice.reston.mci.net" };
  const digest = "b913a602c7eda7a495b4e6e7334d3890";
  const challenge = "? <1896.697170952@postoffice.reston.mci.net>";

  it("goes as in RFC 2195 §2", () => {
    assertEquals(cramDigest(tim, challenge.slice(2)), digest);
    assertEquals(play("CRAM-MD5", [`tim ${digest}`], world, start), [challenge, "ok tim"]);
  });

  const rows: readonly (readonly [response: string, want: string])[] = [
    [`tim ${digest.toUpperCase()}`, "ok tim"],
    [`tim ${digest.replace("b", "c")}`, "no credentials"],
    [`nobody ${digest}`, "no credentials"],
    [`Kurt ${digest}`, "no credentials"],
    ["", "no malformed"],
    [digest, "no malformed"],
    [` ${digest}`, "no malformed"],
    ["tim ", "no malformed"],
    [`tim ${digest}0`, "no malformed"],
    [`tim ${digest.slice(1)}`, "no malformed"],
    [`tim ${digest.slice(1)}g`, "no malformed"],
    [`ti\0m ${digest}`, "no malformed"],
    [`tim ${digest}\n`, "no malformed"],
    [`${"x".repeat(256)} ${digest}`, "no malformed"],
  ];
  for (const [response, want] of rows) {
    it(`${JSON.stringify(response).slice(0, 60)} gives ${want}`, () => {
      assertEquals(play("CRAM-MD5", [response], world, start), [challenge, want]);
    });
  }

  it("takes a name with a blank in it", () => {
    const named = { passwords: new Map([["tim smith", tim]]) };
    assertEquals(play("CRAM-MD5", [`tim smith ${digest}`], named, start), [challenge, "ok tim smith"]);
  });
});

describe("every mechanism", () => {
  const mechanisms: readonly Mechanism[] = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
  const secret = parseScramSecret(
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  )!;
  const secrets = new Map([["user", secret]]);
  const word = fc.constantFrom(
    ..."\0 ,=nrpcyasv\r\n\x7f\xff",
    "n,,",
    "p=tls-server-end-point,,",
    "n=user",
    "r=x",
    "c=biws",
    "tim",
  );
  const response = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join("")),
    fc.uint8Array({ maxLength: 300 }).map((octets) => String.fromCharCode(...octets)),
  );

  for (const mechanism of mechanisms) {
    it(`${mechanism} neither throws nor lets in whoever says anything`, () => {
      const start = { ...beginning, endPoint: new Uint8Array(32), offersPlus: true };
      fc.assert(fc.property(fc.array(response, { minLength: 1, maxLength: 4 }), (responses) => {
        const heard = play(mechanism, responses, { passwords: new Map(), secrets }, start);
        assert(heard.every((said) => !said.startsWith("ok")), heard.join("; "));
      }));
    });

    it(`${mechanism} is over after a few responses, whatever they are`, () => {
      fc.assert(fc.property(fc.infiniteStream(response), (responses) => {
        let step = startMechanism(mechanism, beginning);
        for (let said = 0; step.kind === "challenge"; said++) {
          assert(said < 3);
          step = settle(step.resume(new TextEncoder().encode(responses.next().value)), world);
        }
      }));
    });
  }
});
