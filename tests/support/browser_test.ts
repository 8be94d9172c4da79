import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Browser, browserNeed } from "./browser.ts";

/** A page that does all wrong that the browser's tests look for, under a policy as strict as the admin pages'. */
const page = `<!doctype html><html lang="en"><head><title>t</title><style>button:focus { outline: none }</style></head>
<body><main><h1>t</h1><img src="https://elsewhere.example/pixel.png">
<p style="width: 2000px; color: #999; background: #fff">pale</p>
<a href="/next">next</a><label for="name">Name</label><input id="name"><button>Go</button>
<noscript>no script here</noscript><script>document.title = "changed"; throw new Error("broken")</script>
</main></body></html>`;
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src *";

describe(`Browser${browserNeed.note}`, { ignore: browserNeed.ignore }, () => {
  const ends = new AsyncDisposableStack();
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
      const headers = { "Content-Type": "text/html", "Content-Security-Policy": policy };
      return new Response(url.endsWith("/favicon.ico") ? null : page, { headers });
    });
    ends.defer(() => server.shutdown());
    url = `http://127.0.0.1:${server.addr.port}/`;
    browser = ends.use(await Browser.start());
  });
  afterAll(() => ends.disposeAsync());

  it("finds barriers, what hangs over, what is loaded from elsewhere and what breaks", async () => {
    await using tab = await browser.open(url, { widthPx: 360 });
    const barriers = await tab.barriers();
    for (const rule of ["image-alt at img", "color-contrast at p"]) {
      assert(barriers.some((barrier) => barrier.startsWith(rule)), barriers.join("\n"));
    }
    const [width, widest] = await tab.overhang();
    assertStringIncludes(width!, "px in 360");
    assertStringIncludes(widest!, "p. to 2");
    for (const complaint of ["broken", "https://elsewhere.example/pixel.png: net::ERR_NAME_NOT_RESOLVED"]) {
      assert(tab.complaints.includes(complaint), tab.complaints.join("\n"));
    }
  });

  it("says what the keyboard reaches, and whether it can be seen there", async () => {
    await using tab = await browser.open(url);
    assertEquals(await tab.focusOrder(), [
      { element: "a", name: "next", visible: true },
      { element: "input", name: "Name", visible: true },
      { element: "button", name: "Go", visible: false },
    ]);
  });

  it("shows a page as without scripts, and still measures it", async () => {
    await using tab = await browser.open(url, { scripts: false });
    assertEquals(await tab.page.title(), "t");
    assertEquals(await tab.page.locator("noscript").innerText(), "no script here");
    assertEquals(await tab.evaluate("document.querySelectorAll('h1').length"), 1);
  });

  it("gives half as many pixels at a zoom of 200 %", async () => {
    await using tab = await browser.open(url, { zoom: 2 });
    assertEquals(await tab.evaluate("innerWidth + ' ' + devicePixelRatio"), "640 2");
  });
});
