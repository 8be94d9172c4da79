/**
 * The overview: whether all is well, what happens each minute, who runs and what each may touch.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { RateName } from "../../lib/trace/event.ts";
import type { Rates } from "../../lib/wire/trace_protocol.ts";
import type { DepthSample } from "../depth.ts";
import { type Answer, defectsOf, type Overview, supervisedOf } from "../overview.ts";
import { formatBytes, formatCount } from "../units.ts";
import { type Bars, Chart } from "./chart.tsx";
import { Components } from "./components.tsx";
import { Card, Clock, Figures, Scroll, Told } from "./parts.tsx";

export interface OverviewPage {
  readonly overview: Overview;
  readonly rates: Answer<Rates>;
  readonly depth: readonly DepthSample[];
}

/** What is worth hearing of it. */
export function spokenOverview({ overview }: OverviewPage): string {
  const defects = defectsOf(overview);
  return defects.length === 0 ? "All components are running" : defects.join("; ");
}

export function OverviewMain({ overview, rates, depth }: OverviewPage) {
  const defects = defectsOf(overview);
  return (
    <>
      <Verdict defects={defects} count={supervisedOf(overview).length} />
      <Card id="rates" title="The last hour" live wide>
        <Told who="multilog" answer={rates}>{(told) => <Hour rates={told} depth={depth} overview={overview} />}</Told>
      </Card>
      <Counters overview={overview} />
      <Components overview={overview} />
      <p class="quiet" id="taken" data-live="">
        As of <Clock ms={overview.takenAtMs} />
      </p>
    </>
  );
}

function Verdict({ defects, count }: { defects: readonly string[]; count: number }) {
  if (defects.length === 0) {
    return <p class="verdict good" id="verdict" data-live="">{`All components are running (${count}).`}</p>;
  }
  return (
    <section class="verdict bad" id="verdict" aria-labelledby="wrong" data-live="">
      <h2 id="wrong">{defects.length === 1 ? "One thing is wrong" : `${defects.length} things are wrong`}</h2>
      <ul>{defects.map((defect) => <li>{defect}</li>)}</ul>
    </section>
  );
}

const shownRates: readonly (readonly [RateName, string, Bars["mood"]])[] = [
  ["accepted", "Accepted", "idle"],
  ["delivered", "Delivered", "good"],
  ["deferred", "Deferred", "warn"],
  ["bounced", "Bounced", "bad"],
  ["failed", "Failed", "bad"],
  ["refused", "Refused", "warn"],
];

function Hour({ rates, depth, overview }: { rates: Rates; depth: readonly DepthSample[]; overview: Overview }) {
  const now = overview.send.kind === "answered" ? [overview.send.status.messages] : [];
  const depths = [...depth.map(({ messages }) => messages), ...now];
  return (
    <>
      <div class="charts">
        {shownRates.map(([name, title, mood]) => {
          const values = rates.minutes.map((minute) => minute[name]);
          const total = values.reduce((a, b) => a + b, 0);
          return <Chart title={title} mood={mood} values={values} unit="this minute" total={total} />;
        })}
        <Chart title="In the queue" mood="idle" values={depths} unit="messages" />
      </div>
      <details id="minutes">
        <summary>The same as a table</summary>
        <Scroll name="Each minute of the last hour">
          <table>
            <thead>
              <tr>
                <th scope="col">Minute (UTC)</th>
                {shownRates.map(([, title]) => <th scope="col" class="number">{title}</th>)}
              </tr>
            </thead>
            <tbody>
              {rates.minutes.toReversed().map((minute) => (
                <tr data-key={String(minute.startMs)}>
                  <th scope="row">{new Date(minute.startMs).toISOString().slice(11, 16)}</th>
                  {shownRates.map(([name]) => <td class="number">{formatCount(minute[name])}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </>
  );
}

function Counters({ overview: { queue, send } }: { overview: Overview }) {
  return (
    <div class="cards">
      <Card id="now" title="In the queue now" live>
        <Told who="qmail-send" answer={send}>
          {(s) => (
            <Figures
              figures={[
                ["messages", <a href="/queue">{formatCount(s.messages)}</a>],
                ["not preprocessed", formatCount(s.notPreprocessed)],
                ["waiting for a retry", formatCount(s.waitingForRetry)],
                ["local deliveries under way", `${formatCount(s.running.local)} of ${formatCount(s.limits.local)}`],
                ["remote deliveries under way", `${formatCount(s.running.remote)} of ${formatCount(s.limits.remote)}`],
              ]}
            />
          )}
        </Told>
      </Card>
      <Card id="deliveries" title="Since qmail-send started" live>
        <Told who="qmail-send" answer={send}>
          {(s) => (
            <Figures
              figures={[
                ["delivered", formatCount(s.delivered)],
                ["deferred", formatCount(s.deferred)],
                ["failed", formatCount(s.failed)],
                ["bounced", formatCount(s.bounced)],
                ["messages finished", formatCount(s.ended)],
              ]}
            />
          )}
        </Told>
      </Card>
      <Card id="accepted" title="Since qmail-queue started" live>
        <Told who="qmail-queue" answer={queue}>
          {(q) => (
            <Figures
              figures={[
                ["messages accepted", formatCount(q.acceptedMessages)],
                ["content accepted", formatBytes(q.acceptedBytes)],
                ["messages refused", formatCount(q.refusedMessages)],
                ["messages in the journal", formatCount(q.journalMessages)],
              ]}
            />
          )}
        </Told>
      </Card>
    </div>
  );
}
