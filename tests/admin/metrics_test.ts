import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatFamily, formatMetrics } from "../../components/admin/metrics.ts";
import type { Overview } from "../../components/admin/overview.ts";
import { destination, nowMs } from "./fake_world.ts";
import { away, overview, smtpd, withComponents } from "./samples.ts";

const none = { kind: "answered", status: [] } as const;

describe("formatFamily()", () => {
  const rows: { name: string; input: Parameters<typeof formatFamily>; want: string }[] = [
    {
      name: "writes HELP, TYPE and the sample",
      input: ["a_total", "counter", "All.", [[{}, 7]]],
      want: "# HELP a_total All.\n# TYPE a_total counter\na_total 7\n",
    },
    {
      name: "writes a line for each sample",
      input: ["a", "gauge", "A.", [[{ x: "1" }, 0], [{ x: "2", y: "z" }, 1.5]]],
      want: '# HELP a A.\n# TYPE a gauge\na{x="1"} 0\na{x="2",y="z"} 1.5\n',
    },
    {
      name: "escapes backslash, quote and line feed in a label",
      input: ["a", "gauge", "A.", [[{ x: 'b\\c"d\ne' }, 1]]],
      want: '# HELP a A.\n# TYPE a gauge\na{x="b\\\\c\\"d\\ne"} 1\n',
    },
    {
      name: "escapes backslash and line feed, but no quote, in HELP",
      input: ["a", "gauge", 'b\\c"d\ne', [[{}, 1]]],
      want: '# HELP a b\\\\c"d\\ne\n# TYPE a gauge\na 1\n',
    },
    { name: "writes nothing without samples", input: ["a", "gauge", "A.", []], want: "" },
  ];
  for (const { name, input, want } of rows) it(name, () => assertEquals(formatFamily(...input), want));
});

const sampleLine = /^dqmail_[a-z_]+(\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\})? [0-9.e+]+$/;

/** Checks the format's rules and answers the samples by series. */
function samplesOf(text: string): Map<string, string> {
  assert(text.endsWith("\n"));
  const samples = new Map<string, string>();
  const typed = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    if (line.startsWith("# HELP ")) continue;
    if (line.startsWith("# TYPE ")) {
      const [, , name, type] = line.split(" ");
      assert(!typed.has(name!), `${name} twice`);
      assertEquals(type, name!.endsWith("_total") ? "counter" : "gauge");
      typed.add(name!);
      continue;
    }
    assertMatch(line, sampleLine);
    const series = line.slice(0, line.lastIndexOf(" "));
    assert(typed.has(series.split("{")[0]!), `${series} without TYPE`);
    assert(!samples.has(series), `${series} twice`);
    samples.set(series, line.slice(line.lastIndexOf(" ") + 1));
  }
  return samples;
}

function metrics(overview: Overview, destinations: Parameters<typeof formatMetrics>[1] = none): string {
  return formatMetrics(overview, destinations, nowMs);
}

describe("formatMetrics()", () => {
  it("counts destinations by state, and names none", () => {
    const at = { ...destination, pausedUntilMs: 0, running: 2, waiting: 3 };
    const all = [
      ...[at, { ...at, name: "b" }, { ...at, unreachable: true }],
      ...[{ ...at, unreachable: true, pausedUntilMs: nowMs + 1 }, { ...at, paused: true, pausedUntilMs: nowMs + 1 }],
    ];
    const samples = samplesOf(metrics(overview, { kind: "answered", status: all }));
    const found = [...samples].filter(([series]) => series.startsWith("dqmail_destinations"));
    assertEquals(Object.fromEntries(found), {
      'dqmail_destinations{state="paused"}': "1",
      'dqmail_destinations{state="backing off"}': "1",
      'dqmail_destinations{state="unreachable"}': "1",
      'dqmail_destinations{state="delivering"}': "2",
      dqmail_destinations_running: "10",
      dqmail_destinations_waiting: "15",
    });
  });

  it("writes every figure", () => {
    assertEquals(Object.fromEntries(samplesOf(metrics(overview, away))), {
      'dqmail_answers{component="supervisor"}': "1",
      'dqmail_answers{component="qmail-queue"}': "1",
      'dqmail_answers{component="qmail-send"}': "1",
      'dqmail_component_up{component="qmail-smtpd"}': "1",
      'dqmail_component_restarts_total{component="qmail-smtpd"}': "2",
      'dqmail_component_uptime_seconds{component="qmail-smtpd"}': "93784",
      'dqmail_component_resident_bytes{component="qmail-smtpd"}': "61865984",
      "dqmail_accepted_messages_total": "1234",
      "dqmail_accepted_bytes_total": "5000000",
      "dqmail_refused_messages_total": "3",
      "dqmail_journal_messages": "2",
      "dqmail_journal_segments": "1",
      "dqmail_queue_messages": "40",
      "dqmail_queue_not_preprocessed_messages": "5",
      "dqmail_queue_waiting_messages": "30",
      'dqmail_concurrency{channel="local"}': "1",
      'dqmail_concurrency{channel="remote"}': "4",
      'dqmail_concurrency_limit{channel="local"}': "10",
      'dqmail_concurrency_limit{channel="remote"}': "20",
      "dqmail_delivered_total": "1200",
      "dqmail_deferred_total": "80",
      "dqmail_failed_total": "6",
      "dqmail_bounced_total": "4",
      "dqmail_ended_messages_total": "1190",
    });
  });

  it("leaves out what nobody knows", () => {
    const samples = samplesOf(metrics({ ...overview, supervisor: away, queue: away, send: away }, away));
    assertEquals([...samples.values()], ["0", "0", "0"]);
  });

  it("counts processes of one name as one component, up when all are", () => {
    const samples = samplesOf(metrics(withComponents(smtpd, { ...smtpd, state: "waiting", uptimeSeconds: 3 })));
    assertEquals(samples.get('dqmail_component_up{component="qmail-smtpd"}'), "0");
    assertEquals(samples.get('dqmail_component_restarts_total{component="qmail-smtpd"}'), "4");
    assertEquals(samples.get('dqmail_component_uptime_seconds{component="qmail-smtpd"}'), "3");
  });

  it("stays well-formed whatever a component is called", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => {
      samplesOf(metrics(withComponents({ ...smtpd, name })));
    }));
  });
});
