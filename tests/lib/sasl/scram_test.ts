/** SCRAM-SHA-256 and -PLUS: RFC 7677's example, channel binding, and what is not accepted. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  deriveScramSecret,
  formatScramSecret,
  parseScramSecret,
  prepareText,
} from "../../../components/lib/sasl/scram_secret.ts";
import { parseClientFinal, parseClientFirst } from "../../../components/lib/sasl/scram_message.ts";
import { decodeBase64 } from "../../../components/lib/smtp/base64.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import { beginning, play } from "./play.ts";
import { ScramClient } from "./scram_client.ts";

const salt = decodeBase64("W22ZaJ0SNY7soEsUEjb6gQ==")!;
const pencil = await deriveScramSecret(toOctets("pencil"), salt, 4096);
const secrets = new Map([["user", pencil], ["a,b=c@d.example", pencil]]);
const world = { secrets };
const endPoint = Uint8Array.from({ length: 32 }, (_, at) => at * 7 & 255);
const overTls = { ...beginning, endPoint, offersPlus: true };
const plusHeader = "p=tls-server-end-point,,";

describe("SCRAM-SHA-256", () => {
  it("goes as in RFC 7677 §3", () => {
    const start = { ...beginning, nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" };
    const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const said = [
      "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    ];
    assertEquals(play("SCRAM-SHA-256", said, world, start), [
      `? r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      "ok user v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ]);
  });

  /** Plays a client through; answers what it was told at the end. */
  const through = (client: ScramClient, mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS", start = beginning): string =>
    play(mechanism, [client.first(), (challenge) => client.final(challenge)], world, start).at(-1)!;

  it("proves itself to a client that proves itself, over TLS too", () => {
    for (const start of [beginning, overTls]) {
      const client = new ScramClient("user", "pencil");
      assertEquals(through(client, "SCRAM-SHA-256", start), `ok user ${client.serverFinal}`);
    }
  });

  it("takes a client that could bind where nothing was offered, and one that names itself twice", () => {
    for (const gs2Header of ["y,,", "n,a=user,", "n,a=USER,"]) {
      const client = new ScramClient("user", "pencil", { gs2Header });
      assertEquals(through(client, "SCRAM-SHA-256"), `ok user ${client.serverFinal}`);
    }
  });

  it("reads =2C and =3D in a name", () => {
    const client = new ScramClient("a=2Cb=3Dc@d.example", "pencil");
    assertEquals(through(client, "SCRAM-SHA-256"), `ok a,b=c@d.example ${client.serverFinal}`);
  });

  it("tells a wrong password and an unknown name the same, after the same steps", () => {
    for (const [name, password] of [["user", "pencils"], ["nobody", "pencil"]] as const) {
      const client = new ScramClient(name, password);
      const heard = play("SCRAM-SHA-256", [client.first(), (challenge) => client.final(challenge)], world);
      assertEquals([heard.length, heard[0]!.startsWith("? r="), heard[1]], [2, true, "no credentials"]);
    }
  });

  it("lets nobody act as another", () => {
    assertEquals(
      through(new ScramClient("user", "pencil", { gs2Header: "n,a=other," }), "SCRAM-SHA-256"),
      "no credentials",
    );
  });

  it("refuses a client that was told of no channel binding, where it was offered: a downgrade", () => {
    const client = new ScramClient("user", "pencil", { gs2Header: "y,," });
    assertEquals(through(client, "SCRAM-SHA-256", overTls), "no credentials");
  });

  it("binds to the end point's certificate in -PLUS", () => {
    const client = new ScramClient("user", "pencil", { gs2Header: plusHeader, endPoint });
    assertEquals(through(client, "SCRAM-SHA-256-PLUS", overTls), `ok user ${client.serverFinal}`);
  });

  const unbound:
    readonly (readonly [why: string, gs2Header: string, endPoint: Uint8Array | undefined, want: string])[] = [
      ["another certificate", plusHeader, endPoint.map((octet) => octet ^ 1), "no credentials"],
      ["nothing", plusHeader, new Uint8Array(0), "no credentials"],
      ["more than the certificate", plusHeader, Uint8Array.from([...endPoint, 0]), "no credentials"],
      ["another type of binding", "p=tls-unique,,", endPoint, "no credentials"],
      ["no type of binding", "p=,,", endPoint, "no malformed"],
      ["no flag of a binding", "n,,", undefined, "no malformed"],
      ["the flag of a binding that is not offered", "y,,", undefined, "no malformed"],
    ];
  for (const [why, gs2Header, bound, want] of unbound) {
    it(`refuses ${why} in -PLUS`, () => {
      const client = new ScramClient("user", "pencil", {
        gs2Header,
        ...(bound === undefined ? {} : { endPoint: bound }),
      });
      assertEquals(through(client, "SCRAM-SHA-256-PLUS", overTls), want);
    });
  }

  it("refuses a binding outside of -PLUS, and -PLUS without one of its own", () => {
    const options = { gs2Header: plusHeader, endPoint };
    assertEquals(through(new ScramClient("user", "pencil", options), "SCRAM-SHA-256", overTls), "no malformed");
    assertEquals(through(new ScramClient("user", "pencil", options), "SCRAM-SHA-256-PLUS"), "no credentials");
  });

  const nonce = `abc${beginning.nonce}`;
  const proof = btoa("\0".repeat(32));
  const refused: readonly (readonly [first: string, final?: string])[] = [
    [""],
    ["n"],
    ["n,"],
    ["n,,"],
    ["n,,n=user"],
    ["n,,n=,r=abc"],
    ["n,,r=abc,n=user"],
    ["n,,n=user,r="],
    ["n,,n=user,r=a b"],
    ["n,,n=user,r=a\x80"],
    ["n,,n=us=er,r=abc"],
    ["n,,n=us=2cer,r=abc"],
    ["n,,n=us\0er,r=abc"],
    ["n,,n=us\ner,r=abc"],
    ["n,b=user,n=user,r=abc"],
    ["n,a=,n=user,r=abc"],
    ["n,,m=ext,n=user,r=abc"],
    ["n,,n=user,r=abc,ext"],
    ["n,,n=user,r=abc,=x"],
    ["x,,n=user,r=abc"],
    ["N,,n=user,r=abc"],
    [`n,,n=${"x".repeat(256)},r=abc`],
    [`n,,n=user,r=${"x".repeat(3000)}`],
    ["n,,n=user,r=abc", ""],
    ["n,,n=user,r=abc", "p="],
    ["n,,n=user,r=abc", `c=biws,r=${nonce}`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},p=`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},p=AAAA`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},p=${proof}=`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},p=${proof}\n`],
    ["n,,n=user,r=abc", `c=biws,r=abc,p=${proof}`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce}x,p=${proof}`],
    ["n,,n=user,r=abc", `r=${nonce},c=biws,p=${proof}`],
    ["n,,n=user,r=abc", `c=biw,r=${nonce},p=${proof}`],
    ["n,,n=user,r=abc", `c=,r=${nonce},p=${proof}`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},ext,p=${proof}`],
    ["n,,n=user,r=abc", `c=biws,r=${nonce},p=${proof},x=y`],
  ];
  for (const [first, final] of refused) {
    const shown = JSON.stringify(final ?? first).slice(0, 70);
    it(`${final === undefined ? "a first" : "a final"} message ${shown} is malformed`, () => {
      const heard = play("SCRAM-SHA-256", final === undefined ? [first] : [first, final], world);
      assertEquals(heard.at(-1), "no malformed");
      assertEquals(heard.length, final === undefined ? 1 : 2);
    });
  }

  it("refuses a final message that repeats another header than the first had", () => {
    const final = `c=${btoa("y,,")},r=${nonce},p=${proof}`;
    assertEquals(play("SCRAM-SHA-256", ["n,,n=user,r=abc", final], world).at(-1), "no credentials");
  });

  it("lets in for no change of one character in the final message", () => {
    const client = new ScramClient("user", "pencil");
    let final = "";
    play("SCRAM-SHA-256", [client.first(), (challenge) => final = client.final(challenge)], world);
    for (let at = 0; at < final.length; at++) {
      const other = final.slice(0, at) + (final[at] === "A" ? "B" : "A") + final.slice(at + 1);
      assert(play("SCRAM-SHA-256", [client.first(), other], world).at(-1)!.startsWith("no "), other);
    }
  });

  it("takes extensions that it does not know behind the nonce, and signs them", () => {
    assertEquals(parseClientFirst("n,,n=user,r=abc,x=yz")?.bare, "n=user,r=abc,x=yz");
    assertEquals(parseClientFinal(`c=biws,r=abc,x=yz,p=${proof}`)?.withoutProof, "c=biws,r=abc,x=yz");
  });
});

describe("a SCRAM secret", () => {
  // What Dovecot 2.3 wrote for "sesame".
  const dovecot =
    "{SCRAM-SHA-256}4096,87pE7kZmt62b/gJxmkd8pw==,iFmKxrBVQbQG5y5U3m6oHtyLaHPxLGKs1zDIhzlkunU=,5F0xEU4rF2YoPQM/XnBQSKRV3G90uc1dM9OkGeCWkwA=";

  it("is what Dovecot makes of the same password and salt, and is written as it writes it", async () => {
    const parsed = parseScramSecret(dovecot)!;
    const derived = await deriveScramSecret(toOctets("sesame"), parsed.salt, parsed.iterations);
    assertEquals(formatScramSecret(derived), dovecot);
    assertEquals(derived, parsed);
  });

  const [, iterations = "", saltText = "", stored = "", server = ""] = /\}(.*),(.*),(.*),(.*)/.exec(dovecot)!;
  const wrong = [
    "",
    dovecot.slice(15),
    dovecot.replace("256", "1"),
    `${dovecot},`,
    ...["0", "", "-1", "1e3", "04096", "100000000"].map((text) => dovecot.replace(iterations, text)),
    ...["", "%%%%", "AAA", "A".repeat(400)].map((text) => dovecot.replace(saltText, text)),
    ...[stored, server].flatMap((key) =>
      ["", "AAAA", key.slice(4), `${key}AAAA`].map((text) => dovecot.replace(key, text))
    ),
  ];
  for (const text of wrong) {
    it(`${JSON.stringify(text).slice(0, 60)}... is none`, () => assertEquals(parseScramSecret(text), undefined));
  }

  it("is read again as it was written, and no text makes the reader throw", () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const any = fc.record({
      salt: fc.uint8Array({ minLength: 1, maxLength: 255 }),
      iterations: fc.integer({ min: 1, max: 10_000_000 }),
      storedKey: key,
      serverKey: key,
    }, { noNullPrototype: true });
    fc.assert(fc.property(any, (one) => assertEquals(parseScramSecret(formatScramSecret(one)), one)));
    fc.assert(fc.property(fc.string(), (text) => assertEquals(parseScramSecret(`{SCRAM-SHA-256}${text}`), undefined)));
  });
});

describe("prepareText()", () => {
  // RFC 4013 §3.
  const rows = [["I\u00adX", "IX"], ["user", "user"], ["USER", "USER"], ["\u00aa", "a"], ["\u2168", "IX"], [
    "e\u0301",
    "\u00e9",
  ], ["a\u00a0b\u3000c", "a b c"]] as const;
  for (const [text, want] of rows) {
    it(`${JSON.stringify(text)} becomes ${JSON.stringify(want)}`, () => assertEquals(prepareText(text), want));
  }
});
