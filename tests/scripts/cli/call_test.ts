import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseCall } from "../../../scripts/cli/call.ts";
import { inWords } from "../../../scripts/cli/called.ts";

describe("parseCall()", () => {
  const rows: readonly { readonly argv: readonly string[]; readonly home?: string; readonly want: unknown }[] = [
    { argv: [], want: "overview" },
    { argv: ["--help"], want: "overview" },
    { argv: ["status"], want: ["status"] },
    { argv: ["status", "--json"], want: ["status", "--json"] },
    { argv: ["status"], home: "/h", want: ["status", "--home", "/h"] },
    { argv: ["status"], home: "", want: ["status"] },
    { argv: ["status", "--home", "/other"], home: "/h", want: ["status", "--home", "/other"] },
    { argv: ["status", "--home=/other"], home: "/h", want: ["status", "--home=/other"] },
    { argv: ["--home", "/other", "status"], home: "/h", want: ["status", "--home", "/other"] },
    { argv: ["--json", "queue", "list"], want: ["queue", "--json", "list"] },
    { argv: ["bench", "accept"], home: "/h", want: ["bench", "accept"] },
    { argv: ["--version"], want: ["version"] },
    { argv: ["-V"], want: ["version"] },
    { argv: ["man", "queue"], want: ["help", "queue"] },
    { argv: ["statsu"], want: "statsu is not known; did you mean status?" },
    { argv: ["../status"], want: "../status is not known" },
    { argv: ["--json"], want: "--json: a command is missing" },
  ];
  for (const { argv, home, want } of rows) {
    it(`${JSON.stringify(argv)} with home ${home}: ${JSON.stringify(want)}`, () => {
      const call = parseCall(argv, home);
      if (!call.ok) assertEquals(call.error, want);
      else if (call.value === "overview") assertEquals(want, "overview");
      else assertEquals([call.value.command, ...call.value.args], want);
    });
  }
});

describe("inWords()", () => {
  const rows = [
    ["deno task", '"dqmail status" tells', '"deno task status" tells'],
    ["deno task", "dqmail help queue", "deno task dqmail help queue"],
    ["deno task", "dist/dqmail start", "dist/dqmail start"],
    ["deno task", "no dqmail runs here, dqmail starts slowly", "no dqmail runs here, dqmail starts slowly"],
    ["dqmail", '"deno task start --home x"', '"dqmail start --home x"'],
    ["dqmail", "run deno task docs", "run deno task docs"],
  ] as const;
  for (const [by, text, want] of rows) {
    it(`says ${JSON.stringify(want)} to who calls ${by}`, () => assertEquals(inWords(text, by), want));
  }
});
