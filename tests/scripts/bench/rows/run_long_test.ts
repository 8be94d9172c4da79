import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatPage } from "../../../../scripts/bench/html/page.ts";
import type { Contender } from "../../../../scripts/bench/rows/contender.ts";
import { measurementNames } from "../../../../scripts/bench/rows/measurements.ts";
import { parseRowsOptions, peerNames, type RowsOptions } from "../../../../scripts/bench/rows/options.ts";
import { formatRows, pageOfRows } from "../../../../scripts/bench/rows/report.ts";
import { measureRows } from "../../../../scripts/bench/rows/run.ts";
import { startSink } from "../../../../scripts/bench/sink.ts";

const small = ["--messages", "30", "--warmup", "5", "--runs", "2", "--settle", "0", "--no-syncs"];

function optionsOf(...argv: string[]): RowsOptions {
  const options = parseRowsOptions([...small, ...argv], { measurements: measurementNames, peers: peerNames });
  if (!options.ok) throw new Error(options.error);
  return options.value;
}

/** A peer that says yes to all and keeps nothing. */
const scripted: Contender = {
  key: "postfix",
  name: "Scripted 1.0",
  notes: ["Scripted: keeps nothing."],
  start: async () => {
    const sink = await startSink({ port: 0, delayMs: 0 });
    const restart = () => Promise.resolve(0.5);
    const dispose = () => sink[Symbol.asyncDispose]();
    const at = { home: "/nonexistent", host: "127.0.0.1", port: sink.port, pid: Deno.pid };
    return { ...at, maildirs: [], restart, [Symbol.asyncDispose]: dispose };
  },
};

describe("bench compare", () => {
  it("measures ours and a peer in turn, and says how they compare, in a table and on a page", async () => {
    const asked: string[] = [];
    const options = optionsOf("--rows", "accept", "--peers", "postfix");
    const report = await measureRows(options, new AbortController().signal, (name) => {
      asked.push(name);
      return scripted;
    });
    assertEquals([asked, report.failedRuns], [["postfix"], 0]);
    const [result] = report.measurements;
    const accepted = result?.measured.map(({ contender, runs }) => [contender, runs.map((run) => run.load.accepted)]);
    assertEquals(accepted, [["own", [30, 30]], ["postfix", [30, 30]]]);
    assertEquals(report.rows.map((row) => row.title).length, 3);
    assert(report.rows.every((row) => row.own !== undefined && row.peers.postfix !== undefined));
    assertEquals(report.rows[0]?.verdict === "met", false); // there is no OpenSMTPD to be ahead of
    const table = formatRows(report);
    for (const text of ["Scripted 1.0", "ratio", "≥ 3× Postfix", "Scripted: keeps nothing."]) {
      assertStringIncludes(table, text);
    }
    const page = formatPage(pageOfRows(report));
    for (const text of ["Throughput", "Latency", "<td>Scripted 1.0</td>"]) assertStringIncludes(page, text);
  });
});

describe("bench rows", () => {
  it("tells the memory of a private server at rest, of a smaller one, and of connections that say nothing", async () => {
    const options = optionsOf("--rows", "idle", "--peers", "", "--connections", "2,5");
    const report = await measureRows(options, new AbortController().signal);
    const figures = report.measurements[0]?.measured[0]?.figures;
    assertEquals(Object.keys(figures ?? {}).sort(), ["+2 MB", "+5 MB", "mx MB", "rest MB"]);
    assert((figures?.["rest MB"]?.median ?? 0) > (figures?.["mx MB"]?.median ?? Infinity));
  });

  it("starts a private server as often as it is told to", async () => {
    const options = optionsOf("--rows", "start", "--peers", "");
    const report = await measureRows(options, new AbortController().signal);
    assert((report.measurements[0]?.measured[0]?.figures["start s"]?.median ?? 0) > 0);
    assertEquals(report.rows.map(({ title }) => title), ["start until 220, s"]);
  });

  it("measures of a server that runs already what it can, and says why it leaves out the rest", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const against = ["--against", `127.0.0.1:${sink.port}`, "--pid", String(Deno.pid), "--connections", "3"];
    const options = optionsOf("--rows", "accept-one,local,relay,idle,start", "--peers", "", ...against);
    const report = await measureRows(options, new AbortController().signal);
    const skipped = report.measurements.map(({ name, measured }) => [name, measured[0]?.skipped !== undefined]);
    assertEquals(skipped, [["accept-one", false], ["local", true], ["relay", true], ["idle", false], ["start", true]]);
    for (const text of [" without local: ", "--maildir", "--sink", "cannot be started"]) {
      assertStringIncludes(formatRows(report), text);
    }
  });
});
