/**
 * The API's routes as the document has them.
 * @module
 */
import { createRoute, type z } from "@hono/zod-openapi";
import * as schemas from "./schemas.ts";

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

const failed = {
  400: json(schemas.failure, "The request makes no sense"),
  401: json(schemas.failure, "Not logged in, or a wrong token"),
  502: json(schemas.failure, "The component that was asked gave no answer"),
};
const forbidden = { 403: json(schemas.failure, "From another site, or without the session's word") };
const absent = { 404: json(schemas.failure, "There is no such message") };

const security = [{ bearer: [] }, { session: [] }];

const get = { method: "get", security } as const;
const post = { method: "post", security } as const;
const body = <S extends z.ZodType>(schema: S) => ({ content: { "application/json": { schema } }, required: true });

export const endpoints = {
  status: createRoute({
    ...get,
    path: "/api/v1/status",
    summary: "How it is",
    responses: { 200: json(schemas.status, "Counters, and what is wrong"), ...failed },
  }),
  components: createRoute({
    ...get,
    path: "/api/v1/components",
    summary: "The processes, and what each may touch",
    responses: { 200: json(schemas.components, "All that the supervisor knows"), ...failed },
  }),
  rates: createRoute({
    ...get,
    path: "/api/v1/rates",
    summary: "Each minute of the last hour",
    responses: { 200: json(schemas.rates, "The oldest first"), ...failed },
  }),
  queue: createRoute({
    ...get,
    path: "/api/v1/queue",
    summary: "A page of the queue",
    request: { query: schemas.queueQuestion },
    responses: { 200: json(schemas.queue, "Messages, and where this page stands"), ...failed },
  }),
  act: createRoute({
    ...post,
    path: "/api/v1/queue/actions",
    summary: "Retry, hold, release, expire or delete messages",
    request: { body: body(schemas.order) },
    responses: { 200: json(schemas.results, "What became of each"), ...failed, ...forbidden },
  }),
  message: createRoute({
    ...get,
    path: "/api/v1/queue/{message}",
    summary: "One message",
    request: { params: schemas.messageParam },
    responses: { 200: json(schemas.message, "Where it stands"), ...failed, ...absent },
  }),
  content: createRoute({
    ...get,
    path: "/api/v1/queue/{message}/content",
    summary: "What a message says, as text",
    request: { params: schemas.messageParam },
    responses: { 200: json(schemas.content, "Fields, text, names of attachments"), ...failed, ...absent },
  }),
  trace: createRoute({
    ...get,
    path: "/api/v1/queue/{message}/trace",
    summary: "Why: all that the log tells of a message",
    request: { params: schemas.messageParam, query: schemas.lifeQuery },
    responses: { 200: json(schemas.trace, "In the order of time"), ...failed },
  }),
  addressTrace: createRoute({
    ...get,
    path: "/api/v1/trace",
    summary: "What became of mail from or to an address",
    request: { query: schemas.addressQuery },
    responses: { 200: json(schemas.addressTrace, "The newest first"), ...failed },
  }),
  log: createRoute({
    ...get,
    path: "/api/v1/log",
    summary: "The newest lines of the log",
    request: { query: schemas.tailQuery },
    responses: { 200: json(schemas.tail, "In the order of time"), ...failed },
  }),
  destinations: createRoute({
    ...get,
    path: "/api/v1/destinations",
    summary: "Remote destinations",
    responses: { 200: json(schemas.destinations, "Those with deliveries, and those that are paused"), ...failed },
  }),
  steer: createRoute({
    ...post,
    path: "/api/v1/destinations",
    summary: "Pause or resume a destination",
    request: { body: body(schemas.steering) },
    responses: { 200: json(schemas.steered, "What became of it"), ...failed, ...forbidden },
  }),
  doctor: createRoute({
    ...get,
    path: "/api/v1/doctor",
    summary: "What the DNS says of a domain",
    request: { query: schemas.doctorQuery },
    responses: { 200: json(schemas.findings, "In the order in which one would put things right"), ...failed },
  }),
  config: createRoute({
    ...get,
    path: "/api/v1/config",
    summary: "Every control file",
    responses: { 200: json(schemas.config, "Values, defaults, meanings; secrets are hidden"), ...failed },
  }),
};
