import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseCiphers } from "../../../components/lib/tls/ciphers.ts";

const [aes256, aes128, chacha] = ["AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305"];

describe("parseCiphers()", () => {
  const table: readonly { text: string; rsa?: boolean; want: { tls12: boolean; more?: string[] } | string }[] = [
    { text: "DEFAULT", want: { tls12: true } },
    { text: "HIGH:!aNULL:!MD5", want: { tls12: true } },
    { text: "ALL:!ADH:!LOW:!SSLv2:!EXP:+HIGH:+MEDIUM", want: { tls12: true } },
    { text: "@SECLEVEL=2:HIGH", want: { tls12: true } },
    { text: "ECDHE+AESGCM", want: { tls12: true, more: [chacha!] } },
    { text: "ECDHE-ECDSA-AES256-GCM-SHA384", want: { tls12: true, more: [aes128!, chacha!] } },
    { text: "ECDHE-ECDSA-AES256-GCM-SHA384", rsa: true, want: { tls12: false } },
    { text: "HIGH:-AES128", rsa: true, want: { tls12: true, more: [aes128!] } },
    { text: "HIGH:!AES:AES", want: { tls12: true, more: [aes256!, aes128!] } },
    { text: "HIGH:-AES:AES", want: { tls12: true } },
    { text: "DHE-RSA-AES256-SHA:AES256-SHA", want: { tls12: false } },
    { text: "HIGH:!ECDHE", want: { tls12: false } },
    { text: "high aesgcm", want: { tls12: true } },
    { text: ":", want: 'expected OpenSSL\'s names of ciphers with colons between them, got ":"' },
    { text: "HIGH:${x}", want: 'expected OpenSSL\'s names of ciphers with colons between them, got "${x}"' },
  ];
  for (const { text, rsa = false, want } of table) {
    it(`reads ${JSON.stringify(text)} for ${rsa ? "an RSA" : "an ECDSA"} key`, () => {
      const key = rsa ? "RSA" : "ECDSA";
      const read = parseCiphers(text, key);
      const wanted = typeof want === "string"
        ? want
        : { tls12: want.tls12, notForbidden: (want.more ?? []).map((suite) => `ECDHE-${key}-${suite}`) };
      assertEquals(read.ok ? read.value : read.error, wanted);
    });
  }
});
