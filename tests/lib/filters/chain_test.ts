/** control/filters, and what follows of it: chains, sockets, programs. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  chainFor,
  type Filters,
  formatHop,
  isUsed,
  parseCustomFilter,
  parseFilters,
  parseHop,
  programsOf,
  socketsBehind,
  socketsForWays,
} from "../../../components/lib/filters/chain.ts";

function filtersOf(text: string): Filters {
  const parsed = parseFilters(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe("parseFilters()", () => {
  it("takes a line for each way, comments, and what stands behind a name", () => {
    const filters = filtersOf("# who looks\n\n smtp :\tverify rspamd=pass  clamd=451\nforward: arcseal\n");
    assertEquals([...filters], [
      ["smtp", [
        { name: "verify", onTrouble: "451" },
        { name: "rspamd", onTrouble: "pass" },
        { name: "clamd", onTrouble: "451" },
      ]],
      ["forward", [{ name: "arcseal", onTrouble: "451" }]],
    ]);
  });

  it("takes a way without filters, and programs by their paths", () => {
    assertEquals([...filtersOf("lmtp:\nqmtp: /opt/scan/er=pass\n")], [
      ["lmtp", []],
      ["qmtp", [{ name: "/opt/scan/er", onTrouble: "pass" }]],
    ]);
  });

  const refusals = [
    { text: "verify\n", want: /a line "WAY: NAME/ },
    { text: "pop3: verify\n", want: /a line "WAY: NAME/ },
    { text: "SMTP: verify\n", want: /a line "WAY: NAME/ },
    { text: "smtp: nobody\n", want: /expected one of verify, sign/ },
    { text: "smtp: verify=maybe\n", want: /got "verify=maybe"/ },
    { text: "smtp: bin/scanner\n", want: /absolute path/ },
    { text: "smtp: /a/../b\n", want: /absolute path/ },
    { text: "smtp: verify\nsmtp: sign\n", want: /one line for smtp/ },
    { text: "smtp: verify verify=pass\n", want: /expected verify once/ },
    { text: "local: /bin/scanner\n", want: /no program as the first filter for local/ },
    { text: "local: custom=pass /bin/scanner\n", want: /no program as the first filter for local/ },
    { text: "forward: /bin/scanner sign\n", want: /no program as the first filter for forward/ },
    { text: "submission: sign /bin/scanner\n", want: /no program right behind sign/ },
    { text: "submission: arcseal rspamd=pass /bin/scanner\n", want: /no program right behind arcseal/ },
    { text: `smtp: ${"/a /b /c /d /e /f /g /h /i"}\n`, want: /at most 8 filters/ },
  ];
  for (const { text, want } of refusals) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const parsed = parseFilters(text);
      assert(!parsed.ok);
      assert(want.test(parsed.error), parsed.error);
    });
  }

  it("throws at no text", () => {
    fc.assert(fc.property(fc.string(), fc.constantFrom("smtp:", "local: ", ""), (text, front) => {
      parseFilters(front + text);
    }));
  });

  it("reads back each hop it writes", () => {
    for (const word of ["verify=pass", "milter=451", "/usr/local/bin/qmail-scanner-queue.pl=pass"]) {
      const hop = parseHop(word);
      assert(hop.ok);
      assertEquals(formatHop(hop.value), word);
    }
  });
});

describe("sockets of a chain", () => {
  const filters = filtersOf("smtp: verify /bin/scan rspamd=pass clamd=pass\nsubmission: sign\nlocal: custom=pass\n");

  it("are the first, and those behind only as far as each in front may be passed over", () => {
    assertEquals(socketsForWays(filters, ["smtp"]), ["verify"]);
    assertEquals(socketsForWays(filters, ["local"]), ["custom", "qmail-queue"]);
    assertEquals(socketsForWays(filters, ["smtp", "submission", "lmtp"]), ["verify", "sign", "qmail-queue"]);
    assertEquals(socketsForWays(new Map(), ["smtp", "local"]), ["qmail-queue"]);
  });

  it("of a filter are of those behind it; hooks stands for a program", () => {
    assertEquals(socketsBehind(filters, "verify"), ["hooks"]);
    assertEquals(socketsBehind(filters, "rspamd"), ["clamd", "qmail-queue"]);
    assertEquals(socketsBehind(filters, "clamd"), ["qmail-queue"]);
    assertEquals(socketsBehind(filters, "milter"), []);
  });

  it("are none where nothing stands in the file", () => {
    assertEquals(chainFor(new Map(), "smtp"), []);
    assert(!isUsed(new Map(), "verify"));
    assert(isUsed(filters, "custom"));
    assertEquals(programsOf(filters), ["/bin/scan"]);
  });
});

describe("parseCustomFilter()", () => {
  for (
    const [text, want] of [["/etc/mail/filter.ts\n", true], ["filter.ts", false], ["/a,b.ts", false], [
      "/a",
      false,
    ]] as const
  ) {
    it(`${want ? "takes" : "refuses"} ${JSON.stringify(text)}`, () => assertEquals(parseCustomFilter(text).ok, want));
  }
});
