/**
 * Remote destinations: their pace, what went wrong there last, and the operator's pause.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { ShownDestination } from "../../lib/wire/control_protocol.ts";
import type { Session } from "../auth/sessions.ts";
import type { Answer } from "../overview.ts";
import { oneLineOf, textOf } from "../text.ts";
import { formatCount } from "../units.ts";
import { Badge, Card, Csrf, type Mood, Scroll, Told, When } from "./parts.tsx";

export interface DestinationsPage {
  readonly answer: Answer<readonly ShownDestination[]>;
  readonly session: Session;
  readonly nowMs: number;
}

export function DestinationsMain({ answer, session, nowMs }: DestinationsPage) {
  return (
    <>
      <p class="quiet">
        A destination is a relay, or the registered domain of the best MX; it is here while it has deliveries, or is
        paused.
      </p>
      <div id="list" data-live="">
        <Told who="qmail-send" answer={answer}>
          {(all) => <List all={all} session={session} nowMs={nowMs} />}
        </Told>
      </div>
      <Card id="pause" title="Pause a destination">
        <form action="/destinations/act" method="post" class="fields">
          <Csrf csrf={session.csrf} />
          <div class="field">
            <label for="destination">Domain or site</label>
            <input id="destination" name="destination" required maxlength={255} autocomplete="off" spellcheck={false} />
          </div>
          <button
            type="submit"
            name="action"
            value="pause"
            data-confirm="Pause this destination? Nothing is delivered there until it is resumed, restarts included."
          >
            Pause
          </button>
        </form>
      </Card>
    </>
  );
}

/** The question before a destination is paused or resumed. */
export function pauseQuestion(verb: "pause" | "resume", name: string): string {
  return verb === "pause"
    ? `Pause ${name}? Nothing is delivered there until it is resumed, restarts included.`
    : `Resume ${name}? What waits for it is delivered.`;
}

function stateOf({ paused, pausedUntilMs, unreachable }: ShownDestination, nowMs: number): readonly [Mood, string] {
  if (paused) return ["warn", "paused by the operator"];
  if (pausedUntilMs > nowMs) return ["bad", "backing off"];
  return unreachable ? ["bad", "unreachable"] : ["good", "delivering"];
}

function List({ all, session, nowMs }: { all: readonly ShownDestination[]; session: Session; nowMs: number }) {
  if (all.length === 0) return <p class="card">No remote destination has deliveries.</p>;
  return (
    <Scroll name="Destinations">
      <table>
        <thead>
          <tr>
            <th scope="col">Destination</th>
            <th scope="col">State</th>
            <th scope="col" class="number">Under way</th>
            <th scope="col" class="number">Waiting</th>
            <th scope="col" class="number">Rate</th>
            <th scope="col">Next try</th>
            <th scope="col">Last error</th>
            <th scope="col">Action</th>
          </tr>
        </thead>
        <tbody>{all.map((one) => <Row one={one} session={session} nowMs={nowMs} />)}</tbody>
      </table>
    </Scroll>
  );
}

function Row({ one, session, nowMs }: { one: ShownDestination; session: Session; nowMs: number }) {
  const { site, running, window, waiting, rate, paused, pausedUntilMs, lastCode, lastError } = one;
  const name = textOf(one.name);
  const [mood, state] = stateOf(one, nowMs);
  const verb = paused ? "resume" : "pause";
  return (
    <tr data-key={one.name}>
      <th scope="row" class="address">
        {name} {site ? <span class="quiet">site</span> : null}
      </th>
      <td>
        <Badge mood={mood}>{state}</Badge>
      </td>
      <td class="number">{`${formatCount(running)} of ${formatCount(window)}`}</td>
      <td class="number">{formatCount(waiting)}</td>
      <td class="number">{rate === "" ? "any" : rate}</td>
      <td>{pausedUntilMs > nowMs ? <When ms={pausedUntilMs} nowMs={nowMs} /> : "–"}</td>
      <td class="report">
        {lastError === "" ? "–" : `${lastCode === 0 ? "" : `${lastCode}: `}${oneLineOf(lastError)}`}
      </td>
      <td>
        <form action="/destinations/act" method="post">
          <Csrf csrf={session.csrf} />
          <input type="hidden" name="destination" value={name} />
          <button
            type="submit"
            name="action"
            value={verb}
            aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
            data-confirm={pauseQuestion(verb, name)}
          >
            {paused ? "Resume" : "Pause"}
          </button>
        </form>
      </td>
    </tr>
  );
}
