import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { loadOptions } from "../../../../scripts/bench/rows/load_options.ts";
import { measurementNames, measurements } from "../../../../scripts/bench/rows/measurements.ts";
import { parseRowsOptions, peerNames, type RowsOptions } from "../../../../scripts/bench/rows/options.ts";

const defaults = { measurements: measurementNames, peers: peerNames };

function optionsOf(...argv: string[]): RowsOptions {
  const options = parseRowsOptions(argv, defaults);
  if (!options.ok) throw new Error(options.error);
  return options.value;
}

describe("parseRowsOptions()", () => {
  it("measures everything, beside all peers, unless told otherwise", () => {
    const options = optionsOf();
    assertEquals([options.measurements, options.peers], [measurementNames, peerNames]);
    assertEquals([options.connections, options.syncs, options.against], [[500, 5000], true, undefined]);
  });

  it("takes rows and peers by name, in the table's order", () => {
    const options = optionsOf("--rows", "local,accept", "--peers", "opensmtpd", "--connections", "50,10");
    assertEquals([options.measurements, options.peers], [["accept", "local"], ["opensmtpd"]]);
    assertEquals(options.connections, [10, 50]);
  });

  it("measures beside nobody where no peer is named", () => assertEquals(optionsOf("--peers", "").peers, []));

  const refusals: { argv: string[]; says: string }[] = [
    { argv: ["--rows", "acept"], says: 'with commas between them, got "acept"' },
    { argv: ["--peers", "qmail"], says: 'postfix, opensmtpd, exim, with commas between them, got "qmail"' },
    { argv: ["--connections", "0"], says: "Option --connections" },
    { argv: ["--against", "192.0.2.1:25"], says: "127.0.0.0/8" },
    { argv: ["--pid", "1"], says: "--pid needs --against" },
    { argv: ["--sink", "2600"], says: "--sink needs --against" },
    { argv: ["accept"], says: 'Expected options only, got "accept"' },
    { argv: ["--html", ""], says: "--html takes a file" },
  ];
  for (const { argv, says } of refusals) {
    it(`refuses ${argv.join(" ")}`, () => {
      const options = parseRowsOptions(argv, defaults);
      assertStringIncludes(options.ok ? "" : options.error, says);
    });
  }
});

describe("loadOptions()", () => {
  for (const [name, measurement] of Object.entries(measurements)) {
    if (measurement.kind !== "load") continue;
    it(`makes options for ${name}, with a port for the sink`, () => {
      const options = loadOptions(measurement.argv, optionsOf("--runs", "7"));
      assertEquals([options.ok, options.ok && options.value.runs, options.ok && options.value.sinkPort > 0], [
        true,
        7,
        true,
      ]);
    });
  }

  it("lets the operator's numbers go over those of the measurement", () => {
    const given = optionsOf("--messages", "5", "--recipients", "9", "--warmup", "0");
    const [accept, bulk] = [["accept", "--messages", "500"], ["bulk"]].map((argv) => loadOptions(argv, given));
    assertEquals(accept?.ok && [accept.value.messages, accept.value.warmup], [5, 0]);
    assertEquals(bulk?.ok && [bulk.value.recipientsPerMessage, bulk.value.messages, bulk.value.warmup], [9, 1, 1]);
  });

  const against = ["--against", "127.0.0.1:2525"];
  const rows: { name: string; argv: string[]; given: string[]; lacks: string | undefined }[] = [
    { name: "accept with an address alone", argv: ["accept"], given: [], lacks: undefined },
    { name: "local without Maildirs", argv: ["local"], given: ["--sink", "2600"], lacks: "--maildir" },
    { name: "local with them", argv: ["local"], given: ["--maildir", "/home/u%d/Maildir"], lacks: undefined },
    { name: "relay without a sink", argv: ["relay"], given: ["--maildir", "/m"], lacks: "--sink" },
    { name: "relay with one", argv: ["relay"], given: ["--sink", "2600"], lacks: undefined },
    { name: "bulk to mailboxes without Maildirs", argv: ["bulk", "--mailboxes"], given: [], lacks: "--maildir" },
  ];
  for (const { name, argv, given, lacks } of rows) {
    it(`${lacks === undefined ? "measures" : "leaves out"} for a server that runs already: ${name}`, () => {
      const options = loadOptions(argv, optionsOf(...against, ...given));
      if (lacks === undefined) assertEquals(options.ok, true);
      else assertStringIncludes(options.ok ? "" : options.error, lacks);
    });
  }
});
