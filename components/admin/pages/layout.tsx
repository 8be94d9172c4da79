/**
 * The document around every page.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { Child } from "hono/jsx";
import type { Notice, Session } from "../auth/sessions.ts";
import { Csrf } from "./parts.tsx";

/** The pages, in the order of the navigation. */
const places = [
  ["/", "Overview"],
  ["/queue", "Queue"],
  ["/destinations", "Destinations"],
  ["/log", "Log"],
  ["/doctor", "Doctor"],
  ["/config", "Config"],
] as const;

export interface PageFrame {
  readonly title: string;
  /** The path of the place in the navigation that it belongs to. */
  readonly place: string;
  /** control/me. */
  readonly host: string;
  readonly session: Session;
  /** What is said to who cannot see that the page changed; changes with what is worth hearing. */
  readonly spoken?: string;
}

/** The whole document. The session's notice is said on it, and then forgotten. */
export function renderPage(frame: PageFrame, main: Child): string {
  const { session } = frame;
  const { notice } = session;
  session.notice = undefined;
  return document(<Page frame={frame} notice={notice}>{main}</Page>);
}

/** A document for those who are not logged in. */
export function renderBare(title: string, main: Child): string {
  return document(
    <html lang="en">
      <Head title={title} />
      <body class="bare">
        <main id="main">{main}</main>
      </body>
    </html>,
  );
}

function document(html: Child): string {
  return `<!doctype html>\n${html}\n`;
}

function Head({ title }: { title: string }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <title>{title}</title>
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/style.css" />
      <script src="/app.js" defer></script>
    </head>
  );
}

function Page({ frame, notice, children }: { frame: PageFrame; notice: Notice | undefined; children: Child }) {
  const { title, place, host, session, spoken } = frame;
  return (
    <html lang="en">
      <Head title={`${title} – ${host}`} />
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <p class="host">{host}</p>
          <nav aria-label="Pages">
            <ul>
              {places.map(([path, name]) => (
                <li>
                  <a href={path} {...path === place ? { "aria-current": "page" } : {}}>{name}</a>
                </li>
              ))}
            </ul>
          </nav>
          <form class="find" role="search" action="/find" method="get">
            <label class="hidden" for="find">Message number or address</label>
            <input id="find" name="q" type="search" placeholder="Message number or address" autocomplete="off" />
            <button type="submit">Find</button>
          </form>
        </header>
        <main id="main" tabindex={-1}>
          <h1>{title}</h1>
          {notice === undefined ? null : <Said notice={notice} />}
          <p class="hidden" role="status" id="spoken" data-spoken={spoken ?? ""}></p>
          {children}
        </main>
        <footer>
          <p>
            For programs: <a href="/api/openapi.json">API</a>, <a href="/metrics">metrics</a>,{" "}
            <a href="/healthz">health</a>, <a href="/grafana.json">Grafana dashboard</a>
          </p>
          <form action="/logout" method="post">
            <Csrf csrf={session.csrf} />
            <button type="submit">Log out</button>
          </form>
        </footer>
      </body>
    </html>
  );
}

function Said({ notice: { good, text } }: { notice: Notice }) {
  return (
    <div class={`verdict ${good ? "good" : "bad"}`} role={good ? "status" : "alert"} id="notice">
      {text.map((line) => <p>{line}</p>)}
    </div>
  );
}
