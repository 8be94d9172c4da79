/** Which request gets which answer, logged in or not. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { securityHeaders } from "../../components/admin/app.ts";
import type { World } from "../../components/admin/world.ts";
import { Browser, host, loggedIn, makeApp, origin } from "./fake_world.ts";
import { away, smtpd, withComponents } from "./samples.ts";

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly world?: Partial<World>;
}

async function ask(path: string, { method = "GET", host: named = host, world }: Asked = {}) {
  const { app, errors } = makeApp(world);
  const response = await app.request(`${origin}${path}`, { method, headers: { Host: named } });
  return { status: response.status, headers: response.headers, text: await response.text(), errors };
}

const broken: Partial<World> = { overview: () => Promise.reject(new Error("secret /path")) };

describe("createApp(), for whoever can connect,", () => {
  const rows: { name: string; path: string; asked?: Asked; status: number; type: RegExp; text: RegExp }[] = [
    {
      name: "the style sheet",
      path: "/style.css",
      status: 200,
      type: /^text\/css/,
      text: /prefers-color-scheme: dark/,
    },
    { name: "the script", path: "/app.js", status: 200, type: /^text\/javascript/, text: /^"use strict";/ },
    { name: "the icon", path: "/icon.svg", status: 200, type: /^image\/svg/, text: /^<svg / },
    { name: "the login form", path: "/login", status: 200, type: /^text\/html/, text: /^<!doctype html>/ },
    { name: "health", path: "/healthz", status: 200, type: /^text\/plain/, text: /^ok\n$/ },
    { name: "readiness", path: "/readyz", status: 200, type: /^text\/plain/, text: /^ready\n$/ },
    { name: "metrics", path: "/metrics", status: 200, type: /^text\/plain; version=0\.0\.4/, text: /^# HELP / },
    {
      name: "the dashboard",
      path: "/grafana.json",
      status: 200,
      type: /^application\/json/,
      text: /^\{"title":"dqmail"/,
    },
    { name: "HEAD", path: "/healthz", asked: { method: "HEAD" }, status: 200, type: /^text\/plain/, text: /^$/ },
    { name: "a page", path: "/", status: 303, type: /^/, text: /^$/ },
    { name: "a page that is none", path: "/admin", status: 303, type: /^/, text: /^$/ },
    { name: "the API", path: "/api/v1/status", status: 401, type: /^application\/json/, text: /^\{"error":/ },
    { name: "the API's document", path: "/api/openapi.json", status: 401, type: /^application\/json/, text: /"error"/ },
    { name: "the stream of events", path: "/events", status: 401, type: /^application\/json/, text: /"error"/ },
    { name: "a form", path: "/queue/act", asked: { method: "POST" }, status: 401, type: /json/, text: /"error"/ },
    {
      name: "a foreign host",
      path: "/",
      asked: { host: "evil.example" },
      status: 421,
      type: /^text\/plain/,
      text: /^421/,
    },
    { name: "DELETE", path: "/x", asked: { method: "DELETE" }, status: 405, type: /^text\/plain/, text: /^405 / },
    { name: "OPTIONS", path: "/metrics", asked: { method: "OPTIONS" }, status: 405, type: /^text/, text: /^405 / },
    {
      name: "a surprise",
      path: "/healthz",
      asked: { world: broken },
      status: 500,
      type: /^text\/plain/,
      text: /^500 something went wrong\n$/,
    },
  ];
  for (const { name, path, asked, status, type, text } of rows) {
    it(`answers ${name} with ${status}, and with the security headers`, async () => {
      const answer = await ask(path, asked);
      assertEquals(answer.status, status);
      assertMatch(answer.headers.get("content-type") ?? "", type);
      assertMatch(answer.text, text);
      for (const [header, value] of Object.entries(securityHeaders)) {
        assertEquals(answer.headers.get(header), value, header);
      }
      assertEquals(answer.headers.get("allow"), status === 405 ? "GET, HEAD, POST" : null);
      assertEquals(answer.errors.length, status === 500 ? 1 : 0);
    });
  }

  it("asks nobody for a request it refuses", async () => {
    const refuse = () => Promise.reject(new Error("asked"));
    const world = { overview: refuse, list: refuse, rates: refuse };
    assertEquals((await ask("/healthz", { host: "evil.example", world })).status, 421);
    for (const path of ["/", "/queue", "/api/v1/queue"]) assertEquals((await ask(path, { world })).errors, []);
  });

  it("has in /healthz a line for each defect, in one line whatever a component is called", async () => {
    const named = withComponents({ ...smtpd, name: "a\nok\r\n\x1b[2J", state: "waiting" });
    const overview = () => Promise.resolve({ ...named, queue: away });
    const { status, text } = await ask("/healthz", { world: { overview } });
    assertEquals([status, text], [503, "qmail-queue cannot be reached\na_ok___[2J is not running: waiting\n"]);
  });

  it("is ready while one component restarts, and not while the queue is away", async () => {
    const restarting = withComponents(smtpd, { ...smtpd, name: "qmail-popup", state: "waiting" });
    assertEquals((await ask("/readyz", { world: { overview: () => Promise.resolve(restarting) } })).status, 200);
    const without = () => Promise.resolve({ ...restarting, queue: away });
    const { status, text } = await ask("/readyz", { world: { overview: without } });
    assertEquals([status, text], [503, "qmail-queue cannot be reached\n"]);
  });

  it("has no address or destination in its metrics", async () => {
    const { text } = await ask("/metrics");
    assertMatch(text, /\ndqmail_destinations\{state="backing off"\} 1\n/);
    assertEquals(/example/.test(text), false);
  });
});

describe("createApp(), for whoever is logged in,", () => {
  const pages = ["/", "/queue", "/queue/4711", "/destinations", "/log", "/trace?address=x", "/doctor", "/config"];
  for (const path of pages) {
    it(`shows ${path}`, async () => {
      const { made, browser } = await loggedIn();
      const { status, text } = await browser.get(path);
      assertEquals([status, made.errors], [200, []]);
      assertStringIncludes(text, `<a class="skip" href="#main">`);
    });
  }

  it("knows no other page, and no message that is no number", async () => {
    const { browser } = await loggedIn();
    for (const path of ["/admin", "/queue/", "/queue/12x", "/queue/-1", "/queue/1234567890123456", "/healthz/"]) {
      assertEquals((await browser.get(path)).status, 404, path);
    }
  });

  it("finds a message by its number, and an address in the log", async () => {
    const { browser } = await loggedIn();
    const rows = [
      ["4711", "/queue/4711"],
      ["#4711", "/queue/4711"],
      ["<amy@a.example>", "/trace?address=amy%40a.example"],
      ["", "/queue"],
      ["a\r\nX: y", "/trace?address=a%0D%0AX%3A+y"],
    ];
    for (const [word, want] of rows) {
      const { status, headers } = await browser.get(`/find?${new URLSearchParams({ q: word! })}`);
      assertEquals([status, headers.get("location"), headers.get("x")], [303, want, null]);
    }
  });

  it("shows pages while every component is away", async () => {
    const silent = () => Promise.resolve(away);
    const { made, browser } = await loggedIn({
      ...{ rates: silent, controls: silent, list: silent, content: silent, show: silent, act: silent },
      ...{ destinations: silent, steer: silent, traceMessage: silent, traceAddress: silent, tail: silent },
    });
    for (const path of pages) {
      const { status, text } = await browser.get(path);
      assertEquals(status, 200, path);
      if (path !== "/doctor") assertStringIncludes(text, "cannot be reached", path);
    }
    assertEquals(made.errors, []);
  });

  it("ends the session with its form alone", async () => {
    const { browser, made } = await loggedIn();
    assertEquals((await browser.post("/logout", [])).status, 403);
    assertEquals(made.sessions.size, 1);
    assertEquals((await browser.post("/logout", [["csrf", await browser.csrf()]])).headers.get("location"), "/login");
    assertEquals([made.sessions.size, (await new Browser(made).get("/")).status], [0, 303]);
  });
});
