/**
 * The HTTP side: which request gets which answer. It asks for an overview by the function it is given and looks at
 * nothing else. Reading is all it offers, therefore there is no login.
 * @module
 */
import { Hono } from "hono";
import { visible } from "../lib/log/log.ts";
import { isOwnHost } from "./host_header.ts";
import { formatMetrics, metricsType } from "./metrics.ts";
import { defectsOf, type Overview } from "./overview.ts";
import { renderPage } from "./page.tsx";
import { style } from "./style.ts";

export interface AppOptions {
  /** control/me as it is now, in lower case. */
  readonly me: () => string;
  readonly overview: () => Promise<Overview>;
  /** Told about surprises; the client gets a bare 500. */
  readonly onError: (error: unknown) => void;
}

/** On every answer. Nothing may be loaded but our own style sheet; nobody may frame, embed, sniff or keep the page. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

const methods = ["GET", "HEAD"];

/** The pages and their guards. */
export function createApp({ me, overview, onError }: AppOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    if (!isOwnHost(c.req.header("host"), me())) c.res = c.text("421 not a name of this server\n", 421);
    else if (!methods.includes(c.req.method)) {
      c.res = c.text("405 only GET and HEAD\n", 405, { Allow: methods.join(", ") });
    } else await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.header(name, value);
  });
  app.get("/", async (c) => c.html(renderPage(await overview())));
  app.get("/style.css", (c) => c.body(style, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/healthz", async (c) => {
    const defects = defectsOf(await overview());
    if (defects.length === 0) return c.text("ok\n");
    return c.text(defects.map((defect) => `${oneLine(defect)}\n`).join(""), 503);
  });
  app.get("/metrics", async (c) => c.body(formatMetrics(await overview()), 200, { "Content-Type": metricsType }));
  app.notFound((c) => c.text("404 there is no such page\n", 404));
  app.onError((error, c) => {
    onError(error);
    return c.text("500 something went wrong\n", 500);
  });
  return app;
}

/** A defect as one line, word by word made harmless: its names come from elsewhere. */
function oneLine(defect: string): string {
  return defect.split(" ").map(visible).join(" ");
}
