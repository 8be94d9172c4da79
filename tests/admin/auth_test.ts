/** Sessions, what guessing costs, and where a request comes from. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bearerOf, cookieName, originOf } from "../../components/admin/auth/guard.ts";
import { hasCsrf, idleMs, longestMs, Sessions } from "../../components/admin/auth/sessions.ts";
import { Throttle } from "../../components/admin/auth/throttle.ts";

describe("Sessions", () => {
  it("are each known by words of their own", () => {
    const sessions = new Sessions();
    const [one, other] = [sessions.open(0), sessions.open(0)];
    assertEquals(new Set([one.id, one.csrf, other.id, other.csrf]).size, 4);
    assertEquals([sessions.find(one.id, 1), sessions.find(one.csrf, 1), sessions.find(undefined, 1)], [
      one,
      undefined,
      undefined,
    ]);
  });

  it("end when they were idle for long, and in any case", () => {
    const sessions = new Sessions();
    const idle = sessions.open(0);
    assertEquals([sessions.find(idle.id, idleMs - 1)?.id, sessions.find(idle.id, 2 * idleMs - 1)], [
      idle.id,
      undefined,
    ]);
    const busy = sessions.open(0);
    for (let at = 0; at < longestMs; at += idleMs / 2) assert(sessions.find(busy.id, at) !== undefined);
    assertEquals([sessions.find(busy.id, longestMs), sessions.size], [undefined, 0]);
  });

  it("are fifty at the most: the one that was idle for longest makes room", () => {
    const sessions = new Sessions();
    const [first, second] = [sessions.open(0), sessions.open(1)];
    for (let at = 2; at < 50; at++) sessions.open(at);
    sessions.find(first.id, 60);
    sessions.open(61);
    assertEquals([sessions.size, sessions.find(first.id, 62)?.id, sessions.find(second.id, 62)], [
      50,
      first.id,
      undefined,
    ]);
  });

  it("take forms that bring their word, whole", () => {
    const session = new Sessions().open(0);
    assert(hasCsrf(session, session.csrf));
    for (const word of ["", session.id, session.csrf.slice(1), `${session.csrf}x`, undefined, 1, [session.csrf]]) {
      assert(!hasCsrf(session, word), String(word));
    }
    assert(!hasCsrf(session, "\u{1F600}".repeat(session.csrf.length / 2)));
    assertNotEquals(session.csrf, session.id);
  });
});

describe("Throttle", () => {
  it("lets eight wrong tokens wait, refuses more at once, and forgets them at a right one", async () => {
    const waiting: (() => void)[] = [];
    const asked: number[] = [];
    const throttle = new Throttle((ms) => {
      asked.push(ms);
      return new Promise((resolve) => waiting.push(resolve));
    });
    const first = Array.from({ length: 8 }, () => throttle.failed());
    assertEquals([await throttle.failed(), asked.at(-1)], [false, 8000]);
    for (const resolve of waiting) resolve();
    assertEquals(await Promise.all(first), new Array(8).fill(true));
    throttle.succeeded();
    void throttle.failed();
    assertEquals(asked.at(-1), 250);
  });
});

describe("originOf()", () => {
  const host = "127.0.0.1:8025";
  const rows: { headers: Record<string, string>; want: "same" | "other" | "unknown" }[] = [
    { headers: {}, want: "unknown" },
    { headers: { "sec-fetch-site": "same-origin" }, want: "same" },
    { headers: { origin: `http://${host}` }, want: "same" },
    { headers: { origin: `https://${host.toUpperCase()}` }, want: "same" },
    { headers: { origin: `http://${host}`, "sec-fetch-site": "same-origin" }, want: "same" },
    { headers: { origin: `http://${host}`, "sec-fetch-site": "cross-site" }, want: "other" },
    { headers: { origin: "http://evil.example", "sec-fetch-site": "same-origin" }, want: "other" },
    { headers: { "sec-fetch-site": "none" }, want: "other" },
    { headers: { "sec-fetch-site": "same-site" }, want: "other" },
    { headers: { origin: "http://127.0.0.1:8026" }, want: "other" },
    { headers: { origin: "http://127.0.0.1" }, want: "other" },
    { headers: { origin: "null" }, want: "other" },
    { headers: { origin: "" }, want: "other" },
    { headers: { origin: `ftp://${host}` }, want: "other" },
    { headers: { origin: `http://${host}/` }, want: "other" },
    { headers: { origin: `http://evil.example/${host}` }, want: "other" },
  ];
  for (const { headers, want } of rows) {
    it(`is ${want} by ${JSON.stringify(headers)}`, () =>
      assertEquals(originOf(new Headers({ host, ...headers })), want));
  }
});

describe("bearerOf()", () => {
  const rows = [["Bearer a", "a"], ["bearer  a ", "a"], ["Bearer", ""], ["Bearer a b", ""], ["Basic a", ""], [
    undefined,
    undefined,
  ]];
  for (const [value, want] of rows) {
    it(`reads ${JSON.stringify(value)}`, () => {
      assertEquals(bearerOf(new Headers(value === undefined ? {} : { authorization: value })), want);
    });
  }
});

describe("cookieName()", () => {
  it("is another one for each port", () => {
    const hosts = ["127.0.0.1:8025", "[::1]:9025", "localhost", undefined, "[::1]"];
    assertEquals(hosts.map(cookieName), [
      ...["dqmail-admin-8025", "dqmail-admin-9025", "dqmail-admin-80", "dqmail-admin-80", "dqmail-admin-80"],
    ]);
  });
});
