/**
 * What several pages are made of.
 * @module
 */
import type { Child } from "hono/jsx";
import type { Answer } from "../overview.ts";
import { clockOf, isDate } from "../text.ts";
import { formatDuration } from "../units.ts";

/** Says that nobody answered. `who`: the component. */
export function Away({ who, why }: { who: string; why: string }) {
  return <p class="away">{`Not known: ${who} ${why}.`}</p>;
}

/** What an answer tells, or that there is none. */
export function Told<T>({ who, answer, children }: { who: string; answer: Answer<T>; children: (told: T) => Child }) {
  return answer.kind === "away" ? <Away who={who} why={answer.why} /> : <>{children(answer.status)}</>;
}

/** `3 min ago`, `in 20 s`; the whole time is its title. */
export function When({ ms, nowMs }: { ms: number; nowMs: number }) {
  if (!isDate(ms)) return <>unknown</>;
  const seconds = Math.round(Math.abs(ms - nowMs) / 1000);
  const words = seconds < 1 ? "now" : ms > nowMs ? `in ${formatDuration(seconds)}` : `${formatDuration(seconds)} ago`;
  return <time datetime={new Date(ms).toISOString()} title={clockOf(ms)}>{words}</time>;
}

/** A point in time as it is. */
export function Clock({ ms }: { ms: number }) {
  if (!isDate(ms)) return <>unknown</>;
  return <time datetime={new Date(ms).toISOString()}>{clockOf(ms)}</time>;
}

export type Mood = "good" | "bad" | "warn" | "idle";

export function Badge({ mood, children }: { mood: Mood; children: Child }) {
  return <span class={`state ${mood}`}>{children}</span>;
}

export type Figure = readonly [name: string, value: Child];

/** Names and what belongs to them. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A part of a page with a heading; `live`: kept up to date while the page is open. */
export function Card({ id, title, live = false, wide = false, children }: {
  id: string;
  title: string;
  live?: boolean;
  wide?: boolean;
  children: Child;
}) {
  return (
    <section class={wide ? "card wide" : "card"} id={id} aria-labelledby={`${id}-title`} {...liveOf(live)}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

function liveOf(live: boolean): Record<string, string> {
  return live ? { "data-live": "" } : {};
}

/** A table that scrolls by itself where it is too wide, by keyboard too. */
export function Scroll({ name, children }: { name: string; children: Child }) {
  return <div class="scroll" role="region" aria-label={name} tabindex={0}>{children}</div>;
}

/** The word that a form which changes something has to bring. */
export function Csrf({ csrf }: { csrf: string }) {
  return <input type="hidden" name="csrf" value={csrf} />;
}

/** Lines as they are, in a box that scrolls. */
export function Lines({ name, text }: { name: string; text: string }) {
  return <pre class="lines" tabindex={0} role="region" aria-label={name}>{text}</pre>;
}
