/**
 * Debian's chromium without a window, for tests of pages: what a person sees, clicks and hears of them.
 *
 * ```ts
 * await using browser = await Browser.start();
 * await using tab = await browser.open(`http://127.0.0.1:${port}/`, { colorScheme: "dark", widthPx: 360 });
 * assertEquals(await tab.barriers(), []);
 * await tab.screenshot("overview-dark");
 * assertEquals(tab.complaints, []);
 * ```
 *
 * Names resolve to nothing in this browser, so a page that loads from another host fails, and says so in `complaints`.
 * @module
 */
import axe from "axe-core";
import { ensureDirSync } from "@std/fs";
import { join } from "@std/path";
import { type Browser as Chromium, type BrowserContext, chromium, type Page } from "playwright-core";
import { findProgram, type Need, needs } from "./program.ts";
import { within } from "./wait.ts";

export const browserNeed: Need = needs(["chromium"]);

/** Where pictures are kept for whoever looks at them; without it they go when the browser does. */
const picturesVariable = "DQMAIL_SCREENSHOTS";

const launchMs = 20_000;
/** One look or click, on a machine that does other things as well. */
const stepMs = 20_000;

export interface TabOptions {
  readonly colorScheme?: "light" | "dark";
  /** Width of the window in CSS pixels. */
  readonly widthPx?: number;
  /** 2 is what a person gets by "zoom 200 %": half as many CSS pixels, each twice the size. */
  readonly zoom?: number;
  /** false: as with scripts switched off. */
  readonly scripts?: boolean;
  /** Whose cookies it begins with, as those of one person; without it nobody's. */
  readonly as?: Tab;
}

const usualWidthPx = 1280;
const heightPx = 900;

/** One chromium with a profile of its own in a temporary folder. */
export class Browser implements AsyncDisposable {
  readonly #chromium: Chromium;
  readonly #dir: string;
  readonly #picturesDir: string;

  private constructor(started: Chromium, dir: string) {
    this.#chromium = started;
    this.#dir = dir;
    this.#picturesDir = Deno.env.get(picturesVariable) ?? join(dir, "pictures");
    ensureDirSync(this.#picturesDir);
  }

  static async start(): Promise<Browser> {
    const dir = Deno.makeTempDirSync({ prefix: "browser" });
    try {
      const started = await chromium.launch({
        executablePath: findProgram("chromium") ?? "chromium",
        args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE ::1"],
        // What it keeps beside its profile (crash reports, caches) goes with the folder.
        env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: dir, TMPDIR: dir },
        timeout: launchMs,
      });
      return new Browser(started, dir);
    } catch (error) {
      Deno.removeSync(dir, { recursive: true });
      throw error;
    }
  }

  /** Opens a page in a window of its own. */
  async open(url: string, { colorScheme, widthPx, zoom = 1, scripts, as }: TabOptions = {}): Promise<Tab> {
    const context = await this.#chromium.newContext({
      colorScheme: colorScheme ?? "light",
      viewport: { width: Math.floor((widthPx ?? usualWidthPx) / zoom), height: Math.floor(heightPx / zoom) },
      deviceScaleFactor: zoom,
      javaScriptEnabled: scripts ?? true,
      // What moves is at its end, so that no test has to wait for it.
      reducedMotion: "reduce",
      ...(as === undefined ? {} : { storageState: await as.page.context().storageState() }),
    });
    context.setDefaultTimeout(stepMs);
    const tab = new Tab(context, await context.newPage(), this.#picturesDir);
    await tab.page.goto(url);
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close();
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

/** What has the keyboard: its element's name in HTML, what a screen reader calls it, and whether that can be seen. */
export interface Focus {
  readonly element: string;
  readonly name: string;
  readonly visible: boolean;
}

/** In the page: a {@link Focus}, or undefined where nothing has the keyboard. */
const focusNow = `(() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return undefined;
  const label = at.getAttribute("aria-label") ??
    (at.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join(" ");
  const name = label.trim() || at.labels?.[0]?.textContent || at.textContent || at.getAttribute("value") || "";
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
  const visible = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  return { element: at.localName, name: name.trim().replace(/\\s+/g, " "), visible };
})()`;

/** In the page: what reaches beyond its right edge, where the page is wider than its window. */
const overhang = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const beyond = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > clientWidth);
  return ["page " + scrollWidth + " px in " + clientWidth].concat(
    beyond.slice(0, 5).map((e) => e.localName + "." + e.className + " to " + Math.round(e.getBoundingClientRect().right)));
})()`;

/** In the page, where axe is loaded: rules (of these, or of all) broken badly, and by which elements. */
const findBarriers = (rules: readonly string[]) =>
  `axe.run(document, ${
    JSON.stringify({ resultTypes: ["violations"], ...(rules.length > 0 ? { runOnly: rules } : {}) })
  })
  .then(({ violations }) => violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`;

/** One person's window. */
export class Tab implements AsyncDisposable {
  readonly page: Page;
  /** What the browser objects to: errors of scripts, what the page's own policy forbids, requests that fail. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #picturesDir: string;

  constructor(context: BrowserContext, page: Page, picturesDir: string) {
    this.page = page;
    this.#context = context;
    this.#picturesDir = picturesDir;
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("requestfailed", (request) => {
      // A page that is left ends its own requests, above all the one that events come by.
      const why = request.failure()?.errorText ?? "failed";
      if (why !== "net::ERR_ABORTED") this.complaints.push(`${request.url()}: ${why}`);
    });
  }

  /** The value of an expression in the page. What has to wait there never ends where scripts are off. */
  evaluate<T>(expression: string): Promise<T> {
    return within(this.page.evaluate<T>(expression), stepMs, () => `the page to say ${expression.slice(0, 80)}`);
  }

  /** The same page in another light, or in a window of another width. */
  async look(
    { colorScheme = "light", widthPx = usualWidthPx }: Pick<TabOptions, "colorScheme" | "widthPx">,
  ): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    await this.page.setViewportSize({ width: widthPx, height: heightPx });
  }

  /**
   * What keeps people out who do not see, or do not use a mouse: axe-core's serious and critical findings, by these
   * of its rules or by all of them. Needs scripts.
   */
  async barriers(rules: readonly string[] = []): Promise<readonly string[]> {
    const loaded = await this.evaluate<boolean>(`"axe" in globalThis`);
    if (!loaded) await this.evaluate(axe.source);
    return await this.evaluate<string[]>(findBarriers(rules));
  }

  /** What makes the page scroll sideways; empty where it fits its window. */
  overhang(): Promise<readonly string[]> {
    return this.evaluate<string[]>(overhang);
  }

  /** What the keyboard reaches by Tab, in this order, from the page's beginning to its end, or the first `limit`. */
  async focusOrder(limit = 50): Promise<readonly Focus[]> {
    await this.evaluate(`document.activeElement?.blur?.(); scrollTo(0, 0)`);
    const order: Focus[] = [];
    while (order.length < limit) {
      await this.page.keyboard.press("Tab");
      const focus = await this.evaluate<Focus | undefined>(focusNow);
      if (focus === undefined) break;
      order.push(focus);
    }
    return order;
  }

  /** A picture of the whole page as NAME.png; answers its path. */
  async screenshot(name: string): Promise<string> {
    const path = join(this.#picturesDir, `${name}.png`);
    await this.page.screenshot({ path, fullPage: true });
    return path;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#context.close();
  }
}
