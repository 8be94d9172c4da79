import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  defaultRules,
  defaultShaping,
  namedRules,
  parseShaping,
  type SiteRules,
} from "../../../components/lib/shaping/shaping_file.ts";

const parsed = (text: string) => {
  const shaping = parseShaping(text);
  assert(shaping.ok, shaping.ok ? "" : shaping.error);
  return shaping.value;
};

describe("parseShaping()", () => {
  it("takes an empty file, or comments alone, for the defaults", () => {
    assertEquals(parsed(""), defaultShaping);
    assertEquals(parsed("# nothing yet\n\n   \n"), defaultShaping);
  });

  const lines: readonly { readonly line: string; readonly want: Partial<SiteRules> }[] = [
    { line: "*: concurrency=20", want: { concurrency: 20 } },
    { line: "*:\tconcurrency=0\tstart=1  ", want: { concurrency: Infinity, start: 1 } },
    { line: "*: rate=10/s", want: { rate: { count: 10, perSeconds: 1 } } },
    { line: "*: rate=100/m", want: { rate: { count: 100, perSeconds: 60 } } },
    { line: "*: rate=5/h", want: { rate: { count: 5, perSeconds: 3600 } } },
    { line: "*: rate=0", want: {} },
    { line: "*: backoff=5..5", want: { backoff: { leastSeconds: 5, mostSeconds: 5 } } },
    { line: "*: backoff=0 failures=1 idle=900", want: { backoff: undefined, failures: 1, idleSeconds: 900 } },
  ];
  for (const { line, want } of lines) {
    it(`reads ${JSON.stringify(line)}`, () => assertEquals(parsed(line).others, { ...defaultRules, ...want }));
  }

  it("has a name's line say what it says, * the rest, wherever it stands", () => {
    const { named } = parsed("Gmail.com: rate=100/m\n[192.0.2.1]: start=1\n*: concurrency=9 start=2\n");
    const others = { ...defaultRules, concurrency: 9, start: 2 };
    assertEquals(named.get("gmail.com"), { ...others, rate: { count: 100, perSeconds: 60 } });
    assertEquals(named.get("[192.0.2.1]"), { ...others, start: 1 });
  });

  it("finds a name's own line, else the longest it lies below, else none", () => {
    const shaping = parsed(".example.org: start=1\nb.example.org: start=2\n.c.example.org: start=3\n");
    const rows = [["example.org", undefined], ["a.example.org", 1], ["b.example.org", 2], ["x.c.example.org", 3]];
    for (const [name, start] of rows) assertEquals(namedRules(shaping, String(name))?.start, start, String(name));
    assertEquals(namedRules(defaultShaping, "example.org"), undefined);
    assertEquals(namedRules(parsed("x.example: start=1"), "__proto__"), undefined);
  });

  it("reads warm-ups, by the domain of senders or for all others", () => {
    const { warmUps } = parsed("warmup Example.net from 2026-11-01: 50/d 100/d\nwarmup default from 2026-12-24: 7/d\n");
    assertEquals(warmUps.get("example.net"), { fromMs: Date.UTC(2026, 10, 1), amounts: [50, 100] });
    assertEquals(warmUps.get("default"), { fromMs: Date.UTC(2026, 11, 24), amounts: [7] });
  });

  const defects: readonly (readonly [string, string])[] = [
    ["gmail.com concurrency=1", '"gmail.com concurrency=1"'],
    ["gmail.com:", 'expected "NAME: setting=value ..."'],
    ["gmail.com:concurrency=1", 'expected "NAME: setting=value ..."'],
    ["a..b: start=1", 'expected "NAME: setting=value ..."'],
    ["*.example: start=1", 'expected "NAME: setting=value ..."'],
    ["x.example: speed=1", 'expected settings concurrency=, start=, rate=, backoff=, failures=, idle=, got "speed=1"'],
    ["x.example: start", 'got "start"'],
    ["x.example: start=0", 'expected start= with a whole number of at least 1, got "start=0"'],
    ["x.example: concurrency=-1", "expected concurrency= with a whole number"],
    ["x.example: concurrency=1e3", 'got "concurrency=1e3"'],
    ["x.example: rate=100", "expected rate= with a number per time as in 100/m"],
    ["x.example: rate=0/s", 'got "rate=0/s"'],
    ["x.example: rate=1/w", 'got "rate=1/w"'],
    ["x.example: backoff=60", "expected backoff= with a range of seconds as in 60..3600"],
    ["x.example: backoff=60..30", 'got "backoff=60..30"'],
    ["x.example: backoff=0..30", 'got "backoff=0..30"'],
    ["x.example: backoff=1..86401", 'got "backoff=1..86401"'],
    ["x.example: failures=0", "expected failures= with a whole number from 1 to 1000"],
    ["x.example: start=1 start=2", "expected start= once a line"],
    ["x.example: start=1\nX.example: start=2", 'expected one line a name, got another for "x.example"'],
    ["warmup example.net: 50/d", 'expected "warmup DOMAIN from YYYY-MM-DD: 50/d 100/d ..."'],
    ["warmup 192.0.2.7 from 2026-11-01: 50/d", "follows from its sender's domain"],
    ["warmup 2001:db8::1 from 2026-11-01: 50/d", "follows from its sender's domain"],
    ["warmup example.net from 2026-02-30: 50/d", "expected the first day as YYYY-MM-DD"],
    ["warmup example.net from 2026-11-01: 50/h", "expected one amount a day as in 50/d"],
    ["warmup example.net from 2026-11-01: 0/d", "expected one amount a day as in 50/d"],
    ["warmup a.example from 2026-11-01: 1/d\nwarmup A.example from 2026-11-01: 2/d", "expected one warmup a domain"],
  ];
  for (const [text, want] of defects) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const shaping = parseShaping(text);
      assert(!shaping.ok);
      assertStringIncludes(shaping.error, want);
    });
  }

  it("answers whatever text there is", () => {
    const words = fc.constantFrom(
      "*",
      "x.example",
      ":",
      " ",
      "rate=",
      "1",
      "/s",
      "\n",
      "warmup",
      "from",
      "2026-01-01",
      "..",
    );
    const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.array(words).map((list) => list.join("")));
    fc.assert(fc.property(anyText, (text) => void parseShaping(text)));
  });
});
