/** What screen readers and keyboards go by, on every page; and the dashboard's use of our metrics. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import dashboard from "../../components/admin/grafana.json" with { type: "json" };
import { formatMetrics } from "../../components/admin/metrics.ts";
import { destination, loggedIn, makeApp, nowMs, origin, tagsOf } from "./fake_world.ts";
import { overview } from "./samples.ts";

const pages = [
  "/",
  "/queue",
  "/queue/4711",
  "/destinations",
  "/log",
  "/trace?address=x",
  "/doctor?domain=a.example",
  "/config",
];

function count(html: string, element: string): number {
  return tagsOf(html).filter((tag) => tag === `<${element}>` || tag.startsWith(`<${element} `)).length;
}

function valuesOf(html: string, attribute: string): string[] {
  return [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, "g"))].map(([, value]) => value!);
}

describe("a page", () => {
  for (const path of pages) {
    it(`as ${path} has language, title, one h1, one main, and its place in the navigation`, async () => {
      const { text } = await (await loggedIn()).browser.get(path);
      assert(text.startsWith('<!doctype html>\n<html lang="en">'));
      assertEquals([count(text, "title"), count(text, "h1"), count(text, "main"), count(text, "nav") > 0], [
        1,
        1,
        1,
        true,
      ]);
      assertEquals(valuesOf(text, "aria-current").filter((value) => value === "page").length, 1);
    });

    it(`as ${path} has ids once, labels for every field, scopes for every heading of a table`, async () => {
      const { text } = await (await loggedIn()).browser.get(path);
      const ids = valuesOf(text, "id");
      assertEquals(ids.length, new Set(ids).size);
      const named = [
        ...valuesOf(text, "aria-labelledby"),
        ...valuesOf(text, "aria-describedby"),
        ...valuesOf(text, "for"),
      ];
      for (const id of named.flatMap((value) => value.split(" "))) assert(ids.includes(id), id);
      const labels = valuesOf(text, "for");
      for (const tag of tagsOf(text).filter((tag) => /^<(input|select) /.test(tag) && !tag.includes('type="hidden"'))) {
        const [id] = valuesOf(tag, "id");
        assert(tag.includes("aria-label=") || (id !== undefined && labels.includes(id)), tag);
      }
      const headings = tagsOf(text).filter((tag) => /^<th[ >]/.test(tag));
      assert(headings.every((tag) => tag.includes("scope=")), headings.join());
    });
  }

  it("that logs in has them as well", async () => {
    const { app } = makeApp();
    const text = await (await app.request(`${origin}/login`, { headers: { Host: "localhost" } })).text();
    assertEquals([count(text, "h1"), count(text, "main")], [1, 1]);
    assertStringIncludes(text, '<label for="token">Token</label>');
  });

  it("that has charts has a sentence and a table for each", async () => {
    const { text } = await (await loggedIn()).browser.get("/");
    assertEquals(valuesOf(text, "role").filter((role) => role === "img").length, 7);
    assertStringIncludes(text, 'aria-label="Accepted: 59 this minute now, 59 at the most in the last hour"');
    assertStringIncludes(text, '<th scope="row">03:04</th><td class="number">59</td>');
  });
});

describe("the dashboard", () => {
  it("asks for metrics that there are", () => {
    const text = formatMetrics(overview, { kind: "answered", status: [destination] }, nowMs);
    const names = new Set(text.match(/^dqmail_[a-z_]+/gm));
    const asked = dashboard.panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => expr.match(/dqmail_[a-z_]+/g) ?? [])
    );
    assertEquals([...new Set(asked)].filter((name) => !names.has(name)), []);
    assert(asked.length > 20);
  });
});
