/** Who gets in, whose forms count, and what becomes of hostile text. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { safeNext } from "../../components/admin/auth/routes.ts";
import type { World } from "../../components/admin/world.ts";
import {
  Browser,
  content,
  control,
  destination,
  events,
  finding,
  hostile,
  loggedIn,
  makeApp,
  origin,
  row,
  shown,
  tagsOf,
  token,
} from "./fake_world.ts";
import { overview, smtpd, withComponents } from "./samples.ts";

describe("logging in", () => {
  it("sets a cookie that no script and no other site gets, and leads on", async () => {
    const browser = new Browser(makeApp());
    const { status, headers } = await browser.post("/login", [["token", token], ["next", "/queue?state=held"]]);
    assertEquals([status, headers.get("location")], [303, "/queue?state=held"]);
    assertMatch(headers.get("set-cookie")!, /^dqmail-admin-8025=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/);
    assertEquals((await browser.get("/queue")).status, 200);
  });

  it("marks the cookie as one for TLS behind a proxy that speaks it", async () => {
    const { headers } = await new Browser(makeApp()).post("/login", [["token", token]], {
      "X-Forwarded-Proto": "https",
    });
    assertMatch(headers.get("set-cookie")!, /; Secure/);
  });

  it("takes no other token, and answers each wrong one later than the last", async () => {
    const made = makeApp();
    const browser = new Browser(made);
    for (const wrong of ["", "x", token.slice(1), `${token}x`, token.toUpperCase(), "x".repeat(5000)]) {
      const { status, headers, text } = await browser.post("/login", [["token", wrong]]);
      assertEquals([status, headers.get("set-cookie")], [401, null], wrong);
      assertStringIncludes(text, "This is not the token.");
      assert(!text.includes(wrong) || wrong.length < 2);
    }
    assertEquals(made.waits, [250, 500, 1000, 2000, 4000, 8000]);
    assertEquals(made.logged, new Array(6).fill("login_failed"));
    assertEquals((await browser.logIn()).status, 303);
  });

  it("is possible for nobody without a token file", async () => {
    const made = makeApp({ tokenHash: () => "" });
    const browser = new Browser(made);
    for (const tried of ["", token]) assertEquals((await browser.post("/login", [["token", tried]])).status, 401);
    assertStringIncludes((await browser.get("/login")).text, "deno task admin token --new");
  });

  it("is nothing a form of another site can do", async () => {
    const made = makeApp();
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    assertEquals((await new Browser(made).post("/login", [["token", token]], headers)).status, 403);
    assertEquals(made.sessions.size, 0);
  });

  const nexts: readonly (readonly [unknown, string])[] = [
    ["/queue?a=b", "/queue?a=b"],
    ["//evil.example/", "/"],
    ["/\\evil.example", "/"],
    ["/a\\b", "/"],
    ["https://evil.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/a\r\nSet-Cookie: x=y", "/"],
    ["", "/"],
    [undefined, "/"],
    [["/a"], "/"],
  ];
  for (const [next, want] of nexts) {
    it(`leads on to ${want} from ${JSON.stringify(next)}`, () => assertEquals(safeNext(next), want));
  }
});

describe("a session", () => {
  it("is none by a cookie of somebody's own making", async () => {
    const made = makeApp();
    const browser = new Browser(made);
    for (const value of ["x", "", "__proto__", "a".repeat(32), "%00"]) {
      browser.cookie = `dqmail-admin-8025=${value}`;
      assertEquals((await browser.get("/")).status, 303, value);
    }
  });

  it("is over after two hours without a page, or twelve", async () => {
    let now = 0;
    const { browser } = await loggedIn({ nowMs: () => now });
    for (const hour of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
      now = hour * 3_600_000;
      assertEquals((await browser.get("/config")).status, 200, `${hour}`);
    }
    now = 12 * 3_600_000;
    assertEquals((await browser.get("/config")).status, 303);
    await browser.logIn();
    now += 2 * 3_600_000;
    assertEquals((await browser.get("/config")).status, 303);
  });

  it("is not kept alive by a page that renews itself", async () => {
    let now = 0;
    const { browser } = await loggedIn({ nowMs: () => now });
    now = 3_600_000;
    assertEquals((await browser.get("/config", { "X-Live": "1" })).status, 200);
    now = 2 * 3_600_000;
    assertEquals((await browser.get("/config")).status, 303);
  });
});

describe("a token that comes with the request", () => {
  const bearer = (word: string) => ({ Authorization: `Bearer ${word}` });

  it("opens the API, without cookie and word", async () => {
    const made = makeApp();
    const browser = new Browser(made);
    assertEquals((await browser.get("/api/v1/status", bearer(token))).status, 200);
    const response = await made.app.request(`${origin}/api/v1/queue/actions`, {
      method: "POST",
      headers: { Host: "localhost", "Content-Type": "application/json", ...bearer(token) },
      body: JSON.stringify({ action: "hold", messages: [1, 2, 2] }),
    });
    assertEquals([response.status, made.world.asked], [200, [{ kind: "act", action: "hold", messages: [1, 2] }]]);
  });

  it("has to be the right one", async () => {
    const made = makeApp();
    for (const wrong of ["x", `${token}x`, "a b", ""]) {
      const { status, headers } = await new Browser(made).get("/api/v1/status", bearer(wrong));
      assertEquals([status, headers.get("www-authenticate")], [401, 'Bearer realm="dqmail"'], wrong);
    }
    assertEquals((await new Browser(made).get("/api/v1/status", { Authorization: `Basic ${token}` })).status, 401);
    assertEquals(made.waits.length, 5);
  });

  it("opens no page, and counts from no other site", async () => {
    const made = makeApp();
    assertEquals((await new Browser(made).get("/queue", bearer(token))).status, 303);
    const response = await made.app.request(`${origin}/api/v1/destinations`, {
      method: "POST",
      headers: {
        ...bearer(token),
        Host: "localhost",
        Origin: "https://evil.example",
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ action: "pause", destination: "b.example" }),
    });
    assertEquals([response.status, made.world.asked], [403, []]);
  });
});

describe("a form that changes something", () => {
  const fields = [["action", "delete"], ["message", "4711"], ["confirmed", "1"]] as const;
  const forged: { name: string; csrf: boolean; headers: Record<string, string> }[] = [
    { name: "without the session's word", csrf: false, headers: {} },
    { name: "of another site", csrf: true, headers: { Origin: "https://evil.example" } },
    { name: "of another port", csrf: true, headers: { Origin: "http://127.0.0.1:8026" } },
    { name: "of a page without an origin", csrf: true, headers: { Origin: "null" } },
    { name: "that the browser calls cross-site", csrf: true, headers: { "Sec-Fetch-Site": "cross-site" } },
    { name: "that the browser calls same-site", csrf: true, headers: { "Sec-Fetch-Site": "same-site" } },
    { name: "typed into the address bar", csrf: true, headers: { "Sec-Fetch-Site": "none" } },
  ];
  for (const { name, csrf, headers } of forged) {
    it(`does nothing ${name}`, async () => {
      const { made, browser } = await loggedIn();
      const word = csrf ? [["csrf", await browser.csrf()] as const] : [];
      assertEquals((await browser.post("/queue/act", [...fields, ...word], headers)).status, 403);
      const pause = [["action", "pause"], ["destination", "b.example"], ["confirmed", "1"], ...word] as const;
      assertEquals((await browser.post("/destinations/act", pause, headers)).status, 403);
      assertEquals(made.world.asked, []);
    });
  }

  it("does nothing with another session's word", async () => {
    const { made, browser } = await loggedIn();
    const other = new Browser(made);
    await other.logIn();
    assertEquals((await browser.post("/queue/act", [...fields, ["csrf", await other.csrf()]])).status, 403);
  });

  it("does nothing for a browser that says neither origin nor site", async () => {
    const { made, browser } = await loggedIn();
    const body = new URLSearchParams([...fields.map(([a, b]) => [a, b]), ["csrf", await browser.csrf()]]);
    const headers = { Host: "127.0.0.1:8025", Cookie: browser.cookie };
    const response = await made.app.request(`${origin}/queue/act`, { method: "POST", headers, body });
    assertEquals([response.status, made.world.asked], [403, []]);
  });

  it("is not what a link does", async () => {
    const { made, browser } = await loggedIn();
    for (const path of ["/queue/act?action=delete&message=1&confirmed=1", "/logout", "/destinations/act"]) {
      assertEquals((await browser.get(path)).status, 404, path);
    }
    assertEquals([made.world.asked, made.sessions.size], [[], 1]);
  });
});

describe("hostile text", () => {
  /** Octets of everything that others choose. */
  const words: Partial<World> = {
    ...{
      list: () => {
        const reply = { place: 0, matching: 1, total: 1, indexed: 1, whole: true, unsearched: 0 };
        const rows = [{ ...row, sender: hostile, recipients: [hostile] }];
        return Promise.resolve({ kind: "answered", status: { ...reply, rows } });
      },
      show: () => {
        const [channel] = shown.channels;
        const recipients = channel!.recipients.map((one) => ({
          ...one,
          address: hostile,
          lastError: hostile,
          lastSeconds: 1,
        }));
        const status = { ...shown, sender: hostile, failures: hostile, channels: [{ ...channel!, recipients }] };
        return Promise.resolve({ kind: "answered", status });
      },
      content: () => {
        const fields = content.fields.map(({ name }) => ({ name, value: hostile }));
        const attachments = [{ name: hostile, type: hostile, sizeBytes: 1 }];
        return Promise.resolve({ kind: "answered", status: { ...content, fields, attachments, text: hostile } });
      },
      traceMessage: (message) => {
        const told = events.map((one) => ({
          ...{ ...one, text: hostile, helo: hostile, tls: hostile, rule: hostile, ip: hostile },
          ...{ component: hostile, recipient: hostile, sender: hostile, login: hostile },
        }));
        const status = { message, life: 1, lives: 1, events: told, cut: false, whole: true, oldestMs: 0 };
        return Promise.resolve({ kind: "answered", status });
      },
      tail: () => {
        const lines = [{ atMs: 0, component: hostile, text: `${hostile} msg 12 ${hostile}` }];
        return Promise.resolve({ kind: "answered", status: { lines, cursor: hostile, whole: true, oldestMs: 0 } });
      },
      destinations: () => {
        const status = [{ ...destination, name: hostile, lastError: hostile, rate: hostile }];
        return Promise.resolve({ kind: "answered", status });
      },
      controls: () => {
        const status = [{ ...control, value: hostile, default: hostile, defect: hostile, meaning: hostile }];
        return Promise.resolve({ kind: "answered", status });
      },
      examine: () => Promise.resolve([{ ...finding, subject: hostile, why: hostile, paste: [hostile] }]),
    },
    overview: () =>
      Promise.resolve({
        ...withComponents({ ...smtpd, name: hostile, ports: { [hostile]: 1 }, grant: [`--allow-read=${hostile}`] }),
        host: hostile,
      }),
  };

  const query = new URLSearchParams({
    text: hostile,
    sender: hostile,
    address: hostile,
    domain: hostile,
    ips: hostile,
  });
  for (const path of ["/", "/queue", "/queue/4711", "/destinations", "/log", "/trace", "/doctor", "/config"]) {
    it(`is shown as text on ${path}`, async () => {
      const { made, browser } = await loggedIn(words);
      const whole = path === "/doctor"
        ? "/doctor?domain=a.example"
        : path === "/queue/4711"
        ? path
        : `${path}?${query}`;
      const { status, text } = await browser.get(whole);
      assertEquals([status, made.errors], [200, []]);
      const tags = tagsOf(text);
      assertEquals(tags.filter((tag) => /^<(?:img|script(?! src="\/app\.js" defer>))/.test(tag)), []);
      assertEquals(tags.filter((tag) => / on[a-z]+=| style=|javascript:/.test(tag.replace(/"[^"]*"/g, '""'))), []);
      assertStringIncludes(text, "&lt;script&gt;alert(");
    });
  }

  it("that turns the direction of writing, or ends lines, is written out", async () => {
    const value = "a\u202Etxt.exe\u0007";
    const { browser } = await loggedIn({
      controls: () => Promise.resolve({ kind: "answered", status: [{ ...control, value }] }),
    });
    assertStringIncludes((await browser.get("/config")).text, "a\\u{202e}txt.exe\\u{7}");
  });

  it("names no other host, and no script of its own", async () => {
    const { browser } = await loggedIn({ overview: () => Promise.resolve(overview) });
    for (const path of ["/", "/queue", "/queue/4711", "/config", "/log"]) {
      const tags = tagsOf((await browser.get(path)).text).join("\n");
      assertEquals(tags.match(/(?:https?:)?\/\/|<style| style=| on[a-z]+=/g), null, path);
      assertEquals(tags.match(/<script[^>]*>/g), ['<script src="/app.js" defer>'], path);
    }
  });
});

describe("a path", () => {
  it("leads to no file, however it is written", async () => {
    const { browser } = await loggedIn();
    const paths = [
      ...[
        "/../control/me",
        "/..%2fcontrol%2fme",
        "/style.css/../../control/me",
        "/%2e%2e/control/me",
        "/queue/..%2f..%2fme",
      ],
      ...["/api/../control/me", "/api/v1/queue/..%2f1", "/control/admintoken", "/style.css%00"],
    ];
    for (const path of paths) {
      const { status, text } = await browser.get(path);
      assert([303, 400, 404].includes(status), `${path}: ${status}`);
      assert(!text.includes("sha256"), path);
    }
  });
});
