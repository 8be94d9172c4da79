import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseDomainips, parseOutgoingip, parseOwnAddresses } from "../../../components/lib/routing/local_addresses.ts";
import { maskPasswords } from "../../../components/lib/routing/route.ts";
import { parseAuthsenders, parseQmtproutes, parseSmtproutes } from "../../../components/lib/routing/routes_files.ts";
import type { Parse } from "../../../config/values.ts";

interface Table {
  readonly parser: string;
  readonly parse: Parse<unknown>;
  readonly takes: readonly (readonly [text: string, value: unknown])[];
  /** Texts, each with what the error says. */
  readonly refuses: readonly (readonly [text: string, error: string])[];
}

function wish(level: string, more: Record<string, unknown> = {}) {
  return { level, implicit: false, names: [], fingerprints: [], isDefault: false, ...more };
}

const usual = "expected domain:relay or domain:relay:port, got";
const relay = { host: "relay.example", port: 587 };
const amy = { user: "amy", password: "secret" };
const digest = "ab".repeat(32);

const tables: readonly Table[] = [
  {
    parser: "parseSmtproutes()",
    parse: parseSmtproutes,
    takes: [
      ["A.example:Relay.example\n", new Map([["a.example", { host: "relay.example", port: 25 }]])],
      [":[2001:DB8::1]:2525\n", new Map([["", { host: "2001:db8::1", port: 2525 }]])],
      ["a.example:2001:db8::1\n", new Map([["a.example", { host: "2001:db8::1", port: 25 }]])],
      [
        ".a.example:192.0.2.1:26\nb.a.example:\n",
        new Map<string, unknown>([[".a.example", { host: "192.0.2.1", port: 26 }], ["b.a.example", undefined]]),
      ],
      ["*.a.example:r\n*:s\n", new Map([[".a.example", { host: "r", port: 25 }], ["", { host: "s", port: 25 }]])],
      ["[192.0.2.9]:r\n", new Map([["[192.0.2.9]", { host: "r", port: 25 }]])],
      ["__proto__:r\n", new Map([["__proto__", { host: "r", port: 25 }]])],
      ["!@:bounces.example;26\n", new Map([["!@", { host: "bounces.example", port: 26 }]])],
      [
        "a.example:relay.example;587|amy|secret\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("encrypt"),
          login: amy,
        }]]),
      ],
      [
        "a.example:relay.example|amy|a b|c:d\n",
        new Map([["a.example", {
          host: "relay.example",
          port: 25,
          tls: wish("encrypt"),
          login: { user: "amy", password: "a b|c:d" },
        }]]),
      ],
      [
        "a.example:relay.example:587 amy secret\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("encrypt"),
          login: amy,
        }]]),
      ],
      [
        "a.example:relay.example:587 tls=verify amy tls=may\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("verify"),
          login: { user: "amy", password: "tls=may" },
        }]]),
      ],
      [
        "a.example:relay.example:587 amy secret tls=may\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("may"),
          login: amy,
        }]]),
      ],
      [
        "a.example:relay.example;587 tls=none|amy|secret\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("none"),
          login: amy,
        }]]),
      ],
      ["a.example:127.0.0.1:26 amy secret\n", new Map([["a.example", { host: "127.0.0.1", port: 26, login: amy }]])],
      [
        "a.example:r j\u00f6 \u65e5\n",
        new Map([["a.example", {
          host: "r",
          port: 25,
          tls: wish("encrypt"),
          login: { user: "j\xc3\xb6", password: "\xe6\x97\xa5" },
        }]]),
      ],
      [
        "a.example:relay.example:465\n",
        new Map([["a.example", {
          host: "relay.example",
          port: 465,
          tls: wish("encrypt", { implicit: true }),
        }]]),
      ],
      [
        "a.example:relay.example:587 tls=verify implicit\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("verify", { implicit: true }),
        }]]),
      ],
      [
        "a.example:relay.example:587 name=*.relay.example\n",
        new Map([["a.example", {
          ...relay,
          tls: wish("verify", { names: ["*.relay.example"] }),
        }]]),
      ],
      [
        `a.example:relay.example:587 fingerprint=${digest}\n`,
        new Map([["a.example", {
          ...relay,
          tls: wish("verify", { fingerprints: [digest] }),
        }]]),
      ],
      ["a.example:mail protocol=lmtp\n", new Map([["a.example", { host: "mail", port: 24, protocol: "lmtp" }]])],
      ["a.example:mail protocol=qmtp\n", new Map([["a.example", { host: "mail", port: 209, protocol: "qmtp" }]])],
    ],
    refuses: [
      ["a.example\n", `${usual} "a.example"`],
      ["a.example:relay:port\n", `${usual} "a.example:relay:port"`],
      ["a.example:relay:65536\n", `${usual} "a.example:relay:65536"`],
      ["a.example:relay:0\n", `${usual} "a.example:relay:0"`],
      ["a b:relay\n", `${usual} "a b:relay"`],
      ["a.example:[relay]\n", `${usual} "a.example:[relay]"`],
      ["[relay]:r\n", `${usual} "[relay]:r"`],
      ["!:r\n", `${usual} "!:r"`],
      ["a.example:re lay\n", 'expected a user and a password, or neither, behind "re"'],
      ["a.example:r amy secret more\n", 'expected a user and a password, or neither, behind "r"'],
      ["a.example:r|amy\n", 'expected a user and a password, or neither, behind "r"'],
      ["a.example:r amy|bob|secret\n", 'expected a user and a password, or neither, behind "r"'],
      ["a b:r amy secret\n", `${usual} "a b:r (password) (password)"`],
      ["a:r protocol=qmtp tls=verify\n", 'expected "implicit" for TLS with qmtp, behind "r"'],
      ["a b:r|amy|secret\n", `${usual} "a b:r|amy|(password)"`],
      ["a.example:r protocol=uucp\n", 'expected protocol=smtp, lmtp or qmtp, got "uucp"'],
      ["a.example:r|amy|secret\nb.example:r protocol=qmtp amy secret", 'expected no user for qmtp, behind "r"'],
    ],
  },
  {
    parser: "parseQmtproutes()",
    parse: parseQmtproutes,
    takes: [
      ["a.example:r\n", new Map([["a.example", { host: "r", port: 209, protocol: "qmtp" }]])],
      [
        ":192.0.2.1:6209\n",
        new Map([["", {
          host: "192.0.2.1",
          port: 6209,
          protocol: "qmtp",
          tls: wish("encrypt", { implicit: true }),
        }]]),
      ],
    ],
    refuses: [["!@:r\n", `${usual} "!@:r"`]],
  },
  {
    parser: "parseAuthsenders()",
    parse: parseAuthsenders,
    takes: [
      [
        "Amy@A.example:relay.example;587|amy|secret\n@b.example:r\n",
        new Map<string, unknown>([
          ["amy@a.example", { ...relay, tls: wish("encrypt"), login: amy }],
          ["@b.example", { host: "r", port: 25 }],
        ]),
      ],
    ],
    refuses: [
      ...["a.example:r|amy|secret\n", "a@b c:r|amy|secret\n"].map((text) =>
        [
          text,
          `expected sender@domain:relay;port|user|password or @domain:…, got ${
            JSON.stringify(text.trimEnd().replace("secret", "(password)"))
          }`,
        ] as const
      ),
      [
        "a@b.example:|amy|secret\n",
        'expected a relay as host or host:port, got ""',
      ],
    ],
  },
  {
    parser: "parseOutgoingip()",
    parse: parseOutgoingip,
    takes: [["192.0.2.1\n", ["192.0.2.1"]], ["2001:db8::1\n192.0.2.1\n", ["2001:db8::1", "192.0.2.1"]], [
      "0.0.0.0\n::\n",
      [],
    ]],
    refuses: [
      ["a.example\n", 'expected one address a line, got "a.example"'],
      ["192.0.2.1\n192.0.2.2\n", "expected one IPv4 and one IPv6 address at the most"],
    ],
  },
  {
    parser: "parseOwnAddresses()",
    parse: parseOwnAddresses,
    takes: [["", []], ["192.0.2.1\n2001:DB8:0::1\n::ffff:192.0.2.2\n", ["192.0.2.1", "2001:db8::1", "192.0.2.2"]]],
    refuses: [["192.0.2.0/24\n", 'expected one address a line, got "192.0.2.0/24"']],
  },
  {
    parser: "parseDomainips()",
    parse: parseDomainips,
    takes: [
      ["A.example:192.0.2.1\n", new Map([["a.example", { addresses: ["192.0.2.1"], helo: undefined }]])],
      [
        "a.example:192.0.2.1%eth0|Mx.a.example\n",
        new Map([["a.example", {
          addresses: ["192.0.2.1"],
          helo: "mx.a.example",
        }]]),
      ],
      [
        "a.example:2001:db8::1|mx.a.example\na.example:192.0.2.1\n",
        new Map([["a.example", {
          addresses: ["2001:db8::1", "192.0.2.1"],
          helo: "mx.a.example",
        }]]),
      ],
      ["*:|mx.example\n", new Map([["", { addresses: [], helo: "mx.example" }]])],
    ],
    refuses: [
      ["a.example\n", 'expected domain:ip or domain:ip|helo, got "a.example"'],
      ["a.example:\n", 'expected domain:ip or domain:ip|helo, got "a.example:"'],
      ["a.example:b.example\n", 'expected domain:ip or domain:ip|helo, got "a.example:b.example"'],
      ["a.example:192.0.2.1|a b\n", 'expected domain:ip or domain:ip|helo, got "a.example:192.0.2.1|a b"'],
      [
        "a.example:192.0.2.1\na.example:192.0.2.2\n",
        'expected one IPv4 and one IPv6 address of a domain at the most, got "a.example:192.0.2.2"',
      ],
    ],
  },
];

for (const { parser, parse, takes, refuses } of tables) {
  describe(parser, () => {
    for (const [text, value] of takes) {
      it(`takes ${JSON.stringify(text)}`, () => assertEquals(parse(text), { ok: true, value }));
    }
    for (const [text, error] of refuses) {
      it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parse(text), { ok: false, error }));
    }
    it("tells no password, whatever is wrong behind it", () => {
      const line = fc.tuple(
        fc.constantFrom("a.example", "a b", "", "@a.example", "!@", "amy@a.example"),
        fc.constantFrom(":r", ":r;25", ":re lay", ":", "", ":r:99999", ":r tls=no"),
        fc.constantFrom("|amy|(S3CRET)", " amy (S3CRET)", " amy (S3CRET) tls=x", " amy (S3CRET) (S3CRET)"),
      );
      fc.assert(fc.property(line, (parts) => {
        const text = parts.join("");
        if (!["parseOutgoingip()", "parseOwnAddresses()", "parseDomainips()"].includes(parser)) {
          assert(!JSON.stringify(parse(text)).replace(/"password":"[^"]*"/, "").includes("S3CRET") || parse(text).ok);
        }
        assert(!maskPasswords(text).includes("S3CRET"), maskPasswords(text));
      }));
    });
    it("throws at no text", () => {
      fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert(typeof parse(text).ok === "boolean")));
    });
  });
}

describe("maskPasswords()", () => {
  const rows = [
    ["a.example:r:25\n#r|amy|secret\n:r|amy|secret\n", "a.example:r:25\n#r|amy|(password)\n:r|amy|(password)\n"],
    ["a:r tls=may amy secret protocol=lmtp", "a:r tls=may amy (password) protocol=lmtp"],
    ["a:r amy tls=none name=x", "a:r amy (password) name=x"],
  ] as const;
  for (const [text, want] of rows) it(`shows ${JSON.stringify(want)}`, () => assertEquals(maskPasswords(text), want));
});
