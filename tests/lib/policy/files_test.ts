import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Parse } from "../../../config/values.ts";
import { parseDnsLists } from "../../../components/lib/policy/dns_lists_file.ts";
import { parseMorercpthosts } from "../../../components/lib/policy/morercpthosts_file.ts";
import { parsePolicyOrder, ruleNames } from "../../../components/lib/policy/order_file.ts";
import { parsePatternList } from "../../../components/lib/policy/pattern_list.ts";
import { parseRateLimits } from "../../../components/lib/policy/rate_limits_file.ts";
import { parseSenderLogins } from "../../../components/lib/policy/senderlogins_file.ts";

interface Table {
  readonly parser: string;
  readonly parse: Parse<unknown>;
  readonly takes: readonly (readonly [text: string, value: unknown])[];
  /** Texts, and a part of what the error says. */
  readonly refuses: readonly (readonly [text: string, error: string])[];
}

const smtp = { entrances: ["smtp"], permanent: false, text: undefined };

const tables: readonly Table[] = [
  {
    parser: "parsePolicyOrder()",
    parse: parsePolicyOrder,
    takes: [
      ["relay\n", ["relay"]],
      ["# order\n\nmailbox \nrelay\t\r\n", ["mailbox", "relay"]],
      ["relay\n-dnsbl\nmailbox\n", ["relay", "mailbox"]],
      [ruleNames.join("\n"), ruleNames],
    ],
    refuses: [
      ["", 'expected a line "relay"'],
      ["mailbox\n", 'expected a line "relay"'],
      ["-relay\n", 'expected a line "relay"'],
      ["relay\nRelay\n", 'got "Relay"'],
      ["relay\nmailbox\n-mailbox\n", 'got "mailbox" again'],
      ["relay\n__proto__\n", 'got "__proto__"'],
      ["relay\n--dnsbl\n", 'got "--dnsbl"'],
      ["relay mailbox\n", 'got "relay mailbox"'],
      ["user1@a.example:user2@b.example\n", "expected one rule a line"],
    ],
  },
  {
    parser: "parseDnsLists()",
    parse: parseDnsLists,
    takes: [
      ["", []],
      ["BL.example\n", [{ ...smtp, zone: "bl.example" }]],
      ["-bl.example\n", [{ ...smtp, zone: "bl.example", permanent: true }]],
      ["bl.example smtp,submission|see %IP%\n", [
        { zone: "bl.example", entrances: ["smtp", "submission"], permanent: false, text: "see %IP%" },
      ]],
      ["bl.example | a | b\n", [{ ...smtp, zone: "bl.example", text: "a | b" }]],
    ],
    refuses: [
      ["bl example smtp\n", "expected [-]zone"],
      ["bl.example pop3\n", 'got "bl.example pop3"'],
      ["bl..example\n", "expected [-]zone"],
      ["bl.example|\n", "expected [-]zone"],
      ["bl.example|b\u00f6se\n", "expected [-]zone"],
      [`bl.example|${"x".repeat(301)}\n`, "expected [-]zone"],
      ["+bl.example\n", "expected [-]zone"],
    ],
  },
  {
    parser: "parseRateLimits()",
    parse: parseRateLimits,
    takes: [
      ["client 100/h\n", [{ who: "client", what: "messages", limit: 100, perSeconds: 3600 }]],
      ["login 0/10m recipients", [{ who: "login", what: "recipients", limit: 0, perSeconds: 600 }]],
      ["client\t5/s connections", [{ who: "client", what: "connections", limit: 5, perSeconds: 1 }]],
      ["sender 50/7d", [{ who: "sender", what: "messages", limit: 50, perSeconds: 604_800 }]],
    ],
    refuses: [
      ...["client 100", "client -1/h", "client 1/0h", "client 1/8d", "login 1/h connections", "amy 1/h", "client 1/h x"]
        .map((line) => [line, `got ${JSON.stringify(line)}`] as const),
    ],
  },
  {
    parser: "parseSenderLogins()",
    parse: parseSenderLogins,
    takes: [
      [
        "Amy@Example.org:sales@example.org\namy@example.org:@lists.example\n",
        new Map([
          ["amy@example.org", new Set(["sales@example.org", "@lists.example"])],
        ]),
      ],
      ["__proto__:*\n", new Map([["__proto__", new Set(["*"])]])],
      ["a:b:c@example.org\n", new Map([["a:b", new Set(["c@example.org"])]])],
      ["\u00e4:*\n", new Map([["\xc3\xa4", new Set(["*"])]])],
    ],
    refuses: [
      ["amy\n", "expected login:address"],
      [":@a.example\n", "expected login:address"],
      ["amy:sales\n", "expected login:address"],
      ["amy:@\n", "expected login:address"],
      ["amy:\n", "expected login:address"],
    ],
  },
  {
    parser: "parsePatternList()",
    parse: parsePatternList,
    takes: [],
    refuses: [
      ["~*.dynamic.example\n", "no ~ in front"],
      ["@example.org=\n", "no - or = at the end"],
      ["@example.org-\n", "no - or = at the end"],
      ["^.*@example\\.org$\n", "no regular expression"],
      ["@example\\.org\n", "no regular expression"],
      [".*viagra.*\n", "no regular expression"],
      ["@\n", "expected an address"],
      ["!\n", "expected an address"],
      ["a[bc@example.org\n", "expected an address"],
      ["a\x01b\n", "printable"],
      [`${"*a".repeat(300)}\n`, "at most 512"],
    ],
  },
  {
    parser: "parseMorercpthosts()",
    parse: parseMorercpthosts,
    takes: [],
    refuses: [["", "expected a cdb file, got 0 octets"], ["example.org\n", "expected a cdb file"]],
  },
];

for (const { parser, parse, takes, refuses } of tables) {
  describe(parser, () => {
    for (const [text, value] of takes) {
      it(`takes ${JSON.stringify(text.slice(0, 60))}`, () => assertEquals(parse(text), { ok: true, value }));
    }
    for (const [text, error] of refuses) {
      it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
        const parsed = parse(text);
        assert(!parsed.ok);
        assertStringIncludes(parsed.error, error);
      });
    }
    it("never throws", () => {
      fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        parse(text);
      }));
    });
  });
}
