/**
 * The why timeline: all that the log tells of a message, in the order of time.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { TraceEvent } from "../../lib/trace/event.ts";
import { type MessageTrace, mostEvents } from "../../lib/wire/trace_protocol.ts";
import { harmless, isDate, timeOf } from "../text.ts";
import { tellEvent } from "../timeline.ts";
import { Clock } from "./parts.tsx";

export function Timeline({ trace }: { trace: MessageTrace }) {
  const { events, whole, cut, oldestMs } = trace;
  return (
    <>
      <Lives trace={trace} />
      {events.length === 0 ? <p>The log that is kept tells nothing of it.</p> : <Events events={events} />}
      {cut ? <p class="quiet">{`There were more than ${mostEvents} events: those in between are left out.`}</p> : null}
      {whole ? null : (
        <p class="quiet">
          Older lines of the log were not looked at{oldestMs === 0 ? "" : (
            <>
              : from before <Clock ms={oldestMs} />
            </>
          )}.
        </p>
      )}
    </>
  );
}

/** Numbers come back: the lives that this one had. */
function Lives({ trace: { message, life, lives } }: { trace: MessageTrace }) {
  if (lives < 2) return null;
  const links = Array.from({ length: Math.min(lives, 20) }, (_, at) => at + 1);
  return (
    <nav aria-label="Messages that had this number" class="lives">
      <span class="quiet">Messages that had this number, the newest first:</span>
      {links.map((one) => (
        <a href={`/queue/${message}?life=${one}`} {...one === life ? { "aria-current": "true" } : {}}>{String(one)}</a>
      ))}
    </nav>
  );
}

export function Events({ events }: { events: readonly TraceEvent[] }) {
  let day = "";
  return (
    <ol class="timeline" id="timeline">
      {events.map((event) => {
        const today = isDate(event.atMs) ? new Date(event.atMs).toISOString().slice(0, 10) : "";
        const isNew = today !== day;
        day = today;
        return <Entry event={event} day={isNew ? today : ""} />;
      })}
    </ol>
  );
}

function Entry({ event, day }: { event: TraceEvent; day: string }) {
  const { title, mood, facts } = tellEvent(event);
  return (
    <li class={mood}>
      {isDate(event.atMs)
        ? (
          <time datetime={new Date(event.atMs).toISOString()}>
            {`${day === "" ? "" : `${day} `}${timeOf(event.atMs)}`}
          </time>
        )
        : null}
      <p class="title">{harmless(title)}</p>
      {facts.length === 0 ? null : (
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{harmless(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      <p class="line">
        <span class="quiet">{event.component}</span> <code>{harmless(event.text)}</code>
      </p>
    </li>
  );
}
