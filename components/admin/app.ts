/**
 * The HTTP side: which request gets which answer. It asks the world it is given and looks at nothing else.
 *
 * Health, metrics and the style are for everybody who can connect; all else is for whoever logged in with the operator's
 * token (cookie) or brings it (`Authorization: Bearer`).
 * @module
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type AdminEnv, callerOf, identify, refuse } from "./auth/guard.ts";
import { addLogin } from "./auth/routes.ts";
import type { Sessions } from "./auth/sessions.ts";
import type { Throttle } from "./auth/throttle.ts";
import { addHealth } from "./health.ts";
import { isOwnHost } from "./host_header.ts";
import { icon } from "./icon.ts";
import { script } from "./live/script.ts";
import { eventStream } from "./live/stream.ts";
import { mostListeners, type Ticker } from "./live/ticker.ts";
import { addPages } from "./pages/routes.tsx";
import { style } from "./style.ts";
import type { World } from "./world.ts";

export interface AppOptions {
  readonly world: World;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly ticker: Ticker;
  /** Told about surprises; the client gets a bare 500. */
  readonly onError: (error: unknown) => void;
  /** Told of logins, for the log. */
  readonly onEvent: (event: string) => void;
}

/**
 * On every answer. Nothing may be loaded but our own style sheet, script and icon; nobody may frame, embed, sniff or keep
 * the page. With "no-referrer" browsers would not say where a form comes from.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
    "form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Cache-Control": "no-store",
};

const methods = ["GET", "HEAD", "POST"];

/** A form with five hundred messages is far below. */
const longestBody = 64 * 1024;

/** The pages, the API and their guards. */
export function createApp(options: AppOptions): Hono<AdminEnv> {
  const { world, sessions, throttle, ticker, onError, onEvent } = options;
  const identities = { sessions, throttle, tokenHash: world.tokenHash, nowMs: world.nowMs };
  // Loaded when it is first asked for: its library takes as much memory as all else here.
  const api = once(async () => (await import("./api/routes.ts")).createApi(world, onError));
  const app = new Hono<AdminEnv>();
  app.use(async (c, next) => {
    if (!isOwnHost(c.req.header("host"), world.me())) c.res = c.text("421 not a name of this server\n", 421);
    else if (!methods.includes(c.req.method)) {
      c.res = c.text("405 only GET, HEAD and POST\n", 405, { Allow: methods.join(", ") });
    } else await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.header(name, value);
  });
  app.use(bodyLimit({ maxSize: longestBody, onError: (c) => c.text("413 too much\n", 413) }));
  app.get("/style.css", (c) => c.body(style, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/app.js", (c) => c.body(script, 200, { "Content-Type": "text/javascript; charset=utf-8" }));
  app.get("/icon.svg", (c) => c.body(icon, 200, { "Content-Type": "image/svg+xml" }));
  addHealth(app, world);

  app.use(identify(identities));
  addLogin(app, { ...identities, me: world.me, onEvent });
  app.use(async (c, next) => {
    const isApi = c.req.path === "/api" || c.req.path.startsWith("/api/");
    if (c.get("session") !== undefined || (isApi && c.get("bearer"))) return await next();
    if (isApi || c.req.method === "POST" || c.req.path === "/events") return refuse(c, 401, "log in first");
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/login?${new URLSearchParams({ next: `${pathname}${search}` })}`, 303);
  });
  app.get("/events", (c) => {
    if (ticker.isFull) return c.text(`503 ${mostListeners} pages are open already\n`, 503);
    return c.body(eventStream(ticker), 200, { "Content-Type": "text/event-stream" });
  });
  addPages(app, world);
  app.all("/api/*", async (c) => (await api()).fetch(c.req.raw, callerOf(c)));

  app.notFound((c) => c.text("404 there is no such page\n", 404));
  app.onError((error, c) => {
    onError(error);
    return c.text("500 something went wrong\n", 500);
  });
  return app;
}

/** Makes something at the first call, and answers the same ever after. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}
