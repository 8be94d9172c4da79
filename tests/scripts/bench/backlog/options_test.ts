import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type BacklogOptions, parseBacklogOptions } from "../../../../scripts/bench/backlog/options.ts";

describe("parseBacklogOptions()", () => {
  const rows: { argv: string; want: Partial<BacklogOptions> }[] = [
    { argv: "", want: { messages: 20_000, place: { kind: "temporary", dir: "/tmp" }, load: 500, limitMs: 600_000 } },
    {
      argv: "--messages 0 --dir /srv --json",
      want: { messages: 0, place: { kind: "temporary", dir: "/srv" }, json: true },
    },
    { argv: "--messages 1000000 --keep-home /srv/m", want: { messages: 1e6, place: { kind: "keep", home: "/srv/m" } } },
    { argv: "--home /srv/m --rounds 5", want: { place: { kind: "kept", home: "/srv/m" }, rounds: 5 } },
  ];
  for (const { argv, want } of rows) {
    it(`reads ${JSON.stringify(argv)}`, () => {
      const got = parseBacklogOptions(argv.split(" ").filter((word) => word !== ""));
      assertEquals(got.ok && { ...got.value, ...want }, got.ok && got.value);
      assertEquals(got.ok, true);
    });
  }

  const refusals: { argv: string; error: string }[] = [
    { argv: "more", error: 'Expected options only, got "more"' },
    { argv: "--home /a --keep-home /b", error: "exclude each other" },
    { argv: "--home /a --messages 5", error: "does not go with --home" },
    { argv: "--keep-home=", error: "take a folder" },
    { argv: "--runs 3", error: 'Unknown option "--runs"' },
  ];
  for (const { argv, error } of refusals) {
    it(`refuses ${argv}`, () => {
      const got = parseBacklogOptions(argv.split(" "));
      assertStringIncludes(got.ok ? "accepted" : got.error, error);
    });
  }
});
