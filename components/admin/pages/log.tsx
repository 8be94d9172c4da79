/**
 * The log's newest lines, and the lives that an address took part in.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { LogLine } from "../../lib/trace/event.ts";
import type { AddressTrace, Tail } from "../../lib/wire/trace_protocol.ts";
import type { Answer } from "../overview.ts";
import { harmless, isDate } from "../text.ts";
import { formatBytes, formatCount } from "../units.ts";
import { Badge, Card, Clock, Scroll, Told } from "./parts.tsx";
import { Events } from "./timeline.tsx";

export interface LogPage {
  readonly component: string;
  readonly contains: string;
  readonly count: number;
  readonly components: readonly string[];
  readonly answer: Answer<Tail>;
}

export const lineCounts = [50, 200, 1000] as const;

export function LogMain({ component, contains, count, components, answer }: LogPage) {
  return (
    <>
      <form class="card search" action="/log" method="get" role="search" aria-label="Log lines" data-swap="">
        <div class="fields">
          <div class="field">
            <label for="component">Component</label>
            <select id="component" name="component">
              <option value="" selected={component === ""}>any</option>
              {components.map((name) => <option value={name} selected={name === component}>{name}</option>)}
            </select>
          </div>
          <div class="field">
            <label for="contains">Contains</label>
            <input id="contains" name="contains" type="search" value={contains} autocomplete="off" spellcheck={false} />
          </div>
          <div class="field">
            <label for="count">Lines</label>
            <select id="count" name="count">
              {lineCounts.map((one) => <option value={String(one)} selected={one === count}>{String(one)}</option>)}
            </select>
          </div>
          <button type="submit" class="main">Show</button>
        </div>
      </form>
      <div id="lines" data-live="">
        <Told who="multilog" answer={answer}>{(tail) => <Newest tail={tail} />}</Told>
      </div>
      <Card id="addresses" title="What became of mail">
        <form action="/trace" method="get" class="fields">
          <div class="field">
            <label for="address">Sender or recipient, or @domain</label>
            <input id="address" name="address" required autocomplete="off" spellcheck={false} />
          </div>
          <button type="submit">Look</button>
        </form>
      </Card>
    </>
  );
}

function Newest({ tail: { lines, whole, oldestMs } }: { tail: Tail }) {
  if (lines.length === 0) return <p class="card">No line matches.</p>;
  return (
    <>
      <p class="quiet">The newest line is the first; new ones come by themselves.</p>
      <Scroll name="Log lines, the newest first">
        <ol class="log" reversed>{lines.toReversed().map((line) => <Line line={line} />)}</ol>
      </Scroll>
      {whole || oldestMs === 0 ? null : (
        <p class="quiet">
          Lines from before <Clock ms={oldestMs} /> were not looked at.
        </p>
      )}
    </>
  );
}

function Line({ line: { atMs, component, text } }: { line: LogLine }) {
  const iso = isDate(atMs) ? new Date(atMs).toISOString() : "";
  return (
    <li>
      <time datetime={iso}>{iso.slice(0, 23).replace("T", " ")}</time> <span class="component">{component}</span>{" "}
      <code>{linked(harmless(text))}</code>
    </li>
  );
}

/** qmail-send's words for a message lead to it. */
function linked(text: string) {
  const [, before, word, number, after] = /^(.*?\b)(msg |message=)(\d{1,15})\b(.*)$/s.exec(text) ?? [];
  if (number === undefined) return text;
  return (
    <>
      {before}
      {word}
      <a href={`/queue/${number}`}>{number}</a>
      {after}
    </>
  );
}

export interface TracePage {
  readonly address: string;
  readonly answer: Answer<AddressTrace>;
}

export function TraceMain({ address, answer }: TracePage) {
  return (
    <>
      <form class="card search" action="/trace" method="get" role="search" aria-label="Mail of an address">
        <div class="fields">
          <div class="field">
            <label for="address">Sender or recipient, or @domain</label>
            <input id="address" name="address" value={address} required autocomplete="off" spellcheck={false} />
          </div>
          <button type="submit" class="main">Look</button>
        </div>
      </form>
      {address === "" ? null : <Told who="multilog" answer={answer}>{(trace) => <Lives trace={trace} />}</Told>}
    </>
  );
}

function Lives({ trace: { lives, refusals, whole, oldestMs } }: { trace: AddressTrace }) {
  return (
    <>
      {lives.length === 0 ? <p class="card">The log that is kept knows no message of it.</p> : (
        <Scroll name="Messages">
          <table>
            <thead>
              <tr>
                <th scope="col">Message</th>
                <th scope="col">Began</th>
                <th scope="col">State</th>
                <th scope="col">Sender</th>
                <th scope="col">Recipients</th>
                <th scope="col" class="number">Delivered</th>
                <th scope="col" class="number">Put off</th>
                <th scope="col" class="number">Failed</th>
                <th scope="col" class="number">Size</th>
              </tr>
            </thead>
            <tbody>
              {lives.map((one) => (
                <tr>
                  <th scope="row">
                    <a href={`/queue/${one.message}${one.life === 1 ? "" : `?life=${one.life}`}`}>
                      {String(one.message)}
                    </a>
                  </th>
                  <td>
                    <Clock ms={one.firstMs} />
                  </td>
                  <td>
                    <Badge mood={one.failed > 0 ? "bad" : one.ended ? "good" : "idle"}>
                      {one.ended ? "done" : "under way"}
                    </Badge>
                  </td>
                  <td class="address">{one.sender === undefined ? "?" : harmless(one.sender) || "<>"}</td>
                  <td class="address">
                    {one.recipients.map(harmless).join(", ")}
                    {one.recipientCount > one.recipients.length
                      ? ` and ${formatCount(one.recipientCount - one.recipients.length)} more`
                      : ""}
                  </td>
                  <td class="number">{formatCount(one.delivered)}</td>
                  <td class="number">{formatCount(one.deferred)}</td>
                  <td class="number">{formatCount(one.failed)}</td>
                  <td class="number">{one.bytes === undefined ? "–" : formatBytes(one.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {refusals.length === 0 ? null : (
        <Card id="refusals" title="What was refused">
          <Events events={refusals} />
        </Card>
      )}
      {whole || oldestMs === 0 ? null : (
        <p class="quiet">
          Lines from before <Clock ms={oldestMs} /> were not looked at.
        </p>
      )}
    </>
  );
}
