import { createHash, X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseServerCertificate } from "../../../components/lib/tls/certificate.ts";
import { isTrusted, parseAuthorities, subjectLine } from "../../../components/lib/tls/client_certificate.ts";
import { convertKey, makeCertificate, opensslIsInstalled, opensslNote, type Wanted } from "./openssl.ts";

// The certificates below are made after this line.
const now = Date.now() + 60_000;
const dayMs = 86_400_000;
const rsa = ["rsa:2048"];
const curve = (name: string) => ["ec", "-pkeyopt", `ec_paramgen_curve:${name}`];

function parse(texts: readonly string[], nowMs = now): string | readonly string[] {
  const parsed = parseServerCertificate(texts, nowMs);
  return parsed.ok ? parsed.value.warnings : parsed.error;
}

describe(`parseServerCertificate()${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  const a = () => makeCertificate({ name: "a.example" });

  it("takes key and certificate in one file in either order, and in two", () => {
    const { cert, key } = a();
    assertEquals([parse([cert + key]), parse([key + cert]), parse([cert, key])], [[], [], []]);
  });

  it("takes the keys that the TLS library takes, in each of their forms", () => {
    const kinds = [rsa, curve("P-384"), curve("P-521"), ["ed25519"]];
    for (const newKey of kinds) {
      const { cert, key } = makeCertificate({ name: "k.example", newKey });
      assertEquals(parse([cert + key]), [], newKey.join(" "));
    }
    const one = makeCertificate({ name: "k.example", newKey: rsa });
    assertEquals(parse([one.cert, convertKey(one.key, ["rsa", "-traditional"])]), []);
    const other = a();
    assertEquals(parse([other.cert, convertKey(other.key, ["ec"])]), []);
  });

  it("refuses the keys that it does not take", () => {
    const wanted = "expected a key of RSA (2048 bits or more), P-256, P-384, P-521 or Ed25519, got ";
    const kinds: readonly (readonly [readonly string[], string])[] = [
      [["rsa:1024"], "rsa 1024"],
      [curve("secp256k1"), "ec secp256k1"],
      [["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa-pss 2048"],
    ];
    for (const [newKey, kind] of kinds) {
      const { cert, key } = makeCertificate({ name: "k.example", newKey });
      assertEquals(parse([cert + key]), wanted + kind);
    }
  });

  it("refuses a key that does not fit, is missing, encrypted or one of two", () => {
    const { cert, key } = a();
    const other = a();
    const encrypted = convertKey(key, ["pkcs8", "-topk8", "-passout", "pass:secret"]);
    assertEquals(parse([cert, other.key]), "expected the private key of the first certificate, got another one");
    assertEquals(
      parse([other.cert + cert + key]),
      "expected the server's own certificate first, the private key fits number 2",
    );
    assertEquals(parse([cert]), "expected the certificate's private key (a PRIVATE KEY block), there is none");
    assertEquals(parse([cert, encrypted]), "expected a private key without a password, got an encrypted one");
    assertEquals(parse([cert + key + other.key]), "expected one private key, got 2");
    assertEquals(parse([key]), "expected a certificate (a CERTIFICATE block), there is none");
  });

  it("refuses malformed blocks and shows nothing of them", () => {
    const { cert, key } = a();
    const lines = key.split("\n");
    assertEquals(parse([cert, [lines[0], "!!!!", ...lines.slice(2)].join("\n")]), "the private key is malformed");
    assertEquals(parse([cert.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n"), key]), "certificate 1 of 1 is malformed");
    assertMatch(String(parse([cert.slice(0, 100)])), /^expected the end of a CERTIFICATE block/);
  });

  it("uses what has expired, is not valid yet, or expires soon, and says so", () => {
    const { cert, key } = makeCertificate({ name: "a.example", days: 30 });
    assertEquals(parse([cert + key]), []);
    assertMatch(String(parse([cert + key], now + 20 * dayMs)), /^expires on /);
    assertMatch(String(parse([cert + key], now + 31 * dayMs)), /^expired on /);
    assertMatch(String(parse([cert + key], now - 2 * dayMs)), /^is not valid before /);
  });

  it("keeps the chain as it is, and says where it is in no order", () => {
    const top = makeCertificate({ name: "top" });
    const middle = makeCertificate({ name: "middle", by: top, extensions: ["basicConstraints=critical,CA:TRUE"] });
    const own = makeCertificate({ name: "own.example", by: middle });
    const parsed = parseServerCertificate([own.cert + middle.cert + own.key], now);
    assert(parsed.ok);
    assertEquals([parsed.value.chain.match(/BEGIN/g)?.length, parsed.value.warnings], [2, []]);
    assertEquals(parse([own.cert + top.cert + middle.cert + own.key]), [
      "certificate 2 of 3 is not the issuer of the one before it",
      "certificate 3 of 3 is not the issuer of the one before it",
    ]);
  });

  it("computes tls-server-end-point with the hash of the certificate's signature, SHA-256 for the weak ones", () => {
    const pss = ["-sigopt", "rsa_padding_mode:pss"];
    const table: readonly (readonly [Omit<Wanted, "name">, string])[] = [
      [{ newKey: rsa, args: ["-md5"] }, "sha256"],
      [{ newKey: rsa, args: ["-sha1"] }, "sha256"],
      [{ newKey: rsa, args: ["-sha224"] }, "sha224"],
      [{ newKey: rsa, args: ["-sha256"] }, "sha256"],
      [{ newKey: rsa, args: ["-sha384"] }, "sha384"],
      [{ newKey: rsa, args: ["-sha512"] }, "sha512"],
      [{ newKey: rsa, args: ["-sha1", ...pss] }, "sha256"],
      [{ newKey: rsa, args: ["-sha256", ...pss] }, "sha256"],
      [{ newKey: rsa, args: ["-sha384", ...pss] }, "sha384"],
      [{ newKey: rsa, args: ["-sha512", ...pss] }, "sha512"],
      [{ args: ["-sha1"] }, "sha256"],
      [{ args: ["-sha384"] }, "sha384"],
      [{ args: ["-sha512"] }, "sha512"],
      [{ newKey: ["ed25519"] }, "sha512"],
    ];
    for (const [wanted, hash] of table) {
      const { cert, key } = makeCertificate({ name: "a.example", ...wanted });
      const parsed = parseServerCertificate([cert + key], now);
      assert(parsed.ok);
      const want = createHash(hash).update(new X509Certificate(cert).raw).digest("hex");
      assertEquals(parsed.value.endPoint.toHex(), want, JSON.stringify(wanted));
    }
  });
});

describe(`isTrusted()${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  const top = opensslIsInstalled ? makeCertificate({ name: "top" }) : { cert: "", key: "" };
  const client = (wanted: Partial<Wanted>) => makeCertificate({ name: "client", by: top, ...wanted }).cert;
  const trusts = (cert: string, authorities = top.cert, nowMs = now) => {
    const parsed = parseAuthorities(authorities);
    assert(parsed.ok);
    return isTrusted(new X509Certificate(cert), parsed.value, nowMs);
  };

  it("trusts what an authority has issued for clients, or for nothing in particular", () => {
    assert(trusts(client({})));
    assert(trusts(client({ extensions: ["extendedKeyUsage=clientAuth"] })));
    assert(trusts(client({ extensions: ["extendedKeyUsage=critical,serverAuth,clientAuth"] })));
    assert(trusts(client({ extensions: ["extendedKeyUsage=anyExtendedKeyUsage"] })));
  });

  it("trusts nobody else", () => {
    const namesake = makeCertificate({ name: "top" });
    const noAuthority = makeCertificate({ name: "top", extensions: ["basicConstraints=critical,CA:FALSE"] });
    assert(!trusts(client({ extensions: ["extendedKeyUsage=serverAuth"] })), "a server's");
    assert(!trusts(makeCertificate({ name: "client" }).cert), "a self-signed one");
    assert(!trusts(makeCertificate({ name: "client", by: namesake }).cert), "one of another authority of that name");
    assert(!trusts(makeCertificate({ name: "client", by: noAuthority }).cert, noAuthority.cert), "one of no authority");
    assert(!trusts(client({ days: 5 }), top.cert, now + 6 * dayMs), "an expired one");
    assert(!trusts(client({}), top.cert, now - dayMs), "one that is not valid yet");
  });

  it("takes one line of a subject, whatever is in it", () => {
    const cert = client({ args: ["-subj", "/O=Umlaut ü/CN=a\nCN=b\r\u0001"], name: "" });
    assertEquals(subjectLine(new X509Certificate(cert)).includes("\n"), false);
  });
});

describe("parseAuthorities()", () => {
  it("refuses a file without a certificate", () => {
    assertEquals(parseAuthorities("# none\n"), {
      ok: false,
      error: "expected at least one certificate, there is none",
    });
  });
});
