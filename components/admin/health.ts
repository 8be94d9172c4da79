/**
 * What monitors ask, without a login: health, readiness, metrics and the dashboard for them. No address is in any of it.
 * @module
 */
import type { Hono } from "hono";
import { visible } from "../lib/log/log.ts";
import type { AdminEnv } from "./auth/guard.ts";
import dashboard from "./grafana.json" with { type: "json" };
import { formatMetrics, metricsType } from "./metrics.ts";
import { defectsOf, unreadyOf } from "./overview.ts";
import type { World } from "./world.ts";

export function addHealth(app: Hono<AdminEnv>, world: World): void {
  app.get("/healthz", async (c) => {
    const defects = defectsOf(await world.overview());
    return defects.length === 0 ? c.text("ok\n") : c.text(linesOf(defects), 503);
  });
  app.get("/readyz", async (c) => {
    const defects = unreadyOf(await world.overview());
    return defects.length === 0 ? c.text("ready\n") : c.text(linesOf(defects), 503);
  });
  app.get("/metrics", async (c) => {
    const [overview, destinations] = await Promise.all([world.overview(), world.destinations()]);
    const text = formatMetrics(overview, destinations, world.nowMs());
    return c.body(text, 200, { "Content-Type": metricsType });
  });
  app.get("/grafana.json", (c) => c.json(dashboard));
}

/** A defect a line, word by word made harmless: its names come from elsewhere. */
function linesOf(defects: readonly string[]): string {
  return defects.map((defect) => `${defect.split(" ").map(visible).join(" ")}\n`).join("");
}
