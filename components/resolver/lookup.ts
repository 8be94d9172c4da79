/**
 * One lookup as a state machine: which server to ask next and how, from what came of the last try. A server that was
 * silent is asked again while there is time; one that gave an answer of no use is not.
 * @module
 */
import type { Endpoint } from "../../config/values.ts";
import type { ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { briefSeconds, findAnswer } from "./answer.ts";
import { type Question, rcodes, type Response } from "./packet.ts";

/** What to send. */
export interface Ask {
  readonly server: Endpoint;
  readonly over: "udp" | "tcp";
  readonly edns: boolean;
  readonly question: Question;
  readonly timeoutMs: number;
}

/** What came of it. */
export type Exchanged =
  | { readonly kind: "response"; readonly response: Response }
  | { readonly kind: "truncated" }
  | { readonly kind: "silent" }
  | { readonly kind: "failed"; readonly why: string };

/** The reply for the client, and how long it may be remembered. */
export interface Answer {
  readonly reply: ResolveReply;
  readonly ttlSeconds: number;
}

export type Step =
  | { readonly kind: "ask"; readonly ask: Ask; readonly lookup: Lookup }
  | { readonly kind: "done"; readonly answer: Answer };

/** A lookup between two tries. */
export interface Lookup {
  readonly type: Question["type"];
  /** The question's name, then the aliases it led to; the last is asked for. */
  readonly path: readonly string[];
  /** In the order in which to ask. */
  readonly servers: readonly Endpoint[];
  /** Whether a server's AD bit counts. */
  readonly believes: (server: Endpoint) => boolean;
  readonly asked: number;
  readonly over: "udp" | "tcp";
  readonly edns: boolean;
  /** Servers that were no help with the last name of the path. */
  readonly failed: ReadonlySet<number>;
  readonly ttlSeconds: number;
  readonly authenticated: boolean;
  readonly endMs: number;
}

const tryMs = 2000;
const lookupMs = 10_000;

/** The answer when nobody could say. */
export const temporaryAnswer: Answer = {
  reply: { status: "temporary", authenticated: false, records: [] },
  ttlSeconds: briefSeconds,
};

export interface LookupOptions {
  /** In the order in which to ask; must not be empty. */
  readonly servers: readonly Endpoint[];
  /** Whether a server's AD bit counts. */
  readonly believes: (server: Endpoint) => boolean;
  /** When it was asked for: ten seconds later it ends. */
  readonly sinceMs: number;
  /** Default: `sinceMs`. */
  readonly nowMs?: number;
}

/** Begins a lookup. */
export function beginLookup(
  question: Question,
  { servers, believes, sinceMs, nowMs = sinceMs }: LookupOptions,
): Step {
  const lookup: Lookup = {
    type: question.type,
    path: [question.name],
    servers,
    believes,
    asked: 0,
    over: "udp",
    edns: true,
    failed: new Set(),
    ttlSeconds: Infinity,
    authenticated: true,
    endMs: sinceMs + lookupMs,
  };
  return askNow(lookup, nowMs);
}

/** The next step after the last try ended. */
export function continueLookup(lookup: Lookup, exchanged: Exchanged, nowMs: number): Step {
  switch (exchanged.kind) {
    case "silent":
      return askNext(lookup, nowMs);
    case "failed":
      return askNext(withoutThisServer(lookup), nowMs);
    case "truncated":
      return lookup.over === "udp"
        ? askNow({ ...lookup, over: "tcp" }, nowMs)
        : askNext(withoutThisServer(lookup), nowMs);
    case "response":
      return onResponse(lookup, exchanged.response, nowMs);
  }
}

function onResponse(lookup: Lookup, response: Response, nowMs: number): Step {
  switch (response.rcode) {
    case rcodes.noError:
    case rcodes.nxDomain:
      return onAnswer(lookup, response, nowMs);
    case rcodes.formErr:
    case rcodes.notImp:
      // An old server that knows no EDNS (RFC 6891 §6.2.2).
      if (lookup.edns) return askNow({ ...lookup, edns: false }, nowMs);
      return askNext(withoutThisServer(lookup), nowMs);
    default:
      return askNext(withoutThisServer(lookup), nowMs);
  }
}

function onAnswer(lookup: Lookup, response: Response, nowMs: number): Step {
  const found = findAnswer(response, lookup.type, lookup.path);
  const isBelieved = response.authenticated && lookup.believes(lookup.servers[lookup.asked]!);
  const authenticated = lookup.authenticated && isBelieved;
  switch (found.kind) {
    case "final": {
      const ttlSeconds = Math.min(lookup.ttlSeconds, found.ttlSeconds);
      const alias = found.path.length > 1 ? { canonical: found.path.at(-1)! } : {};
      return {
        kind: "done",
        answer: { reply: { status: found.status, authenticated, records: found.records, ...alias }, ttlSeconds },
      };
    }
    case "alias": {
      const ttlSeconds = Math.min(lookup.ttlSeconds, found.ttlSeconds);
      return askNow({ ...lookup, path: found.path, ttlSeconds, authenticated, over: "udp", failed: new Set() }, nowMs);
    }
    case "unusable":
      return { kind: "done", answer: temporaryAnswer };
    case "lame":
      return askNext(withoutThisServer(lookup), nowMs);
  }
}

function withoutThisServer(lookup: Lookup): Lookup {
  return { ...lookup, failed: new Set([...lookup.failed, lookup.asked]) };
}

function askNext(lookup: Lookup, nowMs: number): Step {
  const count = lookup.servers.length;
  for (let ahead = 1; ahead <= count; ahead++) {
    const asked = (lookup.asked + ahead) % count;
    if (!lookup.failed.has(asked)) return askNow({ ...lookup, asked, over: "udp", edns: true }, nowMs);
  }
  return { kind: "done", answer: temporaryAnswer };
}

function askNow(lookup: Lookup, nowMs: number): Step {
  const leftMs = lookup.endMs - nowMs;
  if (leftMs <= 0) return { kind: "done", answer: temporaryAnswer };
  return {
    kind: "ask",
    lookup,
    ask: {
      server: lookup.servers[lookup.asked]!,
      over: lookup.over,
      edns: lookup.edns,
      question: { name: lookup.path.at(-1)!, type: lookup.type },
      timeoutMs: Math.min(tryMs, leftMs),
    },
  };
}
