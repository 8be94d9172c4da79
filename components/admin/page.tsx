/**
 * The one page: an overview as HTML. It holds no script, and no text gets in but through JSX, which escapes it.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { ComponentStatus } from "../lib/wire/status_protocol.ts";
import { type Answer, defectsOf, type Overview, supervisedOf } from "./overview.ts";
import { describeGrant, formatBytes, formatCount, formatDuration, type Right } from "./units.ts";

/** The whole document. */
export function renderPage(overview: Overview): string {
  return `<!doctype html>\n${<Page overview={overview} />}\n`;
}

function Page({ overview }: { overview: Overview }) {
  const defects = defectsOf(overview);
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${defects.length === 0 ? "All well" : `${defects.length} wrong`}: ${overview.host}`}</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <h1>{overview.host}</h1>
          <p class="taken">
            <time datetime={new Date(overview.takenAtMs).toISOString()}>{clock(overview.takenAtMs)}</time>{" "}
            <a href="/">Refresh</a>
          </p>
        </header>
        <main>
          <Verdict defects={defects} count={supervisedOf(overview).length} />
          <Queue overview={overview} />
          <Components overview={overview} />
        </main>
        <footer>
          <p>
            This page only shows. For programs: <a href="/metrics">metrics</a>, <a href="/healthz">health</a>.
          </p>
        </footer>
      </body>
    </html>
  );
}

function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function Verdict({ defects, count }: { defects: readonly string[]; count: number }) {
  if (defects.length === 0) return <p class="verdict good">{`All components are running (${count}).`}</p>;
  return (
    <section class="verdict bad" aria-labelledby="wrong">
      <h2 id="wrong">{defects.length === 1 ? "One thing is wrong" : `${defects.length} things are wrong`}</h2>
      <ul>{defects.map((defect) => <li>{defect}</li>)}</ul>
    </section>
  );
}

type Figure = readonly [name: string, value: string];

function Figures({ title, id, source, answer, figures }: {
  title: string;
  id: string;
  source: string;
  answer: Answer<unknown>;
  figures: readonly Figure[];
}) {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {answer.kind === "away" ? <p class="away">{`Not known: ${source} ${answer.why}.`}</p> : (
        <dl>
          {figures.map(([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Queue({ overview: { queue, send } }: { overview: Overview }) {
  const s = send.kind === "answered" ? send.status : undefined;
  const q = queue.kind === "answered" ? queue.status : undefined;
  const now: Figure[] = s === undefined ? [] : [
    ["messages", formatCount(s.messages)],
    ["not preprocessed", formatCount(s.notPreprocessed)],
    ["waiting for a retry", formatCount(s.waitingForRetry)],
    ["local deliveries under way", `${formatCount(s.running.local)} of ${formatCount(s.limits.local)}`],
    ["remote deliveries under way", `${formatCount(s.running.remote)} of ${formatCount(s.limits.remote)}`],
  ];
  const deliveries: Figure[] = s === undefined ? [] : [
    ["delivered", formatCount(s.delivered)],
    ["deferred", formatCount(s.deferred)],
    ["failed", formatCount(s.failed)],
    ["bounced", formatCount(s.bounced)],
    ["messages finished", formatCount(s.ended)],
  ];
  const accepted: Figure[] = q === undefined ? [] : [
    ["messages accepted", formatCount(q.acceptedMessages)],
    ["content accepted", formatBytes(q.acceptedBytes)],
    ["messages refused", formatCount(q.refusedMessages)],
    ["messages in the journal", formatCount(q.journalMessages)],
  ];
  return (
    <div class="cards">
      <Figures title="In the queue now" id="now" source="qmail-send" answer={send} figures={now} />
      <Figures
        title="Since qmail-send started"
        id="deliveries"
        source="qmail-send"
        answer={send}
        figures={deliveries}
      />
      <Figures title="Since qmail-queue started" id="accepted" source="qmail-queue" answer={queue} figures={accepted} />
    </div>
  );
}

function Components({ overview: { supervisor, homeDir } }: { overview: Overview }) {
  if (supervisor.kind === "away") {
    return (
      <section class="card" aria-labelledby="components">
        <h2 id="components">Components</h2>
        <p class="away">{`Not known: supervisor ${supervisor.why}.`}</p>
      </section>
    );
  }
  const { components } = supervisor.status;
  return (
    <>
      <div class="wide" role="region" aria-labelledby="components" tabindex={0}>
        <table>
          <caption>
            <h2 id="components">Components</h2>
          </caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col" class="number">Uptime</th>
              <th scope="col" class="number">Restarts</th>
              <th scope="col" class="number">Memory</th>
              <th scope="col" class="number">Process</th>
              <th scope="col" class="number">User id</th>
              <th scope="col">Ports</th>
            </tr>
          </thead>
          <tbody>{components.map((component) => <Row component={component} />)}</tbody>
        </table>
      </div>
      <section class="grants" aria-labelledby="grants">
        <h2 id="grants">What each may touch</h2>
        {components.map(({ name, grant }) => <Grant name={name} rights={describeGrant(grant, homeDir)} />)}
      </section>
    </>
  );
}

const none = "–";

function Row({ component }: { component: ComponentStatus }) {
  const { name, state, uptimeSeconds, restarts, rssBytes, pid, uid, ports } = component;
  const kind = state === "running" ? "good" : state === "on demand" ? "idle" : "bad";
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <span class={`state ${kind}`}>{state}</span>
      </td>
      <td class="number">{pid === undefined ? none : formatDuration(uptimeSeconds)}</td>
      <td class="number">{formatCount(restarts)}</td>
      <td class="number">{rssBytes === 0 ? none : formatBytes(rssBytes)}</td>
      <td class="number">{pid === undefined ? none : String(pid)}</td>
      <td class="number">{uid === undefined ? none : String(uid)}</td>
      <td>{Object.entries(ports).map(([port, number]) => nameWithPort(port, number)).join(", ") || none}</td>
    </tr>
  );
}

/** A name that tells the port already needs no second one. */
function nameWithPort(name: string, port: number): string {
  return name.endsWith(`:${port}`) ? name : `${name} ${port}`;
}

function Grant({ name, rights }: { name: string; rights: readonly Right[] }) {
  const counts = rights.map(({ verb, items }) => `${verb} ${items.length === 0 ? "everything" : items.length}`);
  return (
    <details>
      <summary>
        <span class="name">{name}</span> <span class="summary">{counts.join(", ") || "nothing"}</span>
      </summary>
      <dl>
        {rights.map(({ verb, items }) => (
          <div>
            <dt>{verb}</dt>
            {items.length === 0 ? <dd>everything</dd> : items.map((item) => (
              <dd>
                <code>{item}</code>
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </details>
  );
}
