/**
 * Logging in and out.
 * @module
 */
import type { Hono } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { isToken } from "../../lib/admin_token/token_file.ts";
import { renderLogin } from "../pages/login.tsx";
import { type AdminEnv, callerOf, cookieName, forgeryOf, type Identities, originOf, refuse } from "./guard.ts";

export interface LoginOptions extends Identities {
  readonly me: () => string;
  readonly onEvent: (event: string) => void;
}

/** A path of ours to go on to: nothing else may be reached by a link to the login form. */
export function safeNext(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])[!-~]{0,2000}$/.test(next) && !next.includes("\\") ? next : "/";
}

export function addLogin(app: Hono<AdminEnv>, options: LoginOptions): void {
  const { sessions, throttle, tokenHash, nowMs, me, onEvent } = options;
  const form = (next: string, error?: string) =>
    renderLogin({ host: me(), next, canLogIn: tokenHash() !== "", ...(error === undefined ? {} : { error }) });

  app.get("/login", (c) => {
    const next = safeNext(c.req.query("next"));
    return c.get("session") === undefined ? c.html(form(next)) : c.redirect(next, 303);
  });

  app.post("/login", async (c) => {
    if (originOf(c.req.raw.headers) === "other") return refuse(c, 403, "the request comes from another site");
    // A form that cannot be read holds no token.
    const { token, next: wanted } = await c.req.parseBody().catch((): Record<string, unknown> => ({}));
    const next = safeNext(wanted);
    if (typeof token !== "string" || !isToken(token.trim(), tokenHash())) {
      onEvent("login_failed");
      return await throttle.failed()
        ? c.html(form(next, "This is not the token."), 401)
        : c.html(form(next, "Too many wrong tokens. Try again in a few seconds."), 429);
    }
    throttle.succeeded();
    const before = c.get("session");
    if (before !== undefined) sessions.close(before.id);
    const session = sessions.open(nowMs());
    // Behind a proxy that speaks TLS the browser's own way here is safe.
    const secure = c.req.url.startsWith("https:") || c.req.header("x-forwarded-proto") === "https";
    setCookie(c, cookieName(c.req.header("host")), session.id, {
      path: "/",
      httpOnly: true,
      sameSite: "Strict",
      secure,
    });
    onEvent("login");
    return c.redirect(next, 303);
  });

  app.post("/logout", async (c) => {
    const { csrf } = await c.req.parseBody();
    const forgery = forgeryOf(c.req.raw.headers, callerOf(c), csrf);
    if (forgery !== undefined) return refuse(c, 403, forgery);
    const session = c.get("session");
    if (session !== undefined) sessions.close(session.id);
    deleteCookie(c, cookieName(c.req.header("host")), { path: "/" });
    return c.redirect("/login", 303);
  });
}
