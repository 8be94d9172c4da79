/**
 * Whether a request may have what it asks for: from which page it comes, who is logged in, and what it has to prove.
 * @module
 */
import type { Context, Env, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { isToken } from "../../lib/admin_token/token_file.ts";
import { hasCsrf, type Session, type Sessions } from "./sessions.ts";
import type { Throttle } from "./throttle.ts";

/** What is known of whoever asks. */
export interface Caller {
  /** Of a browser that is logged in. */
  readonly session: Session | undefined;
  /** The token came with the request itself. */
  readonly bearer: boolean;
}

export interface AdminEnv extends Env {
  readonly Variables: { session: Session | undefined; bearer: boolean };
}

/** Who makes this request. */
export function callerOf(c: Context<AdminEnv>): Caller {
  return { session: c.get("session"), bearer: c.get("bearer") };
}

/** Cookies are not kept apart by ports, and several of us may run on one host. */
export function cookieName(host: string | undefined): string {
  const [, port = "80"] = /:([0-9]{1,5})$/.exec(host ?? "") ?? [];
  return `dqmail-admin-${port}`;
}

/** Where a request comes from, as the browser says: `unknown` is a program, or a browser of long ago. */
export function originOf(headers: Headers): "same" | "other" | "unknown" {
  const [site, origin] = [headers.get("sec-fetch-site"), headers.get("origin")];
  if (site !== null && site !== "same-origin") return "other";
  if (origin === null) return site === null ? "unknown" : "same";
  return hostOf(origin) === (headers.get("host") ?? "").toLowerCase() ? "same" : "other";
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

/** The token of `Authorization: Bearer`; undefined: there is no such field. */
export function bearerOf(headers: Headers): string | undefined {
  const value = headers.get("authorization");
  return value === null ? undefined : /^bearer +(\S+) *$/i.exec(value)?.[1] ?? "";
}

export interface Identities {
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly tokenHash: () => string;
  readonly nowMs: () => number;
}

/** Finds out who asks; refuses nobody but those with a wrong token. */
export function identify({ sessions, throttle, tokenHash, nowMs }: Identities): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const token = bearerOf(c.req.raw.headers);
    c.set("bearer", false);
    c.set("session", undefined);
    if (token === undefined) {
      const id = getCookie(c, cookieName(c.req.header("host")));
      const quietly = c.req.header("x-live") !== undefined;
      c.set("session", sessions.find(id, nowMs(), { quietly }));
    } else if (isToken(token, tokenHash())) {
      throttle.succeeded();
      c.set("bearer", true);
    } else {
      const heard = await throttle.failed();
      return heard ? refuse(c, 401, "this is not the token") : refuse(c, 429, "too many wrong tokens, try again later");
    }
    await next();
  };
}

/** An answer to a program, or to a request that no page of ours makes. */
export function refuse(c: Context, status: 401 | 403 | 404 | 429 | 400 | 502, error: string): Response {
  const headers: Record<string, string> = {};
  if (status === 401) headers["WWW-Authenticate"] = 'Bearer realm="dqmail"';
  if (status === 429) headers["Retry-After"] = "10";
  return c.json({ error }, status, headers);
}

/** Whether a request that changes something is really meant: undefined, or why it is not taken. */
export function forgeryOf(headers: Headers, { session, bearer }: Caller, csrf: unknown): string | undefined {
  const origin = originOf(headers);
  if (origin === "other") return "the request comes from another site";
  // A page of another site cannot add the header of a token.
  if (bearer) return undefined;
  if (session === undefined) return "nobody is logged in";
  if (origin === "unknown") return "the request does not say which page it comes from";
  return hasCsrf(session, csrf) ? undefined : "the form is not of this session; go back, reload the page and try again";
}
