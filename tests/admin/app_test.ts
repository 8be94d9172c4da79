import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createApp, securityHeaders } from "../../components/admin/app.ts";
import type { Overview } from "../../components/admin/overview.ts";
import { away, overview, smtpd, withComponents } from "./samples.ts";

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly overview?: () => Promise<Overview>;
}

async function ask(path: string, { method = "GET", host = "127.0.0.1:8025", overview: take }: Asked = {}) {
  const errors: unknown[] = [];
  const app = createApp({
    me: () => "mx.example.org",
    overview: take ?? (() => Promise.resolve(overview)),
    onError: (error) => errors.push(error),
  });
  const response = await app.request(path, { method, headers: { Host: host } });
  return { status: response.status, headers: response.headers, text: await response.text(), errors };
}

describe("createApp()", () => {
  const rows: { name: string; path: string; asked?: Asked; status: number; type: RegExp; text: RegExp }[] = [
    { name: "the page", path: "/", status: 200, type: /^text\/html; charset=utf-8$/i, text: /^<!doctype html>/ },
    {
      name: "its style sheet",
      path: "/style.css",
      status: 200,
      type: /^text\/css/,
      text: /prefers-color-scheme: dark/,
    },
    { name: "health", path: "/healthz", status: 200, type: /^text\/plain/, text: /^ok\n$/ },
    { name: "metrics", path: "/metrics", status: 200, type: /^text\/plain; version=0\.0\.4/, text: /^# HELP / },
    { name: "another page", path: "/admin", status: 404, type: /^text\/plain/, text: /^404 / },
    {
      name: "a page that is longer than one it knows",
      path: "/healthz/",
      status: 404,
      type: /^text\/plain/,
      text: /^404 /,
    },
    {
      name: "a foreign host",
      path: "/",
      asked: { host: "evil.example" },
      status: 421,
      type: /^text\/plain/,
      text: /^421 /,
    },
    { name: "POST", path: "/", asked: { method: "POST" }, status: 405, type: /^text\/plain/, text: /^405 / },
    {
      name: "DELETE of nothing",
      path: "/x",
      asked: { method: "DELETE" },
      status: 405,
      type: /^text\/plain/,
      text: /^405 /,
    },
    {
      name: "OPTIONS",
      path: "/metrics",
      asked: { method: "OPTIONS" },
      status: 405,
      type: /^text\/plain/,
      text: /^405 /,
    },
    { name: "HEAD", path: "/", asked: { method: "HEAD" }, status: 200, type: /^text\/html/, text: /^$/ },
    {
      name: "a surprise",
      path: "/",
      asked: { overview: () => Promise.reject(new Error("secret /path")) },
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
      assertEquals(answer.headers.get("allow"), status === 405 ? "GET, HEAD" : null);
      assertEquals(answer.errors.length, status === 500 ? 1 : 0);
    });
  }

  it("does not ask anybody for a request it refuses", async () => {
    const refuse = () => Promise.reject(new Error("asked"));
    assertEquals((await ask("/", { host: "evil.example", overview: refuse })).status, 421);
    assertEquals((await ask("/", { method: "POST", overview: refuse })).status, 405);
  });

  it("answers 503 with a line for each defect", async () => {
    const broken = { ...withComponents({ ...smtpd, state: "waiting" }), queue: away };
    const { status, text } = await ask("/healthz", { overview: () => Promise.resolve(broken) });
    assertEquals([status, text], [503, "qmail-queue cannot be reached\nqmail-smtpd is not running: waiting\n"]);
  });

  it("keeps a defect on one line whatever a component is called", async () => {
    const broken = withComponents({ ...smtpd, name: "a\nok\r\n\x1b[2J", state: "waiting" });
    const { text } = await ask("/healthz", { overview: () => Promise.resolve(broken) });
    assertEquals(text, "a_ok___[2J is not running: waiting\n");
  });

  it("forbids framing and everything but its own style sheet", () => {
    const policy = securityHeaders["Content-Security-Policy"]!;
    for (const part of ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"]) {
      assertStringIncludes(policy, part);
    }
  });
});
