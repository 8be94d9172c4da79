import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { pbkdf2Sync } from "node:crypto";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import type { Mechanism } from "../../components/lib/sasl/authenticator.ts";
import { cramDigest } from "../../components/lib/sasl/cram_md5.ts";
import { startMechanism } from "../../components/lib/sasl/mechanism.ts";
import { deriveScramSecret } from "../../components/lib/sasl/scram_secret.ts";
import type { MechanismStep } from "../../components/lib/sasl/step.ts";
import { decodeBase64 } from "../../components/lib/smtp/base64.ts";
import { type Login, type LoginStep, startLoginExchange } from "../../components/qmail-remote/login.ts";

const login: Login = { user: "amy", password: "pass word" };
const salt = toOctets("salt");

/** Answers an exchange's next step that says something, computing what it asks for. */
function spoken(step: LoginStep | undefined): Extract<LoginStep, { kind: "say" | "failed" }> {
  assert(step !== undefined);
  if (step.kind !== "derive") return step;
  const { password, salt, iterations, digest } = step.derive;
  const bytes = digest === "sha1" ? 20 : 32;
  return spoken(step.resume(new Uint8Array(pbkdf2Sync(password, salt, iterations, bytes, digest))));
}

/** Logs in at the server's side of the same mechanism; `known` is the password it has. */
async function logIn(mechanism: Mechanism, { user, password }: Login, known: string): Promise<string> {
  const secret = await deriveScramSecret(toOctets(known), salt, 4096);
  let client = spoken(startLoginExchange([mechanism], true, { user, password }, "clientnonce"));
  let server: MechanismStep = startMechanism(mechanism, { nonce: "servernonce", me: "mx.example", offersPlus: false });
  assert(client.kind === "say");
  const initial = client.line.split(" ")[2];
  let response = initial === undefined ? undefined : decodeBase64(initial);
  for (let turns = 0; turns < 10; turns++) {
    switch (server.kind) {
      case "challenge":
        if (response === undefined) {
          client = spoken(client.resume(server.challenge));
          if (client.kind === "failed") return client.why;
          response = decodeBase64(client.line);
        }
        server = server.resume(response!);
        response = undefined;
        break;
      case "password":
        assertEquals(server.login, user);
        server = server.resume(server.password === known ? "right" : "credentials");
        break;
      case "digest":
        assertEquals(server.login, user);
        server = server.resume(cramDigest(known, server.challenge) === server.digest ? "right" : "credentials");
        break;
      case "secret":
        assertEquals(server.login, user);
        server = server.resume({ secret, isReal: true });
        break;
      case "success":
        if (server.final !== undefined) client = spoken(client.resume(server.final));
        return client.kind === "say" ? `in, ${client.isProved ? "proved" : "unproved"}` : client.why;
      case "failure":
        return server.reason;
    }
  }
  throw new Error("no end");
}

describe("a route's login", () => {
  for (const mechanism of ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"] as const) {
    it(`gets in by ${mechanism} with the right password, and not with another`, async () => {
      assertEquals(await logIn(mechanism, login, login.password), "in, proved");
      assertEquals(await logIn(mechanism, login, "other"), "credentials");
    });

    it(`names any user and any password by ${mechanism}`, async () => {
      const text = fc.string({ unit: fc.constantFrom("a", "=", ",", "@", " ", "'", "%"), minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(text, text, async (user, password) => {
          assertEquals(await logIn(mechanism, { user, password }, password), "in, proved");
        }),
        { numRuns: 20 },
      );
    });
  }

  it("computes the proof of RFC 7677 §3, and knows the server by its own", () => {
    const nonce = "rOprNGfwEbeRWgbNEkqO";
    const user = { user: "user", password: "pencil" };
    const first = spoken(startLoginExchange(["SCRAM-SHA-256"], false, user, nonce));
    assert(first.kind === "say");
    assertEquals(first.line, `AUTH SCRAM-SHA-256 ${btoa(`n,,n=user,r=${nonce}`)}`);
    const joined = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
    const final = spoken(first.resume(toOctets(`r=${joined},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)));
    assert(final.kind === "say");
    const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    assertEquals(fromOctets(decodeBase64(final.line)!), `c=biws,r=${joined},p=${proof}`);
    assertEquals(final.isProved, false);
    const good = spoken(final.resume(toOctets("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    assertEquals(good.kind === "say" && good.isProved && good.line === "", true);
    assertEquals(spoken(final.resume(toOctets("v=AAAA"))), { kind: "failed", why: "unproved" });
  });

  it("computes the proof of RFC 5802 §5 for SHA-1", () => {
    const first = spoken(
      startLoginExchange(["SCRAM-SHA-1"], false, { user: "user", password: "pencil" }, "fyko+d2lbbFgONRv9qkxdawL"),
    );
    assert(first.kind === "say");
    const joined = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
    const final = spoken(first.resume(toOctets(`r=${joined},s=QSXCR+Q6sek8bf92,i=4096`)));
    assert(final.kind === "say");
    assertEquals(fromOctets(decodeBase64(final.line)!), `c=biws,r=${joined},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`);
  });

  const choices: readonly (readonly [string, boolean, string | undefined])[] = [
    ["LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", true, "SCRAM-SHA-256"],
    ["LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1", false, "SCRAM-SHA-1"],
    ["LOGIN PLAIN CRAM-MD5", true, "CRAM-MD5"],
    ["LOGIN PLAIN", true, "PLAIN"],
    ["LOGIN", true, "LOGIN"],
    ["LOGIN PLAIN", false, undefined],
    ["GSSAPI SCRAM-SHA-256-PLUS", true, undefined],
    ["", true, undefined],
  ];
  for (const [offered, isPrivate, want] of choices) {
    it(`chooses ${want ?? "nothing"} of "${offered}"${isPrivate ? "" : " where it may be overheard"}`, () => {
      const step = startLoginExchange(offered.split(" "), isPrivate, login, "n");
      assertEquals(step?.kind === "say" ? step.line.split(" ")[1] : undefined, want);
    });
  }

  const wrong = [
    "r=n1,s=AAAA,i=0",
    "r=n1,s=AAAA,i=1000001",
    "r=n1,s=,i=4096",
    "r=n1,s=A,i=4096",
    "r=n,s=AAAA,i=4096",
    "r=x1,s=AAAA,i=4096",
    "m=x,r=n1,s=AAAA,i=4096",
    "e=other-error",
    "",
  ];
  for (const message of wrong) {
    it(`does not follow a server into ${JSON.stringify(message)}`, () => {
      const first = spoken(startLoginExchange(["SCRAM-SHA-256"], true, login, "n"));
      assert(first.kind === "say");
      assertEquals(first.resume(toOctets(message)), { kind: "failed", why: "malformed" });
    });
  }
});
