/**
 * The overview in Prometheus' text exposition format 0.0.4. A source that does not answer leaves its families out
 * (nobody knows is not zero) and shows as 0 in `dqmail_answers`.
 * @module
 */
import type { ComponentStatus } from "../lib/wire/status_protocol.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import { type Answer, isAsItShouldBe, type Overview, sources, supervisedOf } from "./overview.ts";

/** The media type this format is served as. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** One family: HELP, TYPE and a line per sample; nothing where there is no sample. */
export function formatFamily(
  name: string,
  type: "gauge" | "counter",
  help: string,
  samples: readonly Sample[],
): string {
  if (samples.length === 0) return "";
  const lines = samples.map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`);
  return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Processes of one name count as one component, for a series may appear only once. */
function byName(components: readonly ComponentStatus[]): ReadonlyMap<string, readonly ComponentStatus[]> {
  const groups = new Map<string, ComponentStatus[]>();
  for (const component of components) {
    const group = groups.get(component.name);
    if (group === undefined) groups.set(component.name, [component]);
    else group.push(component);
  }
  return groups;
}

function componentFamilies(overview: Overview): string[] {
  const groups = [...byName(supervisedOf(overview))];
  const family = (
    name: string,
    type: "gauge" | "counter",
    help: string,
    of: (group: readonly ComponentStatus[]) => number,
  ) =>
    formatFamily(
      `dqmail_component_${name}`,
      type,
      help,
      groups.map(([component, group]) => [{ component }, of(group)]),
    );
  const sum = (group: readonly ComponentStatus[], of: (status: ComponentStatus) => number) =>
    group.reduce((total, status) => total + of(status), 0);
  return [
    family(
      "up",
      "gauge",
      "1 if the component is running, or asleep until it is needed, else 0.",
      (group) => group.every(({ state }) => isAsItShouldBe(state)) ? 1 : 0,
    ),
    family(
      "restarts_total",
      "counter",
      "Times the supervisor started the component again.",
      (group) => sum(group, (s) => s.restarts),
    ),
    family(
      "uptime_seconds",
      "gauge",
      "Time since the component's start.",
      (group) => Math.min(...group.map((s) => s.uptimeSeconds)),
    ),
    family(
      "resident_bytes",
      "gauge",
      "Resident memory, as the component last reported it.",
      (group) => sum(group, (s) => s.rssBytes),
    ),
  ];
}

function queueFamilies({ queue }: Overview): string[] {
  if (queue.kind === "away") return [];
  const { acceptedMessages, acceptedBytes, refusedMessages, journalMessages, journalSegments } = queue.status;
  return [
    gauge("journal_messages", "Messages that stand in the journal.", journalMessages),
    gauge("journal_segments", "Segments of the journal.", journalSegments),
    counter("accepted_messages", "Messages taken into the queue since qmail-queue started.", acceptedMessages),
    counter("accepted_bytes", "Content taken into the queue since qmail-queue started.", acceptedBytes),
    counter(
      "refused_messages",
      "Messages that were not taken into the queue since qmail-queue started.",
      refusedMessages,
    ),
  ];
}

function sendFamilies({ send }: Overview): string[] {
  if (send.kind === "away") return [];
  const { status } = send;
  const channels = ({ local, remote }: { local: number; remote: number }): Sample[] => [
    [{ channel: "local" }, local],
    [{ channel: "remote" }, remote],
  ];
  return [
    gauge("queue_messages", "Messages in the queue.", status.messages),
    gauge(
      "queue_not_preprocessed_messages",
      "Messages in the queue that qmail-send has not read yet.",
      status.notPreprocessed,
    ),
    gauge("queue_waiting_messages", "Messages in the queue that wait for a retry.", status.waitingForRetry),
    formatFamily("dqmail_concurrency", "gauge", "Deliveries under way.", channels(status.running)),
    formatFamily(
      "dqmail_concurrency_limit",
      "gauge",
      "Deliveries that may be under way at once.",
      channels(status.limits),
    ),
    counter("delivered", "Deliveries that succeeded since qmail-send started.", status.delivered),
    counter("deferred", "Deliveries put off since qmail-send started.", status.deferred),
    counter("failed", "Deliveries that failed for good since qmail-send started.", status.failed),
    counter("bounced", "Bounces sent since qmail-send started.", status.bounced),
    counter("ended_messages", "Messages finished since qmail-send started.", status.ended),
  ];
}

function counter(name: string, help: string, value: number): string {
  return formatFamily(`dqmail_${name}_total`, "counter", help, [[{}, value]]);
}

function gauge(name: string, help: string, value: number): string {
  return formatFamily(`dqmail_${name}`, "gauge", help, [[{}, value]]);
}

/** Destinations by state, without their names: whom mail goes to is for nobody who need not log in. */
function destinationFamilies(answer: Answer<readonly ShownDestination[]>, nowMs: number): string[] {
  if (answer.kind === "away") return [];
  const { status: all } = answer;
  const count = (is: (one: ShownDestination) => boolean) => all.filter(is).length;
  const sum = (of: (one: ShownDestination) => number) => all.reduce((total, one) => total + of(one), 0);
  return [
    formatFamily("dqmail_destinations", "gauge", "Remote destinations that have deliveries or are paused, by state.", [
      [{ state: "paused" }, count(({ paused }) => paused)],
      [{ state: "backing off" }, count(({ paused, pausedUntilMs }) => !paused && pausedUntilMs > nowMs)],
      [
        { state: "unreachable" },
        count(({ paused, pausedUntilMs, unreachable }) => !paused && pausedUntilMs <= nowMs && unreachable),
      ],
      [
        { state: "delivering" },
        count(({ paused, pausedUntilMs, unreachable }) => !paused && pausedUntilMs <= nowMs && !unreachable),
      ],
    ]),
    gauge(
      "destinations_running",
      "Remote deliveries under way, by what the destinations say.",
      sum((one) => one.running),
    ),
    gauge(
      "destinations_waiting",
      "Remote deliveries that wait for room at their destination.",
      sum((one) => one.waiting),
    ),
  ];
}

/** All families; ends in LF, as the format asks. `nowMs`: since when destinations that back off count as such. */
export function formatMetrics(
  overview: Overview,
  destinations: Answer<readonly ShownDestination[]>,
  nowMs: number,
): string {
  const answers = sources.map((
    { part, name },
  ): Sample => [{ component: name }, overview[part].kind === "answered" ? 1 : 0]);
  return [
    formatFamily("dqmail_answers", "gauge", "1 if the component answered when asked for its status, else 0.", answers),
    ...componentFamilies(overview),
    ...queueFamilies(overview),
    ...sendFamilies(overview),
    ...destinationFamilies(destinations, nowMs),
  ].join("");
}
