import { X509Certificate } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { describe, it } from "@std/testing/bdd";
import { type Home, homeAt } from "../../../config/home.ts";
import { readTlsContexts } from "../../../components/lib/tls/files.ts";
import { prepareCertificate } from "../../../scripts/home/certificate.ts";
import { preparingIds } from "../../../scripts/home/prepare.ts";
import { selfSignedCertificate } from "../../../scripts/home/self_signed.ts";
import { opensslIsInstalled, opensslNote } from "../../lib/tls/openssl.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const dayMs = 86_400_000;

function homeIn(dir: TempDir): Home {
  const home = homeAt(dir.path);
  Deno.mkdirSync(home.control(""));
  return home;
}

describe("selfSignedCertificate()", () => {
  it("makes a P-256 certificate for its names, valid from yesterday for ten years", async () => {
    const now = Date.parse("2026-05-04T03:02:01Z");
    const certificate = new X509Certificate(await selfSignedCertificate(["mx.example", "localhost"], now));
    assertEquals(certificate.subject, "CN=mx.example");
    assertEquals(certificate.subjectAltName, "DNS:mx.example, DNS:localhost");
    assertEquals(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assertEquals(Date.parse(certificate.validFrom), now - dayMs);
    assertEquals(Date.parse(certificate.validTo), now + (3652.5 - 1) * dayMs);
    assert(certificate.verify(certificate.publicKey) && !certificate.ca);
  });

  it("writes years from 2050 on as X.509 wants them", async () => {
    const certificate = new X509Certificate(await selfSignedCertificate(["a"], Date.parse("2045-01-02T00:00:00Z")));
    assertEquals(new Date(certificate.validTo).getUTCFullYear(), 2055);
  });

  it(`is found good by OpenSSL, each time anew${opensslNote}`, { ignore: !opensslIsInstalled }, async () => {
    using dir = tempDir();
    const serials = new Set<string>();
    // Numbers in DER differ in length by their first bits: some of these have each length.
    for (let count = 0; count < 20; count++) {
      const file = `${dir.path}/cert.pem`;
      Deno.writeTextFileSync(file, await selfSignedCertificate(["a.example"], Date.now()));
      const verify = new Deno.Command("openssl", { args: ["verify", "-x509_strict", "-CAfile", file, file] });
      const { stdout, stderr } = verify.outputSync();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert(said.includes(": OK") || said.includes("Missing Authority Key Identifier"), said);
      serials.add(new X509Certificate(Deno.readTextFileSync(file)).serialNumber);
    }
    assertEquals(serials.size, 20);
  });
});

describe("prepareCertificate()", () => {
  it("gives a new home a certificate that only qmail-smtpd's group may read", async () => {
    using dir = tempDir();
    const home = homeIn(dir);
    await prepareCertificate(home);
    const contexts = readTlsContexts(home, "", Date.now());
    assert(contexts.ok && contexts.value !== undefined);
    assertEquals(contexts.value.warnings, []);
    assertEquals(contexts.value.default.certificate.leaf.subjectAltName, "DNS:localhost");
    const info = Deno.statSync(home.control("servercert.pem"));
    assertEquals((info.mode ?? 0) & 0o777, 0o640);
    assertEquals([info.uid, info.gid], [Deno.uid(), preparingIds()?.qmaild.gid ?? Deno.gid()]);
  });

  it("leaves a certificate that is there as it is", async () => {
    using dir = tempDir();
    const home = homeIn(dir);
    Deno.writeTextFileSync(home.control("servercert.pem"), "mine\n");
    await prepareCertificate(home);
    assertEquals(Deno.readTextFileSync(home.control("servercert.pem")), "mine\n");
  });

  it("gives none to a home that has a name already", async () => {
    using dir = tempDir();
    const home = homeIn(dir);
    Deno.writeTextFileSync(home.control("me"), "mx.example\n");
    await prepareCertificate(home);
    assert(!existsSync(home.control("servercert.pem")));
  });
});
