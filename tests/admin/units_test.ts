import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { describeGrant, formatBytes, formatDuration } from "../../components/admin/units.ts";

describe("formatBytes()", () => {
  const rows = [
    { input: 0, want: "0 B" },
    { input: 1023, want: "1023 B" },
    { input: 1024, want: "1.0 KiB" },
    { input: 10 * 1024, want: "10 KiB" },
    { input: 61_865_984, want: "59 MiB" },
    { input: 3 * 1024 ** 3, want: "3.0 GiB" },
    { input: Number.MAX_SAFE_INTEGER, want: "8.0 PiB" },
  ];
  for (const { input, want } of rows) it(`writes ${input} as ${want}`, () => assertEquals(formatBytes(input), want));
});

describe("formatDuration()", () => {
  const rows = [
    { input: 0, want: "0 s" },
    { input: 59, want: "59 s" },
    { input: 60, want: "1 min 0 s" },
    { input: 3599, want: "59 min 59 s" },
    { input: 7200, want: "2 h 0 min" },
    { input: 93_784, want: "1 d 2 h" },
  ];
  for (const { input, want } of rows) it(`writes ${input} as ${want}`, () => assertEquals(formatDuration(input), want));
});

describe("describeGrant()", () => {
  const rows = [
    { name: "no flag is no right", input: [], want: [] },
    {
      name: "paths below the home lose it, others do not",
      input: ["--allow-read=/h/control/me,/etc/resolv.conf,/hat/x"],
      want: [{ verb: "reads", items: ["control/me", "/etc/resolv.conf", "/hat/x"] }],
    },
    {
      name: "a Unix socket is listed once",
      input: ["--allow-read=/h/run/a/s", "--allow-write=/h/run/a/s", "--allow-net=[::1]:25,unix:/h/run/a/s"],
      want: [{ verb: "network", items: ["[::1]:25"] }, { verb: "sockets", items: ["run/a/s"] }],
    },
    { name: "a flag without values is everything", input: ["--allow-run"], want: [{ verb: "runs", items: [] }] },
    {
      name: "an unknown flag is shown as it is",
      input: ["--allow-all", "-A"],
      want: [{ verb: "also", items: ["--allow-all"] }, { verb: "also", items: ["-A"] }],
    },
  ];
  for (const { name, input, want } of rows) it(name, () => assertEquals(describeGrant(input, "/h"), want));
});
