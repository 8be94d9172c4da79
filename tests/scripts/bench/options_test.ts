import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { isLoopback, type Options, parseOptions } from "../../../scripts/bench/options.ts";

describe("parseOptions()", () => {
  const rows: { argv: string; want: Partial<Options> }[] = [
    {
      argv: "accept",
      want: { scenario: "accept", sessions: 20, messages: 2000, sizeBytes: 10_240, runs: 3, limitMs: 60_000 },
    },
    { argv: "accept", want: { target: { kind: "own", dir: "/tmp" }, reuse: false, pipelining: true, json: false } },
    { argv: "accept", want: { filter: undefined } },
    { argv: "accept --sign", want: { filter: "sign", target: { kind: "own", dir: "/tmp" } } },
    { argv: "accept --verify --dir /srv", want: { filter: "verify", target: { kind: "own", dir: "/srv" } } },
    { argv: "accept --settle 0 --limit 5", want: { settleMs: 0, limitMs: 5000 } },
    { argv: "bulk", want: { sessions: 1, messages: 1, recipientsPerMessage: 10_000, domains: 1 } },
    { argv: "bulk --domains 1000 --recipients 50", want: { recipientsPerMessage: 50, domains: 1000 } },
    { argv: "bulk --mailboxes", want: { toMailboxes: true, users: 10_000, recipient: "u%u@localhost" } },
    { argv: "accept --dir /srv --syncs --html a.html", want: { flushDir: "/srv", syncs: true, html: "a.html" } },
    { argv: "accept --against 127.0.0.1:2525", want: { flushDir: undefined } },
    { argv: "accept --against 127.0.0.1:2525 --dir /var/spool", want: { flushDir: "/var/spool" } },
    {
      argv: "local --sessions=3 --reuse --no-pipelining --json",
      want: { sessions: 3, reuse: true, pipelining: false, json: true },
    },
    {
      argv: "relay --against 127.0.0.1:2525 --sink 2600 --pid 7",
      want: { target: { kind: "against", host: "127.0.0.1", port: 2525, pid: 7 }, sinkPort: 2600 },
    },
  ];
  for (const { argv, want } of rows) {
    it(`reads ${argv}`, () => {
      const got = parseOptions(argv.split(" "));
      assertEquals(got.ok && { ...got.value, ...want }, got.ok && got.value);
      assertEquals(got.ok, true);
    });
  }

  const refusals: { argv: string; error: string }[] = [
    { argv: "", error: "Expected one scenario" },
    { argv: "accept local", error: "Expected one scenario" },
    { argv: "fast", error: "Expected one scenario" },
    { argv: "accept --seesions 3", error: 'Unknown option "--seesions"' },
    { argv: "accept --sessions 0", error: "--sessions takes a whole number from 1 on" },
    { argv: "accept --messages many", error: "--messages takes a whole number" },
    { argv: "accept --size -1", error: "--size takes a whole number" },
    { argv: "accept --against 192.0.2.1:25", error: "127.0.0.0/8" },
    { argv: "accept --against mx.example.org:25", error: "127.0.0.0/8" },
    { argv: "accept --against 127.0.0.1", error: "127.0.0.0/8" },
    { argv: "accept --against 127.0.0.1:0", error: "127.0.0.0/8" },
    { argv: "accept --against 127.0.0.1:70000", error: "127.0.0.0/8" },
    { argv: "local --against 127.0.0.1:25", error: "needs --maildir" },
    { argv: "relay --against 127.0.0.1:25", error: "needs --sink" },
    { argv: "bulk --against 127.0.0.1:25", error: "needs --sink" },
    { argv: "bulk --mailboxes --against 127.0.0.1:25", error: "needs --maildir" },
    { argv: "local --mailboxes", error: "--mailboxes is for bulk, got local" },
    { argv: "accept --syncs --against 127.0.0.1:25", error: "--syncs needs --pid" },
    { argv: "accept --html=", error: "--html takes a file" },
    { argv: "relay --sink 70000", error: "up to 65535" },
    { argv: "accept --pid 7", error: "--pid needs --against" },
    { argv: "local --maildir /home/u%d/Maildir", error: "--maildir needs --against" },
    { argv: "accept --sign --against 127.0.0.1:25", error: "--sign measures the private server" },
    { argv: "accept --verify --against 127.0.0.1:25", error: "not with --against" },
    { argv: "accept --sign --verify", error: "exclude each other" },
    { argv: "local --sign", error: "--sign is for accept, got local" },
    { argv: "relay --verify", error: "--verify is for accept, got relay" },
    { argv: "accept --sessions 1000 --size 100000000", error: "1 GiB" },
  ];
  for (const { argv, error } of refusals) {
    it(`refuses ${JSON.stringify(argv)}`, () => {
      const got = parseOptions(argv.split(" ").filter((word) => word !== ""));
      assertStringIncludes(got.ok ? "accepted" : got.error, error);
    });
  }
});

describe("isLoopback()", () => {
  const rows: { host: string; want: boolean }[] = [
    { host: "127.0.0.1", want: true },
    { host: "127.255.0.9", want: true },
    { host: "128.0.0.1", want: false },
    { host: "127.0.0.256", want: false },
    { host: "127.1", want: false },
    { host: "127.0.0.1.example.org", want: false },
    { host: "0.0.0.0", want: false },
    { host: "localhost", want: false },
  ];
  for (const { host, want } of rows) it(`is ${want} for ${host}`, () => assertEquals(isLoopback(host), want));
});
