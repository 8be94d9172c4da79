import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as values from "../../config/values.ts";

interface Table {
  readonly parser: string;
  readonly parse: values.Parse<unknown>;
  readonly takes: readonly (readonly [text: string, value: unknown])[];
  /** Texts, each with what the error says. */
  readonly refuses: readonly (readonly [text: string, error: string])[];
}

const aLine = "expected a line of text, got";
const aDomain = "expected a domain name, got";
const domainLines = "expected one domain name a line, got";
const virtual = "expected domain:prefix or user@domain:prefix, got";
const network = "expected one address or network a line, like 192.0.2.0/24, got";
const nameserver = "expected one address or address:port a line, got";
const listener =
  'expected "service address:port [proxy]" with a service of smtp, submission, submissions, lmtp, pop3, pop3s, qmtp, qmtps, qmqp, admin, or "lmtp unix:path", got';
const port = "expected a TCP port from 1 to 65535, got";
const label64 = "a".repeat(64);

const tables: readonly Table[] = [
  {
    parser: "parseLine()",
    parse: values.parseLine,
    takes: [["one line\n", "one line"], ["trailing \t\r\n", "trailing"], [" leading", " leading"], ["a\nb\n", "a"], [
      "#a\n",
      "#a",
    ]],
    refuses: [["", `${aLine} ""`], ["\nb\n", `${aLine} ""`], ["a\tb\n", 'expected printable text, got "a\\tb"']],
  },
  {
    parser: "parseLineOrNothing()",
    parse: values.parseLineOrNothing,
    takes: [["", ""], [" \nb\n", ""], ["a\n", "a"]],
    refuses: [["a\tb\n", 'expected printable text, got "a\\tb"']],
  },
  {
    parser: "parseInstructions()",
    parse: values.parseInstructions,
    takes: [
      ...[["./Maildir/\n", "./Maildir/\n"], ["#\n|a\n\n./b", "#\n|a\n\n./b"], ["./\u00e4/", "./\xc3\xa4/"]] as const,
      ["lmtp:/run/s\n", "lmtp:/run/s\n"],
    ],
    refuses: [
      ...["", "\n./Maildir/\n", " \t\n"].map((text) =>
        [text, 'expected instructions as in a .qmail file, no blank first line, got ""'] as const
      ),
      ["lmtp:s\n", 'expected lmtp:/absolute/path/of/socket as the only line, got "lmtp:s"'],
      ["./Maildir/\nlmtp:/s\n", 'expected lmtp:/absolute/path/of/socket as the only line, got "./Maildir/"'],
    ],
  },
  {
    parser: "parseDomain()",
    parse: values.parseDomain,
    takes: [["MX.Example.com\n", "mx.example.com"], ["localhost", "localhost"], ["a_b.example \n", "a_b.example"]],
    refuses: [
      ["", `${aDomain} ""`],
      [" a.example\n", `${aDomain} " a.example"`],
      ["a..example\n", `${aDomain} "a..example"`],
      ["a.example.\n", `${aDomain} "a.example."`],
      ["b\u00fccher.example\n", `${aDomain} "b\u00fccher.example"`],
      [`${label64}.example`, `${aDomain} "${label64}.example"`],
      ["a@b.example", `${aDomain} "a@b.example"`],
    ],
  },
  {
    parser: 'parseWholeNumber("folders", 1, 10_000)',
    parse: values.parseWholeNumber("folders", 1, 10_000),
    takes: [["1\n", 1], ["23\n", 23], ["10000\n", 10_000]],
    refuses: [
      ["0\n", 'expected a whole number of folders from 1 to 10000, got "0"'],
      ["10001\n", 'expected a whole number of folders from 1 to 10000, got "10001"'],
      ["23 folders\n", 'expected a whole number of folders from 1 to 10000, got "23 folders"'],
    ],
  },
  {
    parser: 'parseWholeNumber("bytes")',
    parse: values.parseWholeNumber("bytes"),
    takes: [["0\n", 0], ["10485760 \n", 10485760], ["007", 7]],
    refuses: [
      ["10MB\n", 'expected a whole number of bytes, got "10MB"'],
      ["", 'expected a whole number of bytes, got ""'],
      ["-1", 'expected a whole number of bytes, got "-1"'],
      ["1.5", 'expected a whole number of bytes, got "1.5"'],
      ["1e3", 'expected a whole number of bytes, got "1e3"'],
      ["1234567890123456", 'expected a whole number of bytes, got "1234567890123456"'],
    ],
  },
  {
    parser: 'parseWholeNumber("seconds", 1)',
    parse: values.parseWholeNumber("seconds", 1),
    takes: [["1", 1]],
    refuses: [["0\n", 'expected a whole number of seconds of at least 1, got "0"']],
  },
  {
    parser: "parsePort()",
    parse: values.parsePort,
    takes: [["25\n", 25], ["65535", 65535]],
    refuses: [["0", `${port} "0"`], ["65536", `${port} "65536"`], ["smtp", `${port} "smtp"`]],
  },
  {
    parser: "parseFlag()",
    parse: values.parseFlag,
    takes: [["1\n", true], ["0", false]],
    refuses: [["", 'expected 1 or 0, got ""'], ["yes", 'expected 1 or 0, got "yes"']],
  },
  {
    parser: 'parseOneOf("dsn", "qsbmf")',
    parse: values.parseOneOf("dsn", "qsbmf"),
    takes: [["dsn\n", "dsn"], ["qsbmf \nmore\n", "qsbmf"]],
    refuses: [
      ["", 'expected dsn or qsbmf, got ""'],
      ["DSN\n", 'expected dsn or qsbmf, got "DSN"'],
      ["dsn qsbmf", 'expected dsn or qsbmf, got "dsn qsbmf"'],
    ],
  },
  {
    parser: "parseDomains(false)",
    parse: values.parseDomains(false),
    takes: [["", []], ["# ours\nA.example\n\n  \nb.example", ["a.example", "b.example"]]],
    refuses: [[".a.example\n", `${domainLines} ".a.example"`], [
      "a.example b.example",
      `${domainLines} "a.example b.example"`,
    ]],
  },
  {
    parser: "parseDomains(true)",
    parse: values.parseDomains(true),
    takes: [[".A.example\nb.example\n", [".a.example", "b.example"]]],
    refuses: [["..a\n", `${domainLines} "..a"`], [".\n", `${domainLines} "."`]],
  },
  {
    parser: "parseVirtualDomains()",
    parse: values.parseVirtualDomains,
    takes: [
      ["A.example:joe\n", new Map([["a.example", "joe"]])],
      ["a.example:old\n#c\na.EXAMPLE:new\n", new Map([["a.example", "new"]])],
      ["Amy@a.example:Joe-x\n", new Map([["amy@a.example", "Joe-x"]])],
      [".a.example:\n:all\n", new Map([[".a.example", ""], ["", "all"]])],
      ["__proto__:joe\n", new Map([["__proto__", "joe"]])],
      ["j\u00f6@a.example:\u65e5\n", new Map([["j\xc3\xb6@a.example", "\xe6\x97\xa5"]])],
    ],
    refuses: [["a.example\n", `${virtual} "a.example"`], ["a b:joe", `${virtual} "a b:joe"`], [
      "x@a..b:joe",
      `${virtual} "x@a..b:joe"`,
    ]],
  },
  {
    parser: "parseNetworks()",
    parse: values.parseNetworks,
    takes: [["127.0.0.1\n10.0.0.0/8\n::1\n2001:db8::/32\n", ["127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"]]],
    refuses: [
      ["10.0.0.0/33\n", `${network} "10.0.0.0/33"`],
      ["10.0.0\n", `${network} "10.0.0"`],
      ["a.example\n", `${network} "a.example"`],
      ["0x7f.1\n", `${network} "0x7f.1"`],
    ],
  },
  {
    parser: "parseServers()",
    parse: values.parseServers(53),
    takes: [["127.0.0.1\n::1\n[::1]:5353\n", [
      { host: "127.0.0.1", port: 53 },
      { host: "::1", port: 53 },
      { host: "::1", port: 5353 },
    ]]],
    refuses: [["dns.example\n", `${nameserver} "dns.example"`], [
      "127.0.0.1:99999\n",
      `${nameserver} "127.0.0.1:99999"`,
    ]],
  },
  {
    parser: "parseListeners()",
    parse: values.parseListeners,
    takes: [
      ["smtp 127.0.0.1:0\nadmin\t[::1]:8025\n", [
        { service: "smtp", host: "127.0.0.1", port: 0 },
        { service: "admin", host: "::1", port: 8025 },
      ]],
      ["submission [::]:587 proxy\nsubmissions 192.0.2.1:465\nlmtp 127.0.0.1:24\n", [
        { service: "submission", host: "::", port: 587, proxy: true },
        { service: "submissions", host: "192.0.2.1", port: 465 },
        { service: "lmtp", host: "127.0.0.1", port: 24 },
      ]],
      ["lmtp unix:lmtp/s\nlmtp unix:/run/dqmail/lmtp\n", [
        { service: "lmtp", path: "lmtp/s" },
        { service: "lmtp", path: "/run/dqmail/lmtp" },
      ]],
      ["smtp 127.0.0.1:0\nsmtp 127.0.0.1:0\n", [
        { service: "smtp", host: "127.0.0.1", port: 0 },
        { service: "smtp", host: "127.0.0.1", port: 0 },
      ]],
    ],
    refuses: [
      ...[
        "smtp 127.0.0.1",
        "http 127.0.0.1:80",
        "smtp localhost:25",
        "smtp 127.0.0.1:25 tls",
        "smtp 127.0.0.1:25 proxy proxy",
        "smtp 127.0.0.1:25 PROXY",
        "admin 127.0.0.1:8025 proxy",
        "smtp ::1:25",
        "smtp 127.0.0.1:65536",
        "smtp",
        "SMTP 127.0.0.1:25",
        "smtp unix:/run/s",
        "lmtp unix:",
        "lmtp unix:s",
        "lmtp unix:../s",
        "lmtp unix:a/b/c",
        "lmtp unix:./s",
        "lmtp unix:/run/../s",
        "lmtp unix:/run/s,/etc/passwd",
        "lmtp unix:/run/s proxy",
        "lmtp /run/s",
      ].map((line) => [`${line}\n`, `${listener} ${JSON.stringify(line)}`] as const),
      [
        "smtp 127.0.0.1:25\nsubmission 127.0.0.1:25\n",
        'expected each address and path once, got "submission 127.0.0.1:25"',
      ],
      ["lmtp unix:/s\nlmtp unix:/s\n", 'expected each address and path once, got "lmtp unix:/s"'],
    ],
  },
];

for (const { parser, parse, takes, refuses } of tables) {
  describe(parser, () => {
    for (const [text, value] of takes) {
      it(`takes ${JSON.stringify(text)}`, () => assertEquals(parse(text) as unknown, { ok: true, value }));
    }
    for (const [text, error] of refuses) {
      it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assertEquals(parse(text), { ok: false, error }));
    }
    it("takes or refuses any text, and never throws", () => {
      const anyText = fc.string({
        unit: fc.constantFrom("a", ".", ":", "@", "\n", "#", "1", "[", "]", "/", " ", "\u00e9", "\0"),
      });
      fc.assert(fc.property(anyText, (text) => assert(typeof parse(text).ok === "boolean")));
    });
  });
}
