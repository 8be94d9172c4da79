import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { renderPage } from "../../components/admin/page.tsx";
import { away, overview, smtpd, withComponents } from "./samples.ts";

/** Every tag of the page, in order. */
function tagsOf(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? [];
}

/** How often each element begins. */
function count(html: string, element: string): number {
  return tagsOf(html).filter((tag) => tag === `<${element}>` || tag.startsWith(`<${element} `)).length;
}

describe("renderPage()", () => {
  it("shows host, verdict, components and figures", () => {
    const html = renderPage(overview);
    for (
      const text of [
        "<h1>mx.example.org</h1>",
        "<title>All well: mx.example.org</title>",
        "All components are running (1).",
        '<th scope="row">qmail-smtpd</th>',
        "1 d 2 h",
        "59 MiB",
        "7791",
        "smtp 2525",
        "1 of 10",
        "4 of 20",
        "1,234",
        "127.0.0.1:2525",
        "<code>control/me</code>",
        "<code>run/qmail-queue/s</code>",
        "2030-01-02 03:04:05 UTC",
      ]
    ) assertStringIncludes(html, text);
  });

  it("says what is wrong, and what is not known", () => {
    const html = renderPage({ ...overview, supervisor: away, send: away });
    assertStringIncludes(html, "<title>2 wrong: mx.example.org</title>");
    assertStringIncludes(html, "2 things are wrong");
    assertStringIncludes(html, "<li>supervisor cannot be reached</li>");
    assertStringIncludes(html, "Not known: qmail-send cannot be reached.");
    assertStringIncludes(html, "messages accepted");
    assertEquals(count(html, "table"), 0);
  });

  it("has what a screen reader goes by: language, title, one h1, a caption, scopes, unique ids that labels name", () => {
    for (const html of [renderPage(overview), renderPage({ ...overview, supervisor: away, queue: away, send: away })]) {
      assert(html.startsWith('<!doctype html>\n<html lang="en">'));
      assertEquals([count(html, "title"), count(html, "h1"), count(html, "main")], [1, 1, 1]);
      assertEquals(count(html, "caption"), count(html, "table"));
      assert(
        tagsOf(html).filter((tag) => tag.startsWith("<th") && !tag.startsWith("<thead")).every((tag) =>
          tag.includes("scope=")
        ),
      );
      const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      assertEquals(new Set(ids).size, ids.length);
      for (const [, id] of html.matchAll(/ aria-labelledby="([^"]*)"/g)) assert(ids.includes(id), id);
    }
  });

  it("names no other host, no script and no inline style", () => {
    const tags = tagsOf(renderPage(overview)).join("\n");
    assertEquals(tags.match(/(?:https?:)?\/\/|<script|style=|<style| on[a-z]+=/g), null);
  });

  const hostile = `</td><script>alert("1")</script>'&amp;<img src=x onerror=alert(1)>`;

  it("shows hostile text as text, wherever it comes in", () => {
    const plain = tagsOf(
      renderPage(withComponents({ ...smtpd, name: "n", ports: { p: 1 }, grant: ["--allow-read=a", "b"] })),
    );
    const html = renderPage({
      ...withComponents({
        ...smtpd,
        name: hostile,
        ports: { [hostile]: 1 },
        grant: [`--allow-read=${hostile}`, hostile],
      }),
      host: hostile,
    });
    assertEquals(tagsOf(html), plain);
    assertStringIncludes(html, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;");
  });

  it("shows any text as text", () => {
    const tags = tagsOf(renderPage(withComponents({ ...smtpd, name: "n" })));
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("<", ">", "/", "a", '"', "'", "&", "=", " ", "-", "!") }),
        (name) => {
          assertEquals(tagsOf(renderPage(withComponents({ ...smtpd, name }))), tags);
        },
      ),
    );
  });
});
