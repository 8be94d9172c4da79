import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { checkSignatures, mostSignatures, withCrlf } from "../../../components/lib/mailauth/dkim.ts";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { ed25519Key, rsaKey, sealArc, sign, type SignOptions } from "./signer.ts";
import { lookupsIn, resolverOf, type Zone } from "./zone.ts";

const now = Date.UTC(2026, 10, 23);
const seconds = now / 1000;
const message = [
  "From: Amy <amy@example.org>",
  "To: bob@example.net",
  "Subject:  hello,",
  "\tdear   Bob ",
  "Date: Mon, 23 Nov 2026 03:00:00 +0000",
  "",
  "Hello,  ",
  "",
  "  see you\u00e9 . ",
  "",
  "",
  "",
].join("\n");
const rsa = rsaKey();
const ed25519 = ed25519Key();
const zone: Zone = {
  "s._domainkey.example.org TXT": [rsa.record],
  "e._domainkey.example.org TXT": [ed25519.record],
  "s._domainkey.example.com TXT": [rsa.record],
  "s._domainkey.org TXT": [rsa.record],
  "s._domainkey.sub.example.org TXT": [rsa.record],
  "silent._domainkey.example.org TXT": "silent",
  "revoked._domainkey.example.org TXT": ["v=DKIM1; k=rsa; p="],
  "broken._domainkey.example.org TXT": ["v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"],
  "large._domainkey.example.org TXT": [`v=DKIM1; k=rsa; p=${"A".repeat(65_000)}`],
  "short._domainkey.example.org TXT": [`v=DKIM1; k=ed25519; p=${btoa("x".repeat(31))}`],
  "long._domainkey.example.org TXT": [`v=DKIM1; k=ed25519; p=${btoa("x".repeat(33))}`],
  "strict._domainkey.example.org TXT": [`${rsa.record}; t=s`],
  "sha1._domainkey.example.org TXT": [`${rsa.record}; h=sha1`],
  "web._domainkey.example.org TXT": [`${rsa.record}; s=web`],
};

function check(text: string, lookups = lookupsIn(zone)) {
  return checkSignatures(toOctets(text), lookups, now);
}

async function resultsOf(text: string): Promise<readonly string[]> {
  return (await check(text)).signatures.map(({ result }) => result);
}

/** DER of an RSAPublicKey (RFC 8017 A.1.1). */
function rsaPublicKey(modulus: readonly number[], exponent: readonly number[]): readonly number[] {
  const lengthOf = ({ length }: readonly number[]) => {
    const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
    return length < 128 ? [length] : long;
  };
  const integer = (octets: readonly number[]) => [2, ...lengthOf(octets), ...octets];
  const integers = [...integer([0, ...modulus]), ...integer(exponent)];
  return [0x30, ...lengthOf(integers), ...integers];
}

interface Row extends SignOptions {
  readonly claim: string;
  readonly want: string;
}

const rows: readonly Row[] = [
  { claim: "as it was made", want: "pass" },
  { claim: "of a subdomain in i=", tags: { i: "amy@sub.example.org" }, want: "pass" },
  { claim: "that ends later", tags: { t: `${seconds - 60}`, x: `${seconds + 60}` }, want: "pass" },
  { claim: "with an unknown tag", tags: { zz: "1" }, want: "pass" },
  { claim: "with l=, whole body", tags: { l: "30" }, want: "policy" },
  { claim: "with l=0", tags: { l: "0" }, want: "policy" },
  { claim: "with l= longer than the body", tags: { l: "99999" }, want: "policy" },
  { claim: "with an l= beyond numbers", tags: { l: "9".repeat(77) }, want: "neutral" },
  { claim: "that has ended", tags: { t: `${seconds - 120}`, x: `${seconds - 60}` }, want: "neutral" },
  { claim: "that ended before it began", tags: { t: `${seconds - 60}`, x: `${seconds - 120}` }, want: "neutral" },
  { claim: "of tomorrow", tags: { t: `${seconds + 86_400}` }, want: "policy" },
  { claim: "of a clock a little ahead", tags: { t: `${seconds + 300}` }, want: "pass" },
  { claim: "that leaves From out", fields: ["to", "subject"], want: "neutral" },
  { claim: "of a top level domain", domain: "org", want: "neutral" },
  { claim: "with i= of another domain", tags: { i: "amy@example.com" }, want: "neutral" },
  { claim: "with i= of a domain that only ends alike", tags: { i: "amy@badexample.org" }, want: "neutral" },
  {
    claim: "with i= below where the key says t=s",
    selector: "strict",
    tags: { i: "a@sub.example.org" },
    want: "neutral",
  },
  { claim: "without v=", tags: { v: undefined }, want: "neutral" },
  { claim: "of version 2", tags: { v: "2" }, want: "neutral" },
  { claim: "without h=", tags: { h: undefined }, want: "neutral" },
  { claim: "of an unknown algorithm", tags: { a: "rsa-md5" }, want: "neutral" },
  { claim: "with rsa-sha1", tags: { a: "rsa-sha1" }, want: "fail" },
  { claim: "with a canonicalization of another name", tags: { c: "nofws/simple" }, want: "neutral" },
  { claim: "with a canonicalization of no name", tags: { c: "/" }, want: "neutral" },
  { claim: "that gives the key in another way", tags: { q: "http" }, want: "neutral" },
  { claim: "with another body's hash", tags: { bh: btoa("x".repeat(32)) }, want: "fail" },
  { claim: "whose key nobody has", selector: "none", want: "neutral" },
  { claim: "whose key the DNS does not tell now", selector: "silent", want: "temperror" },
  { claim: "whose key is revoked", selector: "revoked", want: "neutral" },
  { claim: "whose key is cut off", selector: "broken", want: "neutral" },
  { claim: "whose key is 64 kB", selector: "large", want: "neutral" },
  { claim: "whose key is for sha1 alone", selector: "sha1", want: "neutral" },
  { claim: "whose key is not for mail", selector: "web", want: "neutral" },
  { claim: "with more names in h= than are looked for", fields: ["from", ...Array(300).fill("x")], want: "neutral" },
];

describe("checkSignatures()", () => {
  for (const { claim, want, ...options } of rows) {
    it(`says ${want} of a signature ${claim}`, async () => {
      assertEquals(await resultsOf(sign(message, rsa, options)), [want]);
    });
  }

  it("passes Ed25519 beside RSA, and names what was signed with", async () => {
    const { signatures } = await check(sign(sign(message, rsa), ed25519, { selector: "e" }));
    assertEquals(signatures.map(({ result, domain, selector, algorithm }) => [result, domain, selector, algorithm]), [
      ["pass", "example.org", "e", "ed25519-sha256"],
      ["pass", "example.org", "s", "rsa-sha256"],
    ]);
  });

  for (const selector of ["short", "long"]) {
    it(`takes no Ed25519 key that is too ${selector}`, async () => {
      assertEquals(await resultsOf(sign(message, ed25519, { selector })), ["neutral"]);
    });
  }

  for (const [bits, want] of [[512, "policy"], [1024, "pass"], [3072, "pass"]] as const) {
    it(`says ${want} of a key of ${bits} bits`, async () => {
      const key = rsaKey(bits);
      const lookups = lookupsIn({ "s._domainkey.example.org TXT": [key.record] });
      assertEquals((await check(sign(message, key), lookups)).signatures[0]?.result, want);
    });
  }

  const bareKeys: readonly (readonly [claim: string, bits: number, exponent: readonly number[], want: string])[] = [
    ["an RSA key that might be one, and another's", 2048, [1, 0, 1], "fail"],
    ["an RSA key with the exponent 0", 2048, [0], "neutral"],
    ["an RSA key with the exponent 1", 2048, [1], "neutral"],
    ["an RSA key with the exponent 2", 2048, [2], "neutral"],
    ["an RSA key with an exponent of 2047 bits", 2048, Array(256).fill(0x7f), "neutral"],
    ["an RSA key of 16384 bits", 16_384, [1, 0, 1], "neutral"],
    ["an RSA key of 16384 bits with an exponent as wide", 16_384, Array(2048).fill(0x7f), "neutral"],
  ];
  for (const [claim, bits, exponent, want] of bareKeys) {
    it(`says ${want} of ${claim}`, async () => {
      const octets = String.fromCharCode(...rsaPublicKey(Array(bits / 8).fill(0xc3), exponent));
      const lookups = lookupsIn({ "s._domainkey.example.org TXT": [`v=DKIM1; p=${btoa(octets)}`] });
      assertEquals((await check(sign(message, rsa), lookups)).signatures[0]?.result, want);
    });
  }

  const spoilt: readonly (readonly [claim: string, spoil: (text: string) => string])[] = [
    ["another Subject", (text) => text.replace("hello", "hullo")],
    ["another body", (text) => text.replace("see you", "see me")],
    ["a line more", (text) => `${text}More\n`],
    ["a bare CR in the body", (text) => text.replace("Hello,", "Hello\r,")],
    ["another From in front of the one that was signed", (text) => text.replace("To:", "From: eve@evil.example\nTo:")],
    ["a signature of other octets", (text) => text.replace(/ b=..../, " b=AAAA")],
  ];
  for (const [claim, spoil] of spoilt) {
    it(`fails a message with ${claim}`, async () => {
      assertEquals(await resultsOf(spoil(sign(message, rsa))), ["fail"]);
    });
  }

  it("passes what relaxed canonicalization lets change", async () => {
    const text = sign(message, rsa).replace("Subject:  hello,\n\tdear", "SUBJECT: hello, dear").replace(
      /\n+$/,
      "\n\n\n\n\n",
    );
    assertEquals(await resultsOf(text), ["pass"]);
  });

  it("passes simple canonicalization, blank lines at the end or none, and no other change", async () => {
    const text = sign(message, rsa, { canonicalization: "simple" });
    assertEquals(await resultsOf(text), ["pass"]);
    assertEquals(await resultsOf(text.replace(/\n+$/, "\n\n\n\n\n\n")), ["pass"]);
    assertEquals(await resultsOf(text.replace(/\n+$/, "\n")), ["pass"]);
    assertEquals(await resultsOf(text.replace("Hello,  ", "Hello, ")), ["fail"]);
    assertEquals(await resultsOf(text.replace("Subject:  ", "Subject: ")), ["fail"]);
    const empty = message.slice(0, message.indexOf("\n\n") + 2);
    assertEquals(await resultsOf(sign(empty, rsa, { canonicalization: "simple" })), ["pass"]);
    assertEquals(await resultsOf(sign(empty, rsa)), ["pass"]);
  });

  it("has no result for a message without a signature", async () => {
    const { signatures, arc, headerFrom } = await check(message);
    assertEquals([signatures, arc.result, headerFrom], [[], "none", ["amy@example.org"]]);
  });

  it("looks at ten of a thousand signatures, and asks for no more keys", async () => {
    const field = (n: number) => sign(message, rsa, { selector: `n${n}` }).slice(0, -message.length);
    const fields = Array.from({ length: 20 }, (_, n) => field(n));
    const text = Array.from({ length: 1000 }, (_, n) => fields[n % fields.length]).join("") + message;
    const { resolve, asked } = resolverOf(zone);
    const lookups = new Lookups({ resolve, most: 100, signal: new AbortController().signal });
    const { signatures, passedOver } = await check(text, lookups);
    assertEquals([signatures.length, passedOver, asked.length], [
      mostSignatures,
      1000 - mostSignatures,
      mostSignatures,
    ]);
  });

  it("says of names that objects have nothing but that they are unknown (attack by __proto__)", async () => {
    const text = sign(message, rsa, { tags: { __proto__x: "1" } }).replace("__proto__x", "__proto__");
    assertEquals((await check(`constructor: x\n__proto__: y\n${text}`)).signatures.length, 1);
  });

  it("answers something for any octets", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "DKIM-Signature: ",
        "From: ",
        "v=1; ",
        "a=rsa-sha256; ",
        "d=example.org; ",
        "s=s; ",
        "h=from; ",
        "b=",
        "\n",
        "\n\n",
        "ARC-Seal: i=1; ",
        "\r",
        "(",
        '"',
        "<",
        ":",
        "@",
        "Content-Type: multipart/mixed; boundary=x",
      ),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 10 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        assert(Array.isArray((await check(pieces.join(""))).signatures));
      }),
      { numRuns: 200 },
    );
  });
});

describe("the chain of ARC", () => {
  const chain = (sets: number) => {
    let text = sign(message, rsa);
    for (let instance = 1; instance <= sets; instance++) text = sealArc(text, rsa, instance);
    return text;
  };
  const arcOf = async (text: string) => {
    const { result, instances } = (await check(text)).arc;
    return [result, instances];
  };

  it("passes with one set, and with three", async () => {
    assertEquals(await arcOf(chain(1)), ["pass", 1]);
    assertEquals(await arcOf(chain(3)), ["pass", 3]);
  });

  it("fails over a message that was changed, a set that is missing, and one that is there twice", async () => {
    assertEquals((await arcOf(chain(2).replace("see you", "see me")))[0], "fail");
    assertEquals((await arcOf(chain(2).replace(/ARC-Seal: i=1;.*\n/, "")))[0], "fail");
    assertEquals((await arcOf(chain(1).replace(/(ARC-Seal: i=1;.*\n)/, "$1$1")))[0], "fail");
    assertEquals((await arcOf(chain(2).replace("spf=pass smtp", "spf=fail smtp")))[0], "fail");
  });

  it("does not end anything with a hundred sets", async () => {
    const sets = Array.from(
      { length: 100 },
      (_, n) => `ARC-Seal: i=${n + 1}; a=rsa-sha256; cv=pass; d=d${n}.example; s=s; b=AAAA\n`,
    ).join("");
    assertEquals((await arcOf(sets + message))[0], "fail");
  });
});

describe("withCrlf()", () => {
  it("makes CRLF of each LF and leaves the rest", () => {
    for (const [input, want] of [["", ""], ["a", "a"], ["\n", "\r\n"], ["a\nb\r\n\n", "a\r\nb\r\r\n\r\n"]] as const) {
      assertEquals(fromOctets(withCrlf(toOctets(input))), want);
    }
  });
});
