/**
 * The API: the same questions and orders as the pages', as JSON.
 * @module
 */
import { OpenAPIHono, type z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { isAddress, isDomain } from "../../../config/values.ts";
import { utf8Octets } from "../../lib/octets.ts";
import { destinationOf } from "../../lib/wire/control_protocol.ts";
import { type Caller, forgeryOf } from "../auth/guard.ts";
import { bare, defaultQuery, questionOf } from "../queue_query.ts";
import { textOf } from "../text.ts";
import type { World } from "../world.ts";
import { endpoints } from "./endpoints.ts";
import {
  addressTraceShape,
  destinationShape,
  messageShape,
  queueShape,
  ratesShape,
  statusShape,
  tailShape,
  traceShape,
} from "./shapes.ts";

/** Who asks is known before a request gets here. */
export interface ApiEnv {
  readonly Bindings: Caller;
}

/** What the document says besides the routes. */
const about = {
  openapi: "3.1.0",
  info: {
    title: "dqmail",
    version: "1",
    description: "The operator's API: the queue, the log, destinations, DNS and control files of one dqmail.",
  },
};

const usualTail = 100;
const usualLives = 20;
const mostIps = 20;

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  return issue === undefined ? "malformed" : `${issue.path.join(".") || "body"}: ${issue.message}`;
}

/** Who was asked and why there is no answer. */
function silent(c: Context, who: string, { why }: { readonly why: string }) {
  return c.json({ error: `${who} ${why}` }, 502);
}

/** A browser says its session's word in a field of the request. */
function forged(c: Context<ApiEnv>): string | undefined {
  return forgeryOf(c.req.raw.headers, c.env, c.req.header("x-csrf-token"));
}

/** What was said wrong about where mail leaves from; or the addresses. */
function addressesIn(text: string | undefined): readonly string[] | undefined {
  const ips = (text ?? "").split(/[\s,]+/).filter((ip) => ip !== "");
  return ips.length <= mostIps && ips.every((ip) => isAddress(ip)) ? ips : undefined;
}

/** The API of a world. `onError` is told about surprises. */
export function createApi(world: World, onError: (error: unknown) => void): OpenAPIHono<ApiEnv> {
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (!result.success) return c.json({ error: firstIssue(result.error) }, 400);
    },
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  api.openAPIRegistry.registerComponent("securitySchemes", "session", {
    ...{ type: "apiKey", in: "cookie", name: "dqmail-admin-PORT" },
    description: "The pages' own cookie; POST needs the session's word in X-CSRF-Token as well.",
  });

  api.use(async (c, next) => {
    const isJson = /^application\/json *(;|$)/i.test(c.req.header("content-type") ?? "");
    if (c.req.method === "POST" && !isJson) return c.json({ error: "expected a body of type application/json" }, 400);
    await next();
  });

  addQueue(api, world);
  addLog(api, world);

  api.openapi(endpoints.status, async (c) => c.json(statusShape(await world.overview()), 200));
  api.openapi(endpoints.components, async (c) => {
    const { supervisor } = await world.overview();
    if (supervisor.kind === "away") return silent(c, "supervisor", supervisor);
    const components = supervisor.status.components.map((one) => ({
      ...one,
      ...{ pid: one.pid ?? null, uid: one.uid ?? null, ports: { ...one.ports }, grant: [...one.grant] },
    }));
    return c.json({ components }, 200);
  });
  api.openapi(endpoints.destinations, async (c) => {
    const answer = await world.destinations();
    if (answer.kind === "away") return silent(c, "qmail-send", answer);
    return c.json({ destinations: answer.status.map(destinationShape) }, 200);
  });
  api.openapi(endpoints.steer, async (c) => {
    const forgery = forged(c);
    if (forgery !== undefined) return c.json({ error: forgery }, 403);
    const { action, destination } = c.req.valid("json");
    const name = destinationOf(utf8Octets(destination));
    if (name === undefined) return c.json({ error: "destination: that can be no destination's name" }, 400);
    const answer = await world.steer(action, name);
    if (answer.kind === "away") return silent(c, "qmail-send", answer);
    const { changed, paused } = answer.status;
    return c.json({ destination: textOf(answer.status.destination), changed, paused: paused.map(textOf) }, 200);
  });
  api.openapi(endpoints.doctor, async (c) => {
    const { domain: given, ips } = c.req.valid("query");
    const [domain, addresses] = [given.toLowerCase().replace(/\.$/, ""), addressesIn(ips)];
    if (!isDomain(domain)) return c.json({ error: "domain: expected a domain, in A-labels" }, 400);
    if (addresses === undefined) return c.json({ error: "ips: expected addresses, with commas between them" }, 400);
    const found = await world.examine(domain, addresses);
    const findings = found.map(({ paste, ...rest }) => ({
      ...rest,
      ...(paste === undefined ? {} : { paste: [...paste] }),
    }));
    return c.json({ domain, findings }, 200);
  });
  api.openapi(endpoints.config, async (c) => {
    const answer = await world.controls();
    if (answer.kind === "away") return silent(c, "supervisor", answer);
    const controls = answer.status.map((one) => ({ ...one, defect: one.defect ?? null, usedBy: [...one.usedBy] }));
    return c.json({ controls }, 200);
  });

  api.doc31("/api/openapi.json", about);
  api.notFound((c) => c.json({ error: "there is no such endpoint; /api/openapi.json lists them" }, 404));
  api.onError((error, c) => {
    // A body that is no JSON, say.
    if (error instanceof HTTPException && error.status === 400) return c.json({ error: error.message }, 400);
    onError(error);
    return c.json({ error: "something went wrong" }, 500);
  });
  return api;
}

function addQueue(api: OpenAPIHono<ApiEnv>, world: World): void {
  api.openapi(endpoints.queue, async (c) => {
    const asked = c.req.valid("query");
    const answer = await world.list(questionOf({ ...defaultQuery, ...present(asked) }));
    if (answer.kind === "away") return silent(c, "qread", answer);
    return c.json(queueShape(answer.status), 200);
  });
  api.openapi(endpoints.act, async (c) => {
    const forgery = forged(c);
    if (forgery !== undefined) return c.json({ error: forgery }, 403);
    const { action, messages } = c.req.valid("json");
    const answer = await world.act(action, [...new Set(messages)]);
    if (answer.kind === "away") return silent(c, "qmail-send", answer);
    return c.json({ results: answer.status.map((result) => ({ ...result, detail: textOf(result.detail) })) }, 200);
  });
  api.openapi(endpoints.message, async (c) => {
    const answer = await world.show(Number(c.req.valid("param").message));
    if (answer.kind === "away") return silent(c, "qmail-send", answer);
    if (answer.status === undefined) return gone(c);
    return c.json(messageShape(answer.status), 200);
  });
  api.openapi(endpoints.content, async (c) => {
    const answer = await world.content(Number(c.req.valid("param").message));
    if (answer.kind === "away") return silent(c, "qread", answer);
    if (answer.status === undefined) return gone(c);
    const { fields, attachments, ...rest } = answer.status;
    return c.json({ ...rest, fields: [...fields], attachments: [...attachments] }, 200);
  });
}

function gone(c: Context) {
  return c.json({ error: "there is no such message in the queue" }, 404);
}

function addLog(api: OpenAPIHono<ApiEnv>, world: World): void {
  api.openapi(endpoints.rates, async (c) => {
    const answer = await world.rates();
    return answer.kind === "away" ? silent(c, "multilog", answer) : c.json(ratesShape(answer.status), 200);
  });
  api.openapi(endpoints.trace, async (c) => {
    const { life = 1 } = c.req.valid("query");
    const answer = await world.traceMessage(Number(c.req.valid("param").message), life);
    return answer.kind === "away" ? silent(c, "multilog", answer) : c.json(traceShape(answer.status), 200);
  });
  api.openapi(endpoints.addressTrace, async (c) => {
    const { address, count = usualLives } = c.req.valid("query");
    const answer = await world.traceAddress(utf8Octets(bare(address)), count);
    return answer.kind === "away" ? silent(c, "multilog", answer) : c.json(addressTraceShape(answer.status), 200);
  });
  api.openapi(endpoints.log, async (c) => {
    const answer = await world.tail({ count: usualTail, ...present(c.req.valid("query")) });
    return answer.kind === "away" ? silent(c, "multilog", answer) : c.json(tailShape(answer.status), 200);
  });
}

/** Without the words that were not said. */
function present<T extends object>(asked: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as never;
}
