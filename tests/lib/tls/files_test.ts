import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dirname } from "@std/path";
import { homeAt } from "../../../config/home.ts";
import { chooseContext, type TlsContexts } from "../../../components/lib/tls/contexts.ts";
import { readTlsContexts } from "../../../components/lib/tls/files.ts";
import { tlsPaths } from "../../../components/lib/tls/paths.ts";
import { selfSignedCertificate } from "../../../scripts/home/self_signed.ts";
import { tempDir } from "../../support/temp_dir.ts";

const now = Date.now();

/** Reads the files below control. */
function read(files: Readonly<Record<string, string>>, ciphers = ""): TlsContexts | undefined | readonly string[] {
  using dir = tempDir();
  const home = homeAt(dir.path);
  Deno.mkdirSync(home.control(""));
  for (const [file, text] of Object.entries(files)) {
    Deno.mkdirSync(dirname(home.control(file)), { recursive: true });
    Deno.writeTextFileSync(home.control(file), text);
  }
  const contexts = readTlsContexts(home, ciphers, now);
  return contexts.ok ? contexts.value : contexts.error.map((line) => line.replaceAll(dir.path, ""));
}

function isContexts(value: unknown): value is TlsContexts {
  return typeof value === "object" && value !== null && "byName" in value;
}

const [a, b, w] = await Promise.all(
  [["a.example"], ["b.example"], ["*.w.example", "w.example"]].map((names) => selfSignedCertificate(names, now)),
) as [string, string, string];
const [cert, key] = a.split("-----BEGIN PRIVATE").map((part, index) =>
  index === 0 ? part : "-----BEGIN PRIVATE" + part
);

describe("readTlsContexts()", () => {
  it("offers no TLS where there is no servercert.pem", () => {
    assertEquals(read({}), undefined);
    assertEquals(read({ "clientca.pem": cert! }), undefined);
  });

  it("reads a certificate with its key in one file or in two", () => {
    for (const files of [{ "servercert.pem": a }, { "servercert.pem": cert!, "serverkey.pem": key! }]) {
      const contexts = read(files);
      assert(isContexts(contexts));
      assertEquals([contexts.default.certificate.leaf.subject, contexts.warnings], ["CN=a.example", []]);
    }
  });

  it("chooses a certificate by the name asked for, and the default one for whatever else", () => {
    const contexts = read({
      "servercert.pem": a,
      "servercerts/B.example/servercert.pem": b,
      "servercerts/*.w.example/servercert.pem": w,
      "servercerts/readme.txt": "not a folder",
    });
    assert(isContexts(contexts));
    assertEquals(contexts.warnings, []);
    const table: readonly (readonly [string, string])[] = [
      ["b.example", "CN=b.example"],
      ["B.EXAMPLE", "CN=b.example"],
      ["one.w.example", "CN=*.w.example"],
      ["w.example", "CN=a.example"],
      ["two.one.w.example", "CN=a.example"],
      ["*.w.example", "CN=*.w.example"],
      ["a.example", "CN=a.example"],
      ["c.example", "CN=a.example"],
      ...["", ".", ".w.example", "b.example\0", "a\\\0", "192.0.2.1", "x".repeat(255), "\ufffd.w", "../b.example"].map(
        (name) => [name, "CN=a.example"] as const,
      ),
      ...["__proto__", "constructor", "*"].map((name) => [name, "CN=a.example"] as const),
    ];
    for (const [name, want] of table) {
      assertEquals([name, chooseContext(contexts, name).certificate.leaf.subject], [name, want]);
    }
  });

  it("warns of a certificate that is not for its name, and of a folder without one", () => {
    const contexts = read({
      "servercert.pem": a,
      "servercerts/c.example/servercert.pem": b,
      "servercerts/d.example/notes": "",
    });
    assert(isContexts(contexts));
    assertEquals(contexts.warnings, [
      'control file "servercerts/c.example/servercert.pem": the certificate is not one for c.example',
      'control file "servercerts/d.example": there is no servercert.pem in it',
    ]);
  });

  it("uses an expired certificate, and warns of it", () => {
    using dir = tempDir();
    const home = homeAt(dir.path);
    Deno.mkdirSync(home.control(""));
    Deno.writeTextFileSync(home.control("servercert.pem"), a);
    const contexts = readTlsContexts(home, "", now + 11 * 365.25 * 86_400_000);
    assert(contexts.ok && contexts.value !== undefined);
    assertEquals(contexts.value.warnings.map((line) => line.replace(/on .*/, "")), [
      'control file "servercert.pem": expired ',
    ]);
  });

  it("names the file of each defect, and holds nothing of a key", () => {
    const otherKey = b.slice(b.indexOf("-----BEGIN PRIVATE"));
    const line = (file: string, what: string) => `Cannot read control file "${file}": ${what}`;
    const table: readonly { files: Record<string, string>; ciphers?: string; want: string[] }[] = [
      {
        files: { "servercert.pem": "" },
        want: [line("servercert.pem", "expected a certificate (a CERTIFICATE block), there is none")],
      },
      {
        files: { "servercert.pem": cert!, "serverkey.pem": otherKey },
        want: [line("servercert.pem", "expected the private key of the first certificate, got another one")],
      },
      {
        files: { "servercert.pem": a, "servercerts/b.example/servercert.pem": b.slice(0, 200), "clientca.pem": "x" },
        want: [
          line("clientca.pem", "expected at least one certificate, there is none"),
          line(
            "servercerts/b.example/servercert.pem",
            "expected the end of a CERTIFICATE block, got the end of the file",
          ),
        ],
      },
      {
        files: { "servercerts/b.example/servercert.pem": b },
        want: [
          line(
            "servercert.pem",
            "expected the certificate for clients that name no host beside servercerts, it is absent",
          ),
        ],
      },
      {
        files: { "servercert.pem": a },
        ciphers: "$",
        want: [line("tlsserverciphers", 'expected OpenSSL\'s names of ciphers with colons between them, got "$"')],
      },
    ];
    for (const { files, ciphers, want } of table) assertEquals(read(files, ciphers), want);
  });

  it("says so where a file cannot be read", () => {
    using dir = tempDir();
    const home = homeAt(dir.path);
    Deno.mkdirSync(home.control("servercert.pem"), { recursive: true });
    const read = readTlsContexts(home, "", now);
    assert(!read.ok);
    assertEquals(read.error.map((line) => line.slice(0, 42)), ['Cannot read control file "servercert.pem":']);
  });

  it("reads no other files than those it names", () => {
    const home = homeAt("/h");
    assertEquals(tlsPaths(home), [
      "/h/control/servercert.pem",
      "/h/control/serverkey.pem",
      "/h/control/clientca.pem",
      "/h/control/servercerts",
    ]);
  });
});
