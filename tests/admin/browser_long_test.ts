/**
 * What an operator does at the admin pages, in a browser and with a whole system behind them.
 * @module
 */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Browser, browserNeed, type Tab, type TabOptions } from "../support/browser.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { sendMail } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System, withPages } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

/** What would show that a text became part of a page. */
const html = `<img src=x onerror="document.title='taken over'"><b>bold</b>`;
const subject = `one ${html}`;
const refusal = `4.2.1 later ${html}`;

describe(`the admin pages in a browser${browserNeed.note}`, { ignore: browserNeed.ignore }, () => {
  const ends = new AsyncDisposableStack();
  let browser: Browser;
  let system: System;
  let sink: SmtpSink;
  let operator: Tab;
  let url: (path: string) => string;
  /** Recipients that the other host takes by now. */
  const welcome = new Set<string>();

  const send = (from: string, to: string) =>
    sendMail(system.ports["smtp"]!, {
      from,
      to: [to],
      content: `From: ${from}\nSubject: ${subject}\n\nHello\n${html}\n`,
    });

  /** What is known of a page that is not what it should be. */
  async function whyNot({ page, complaints }: Tab): Promise<string> {
    const said = system.log.lines().filter((line) => line.startsWith("admin: "));
    return [page.url(), await page.locator("body").innerText(), ...complaints, ...said].join("\n");
  }

  /** A window of who is logged in. */
  const open = (path: string, options: TabOptions = {}) => browser.open(url(path), { ...options, as: operator });

  beforeAll(async () => {
    try {
      sink = ends.use(await startSmtpSink("127.0.0.1", { refusal, codeFor: (to) => welcome.has(to) ? 250 : 451 }));
      const dns = await startDnsServer({});
      ends.defer(() => dns.stop());
      const controls = {
        ...withPages,
        smtproutes: `:127.0.0.1:${sink.port}\n`,
        nameservers: `127.0.0.1:${dns.port}\n`,
      };
      [system, browser] = await Promise.all([
        startSystem({ controls }).then((one) => ends.use(one)),
        Browser.start().then((one) => ends.use(one)),
      ]);
      url = (path) => `http://127.0.0.1:${system.ports["admin"]}${path}`;
      await logIn();
      for (const name of ["later-b", "later-a"]) await send(`${name}@sender.example`, `${name}@far.example`);
      for (const _ of ["b", "a"]) await system.waitForLog((line) => line.includes("deferral"));
    } catch (error) {
      await ends.disposeAsync();
      throw error;
    }
  });
  afterAll(() => ends.disposeAsync());

  async function logIn(): Promise<void> {
    const said = await system.waitForLog((line) => line.includes("log in with "));
    const [, token] = /log in with (\S+)/.exec(said)!;
    operator = ends.use(await browser.open(url("/queue"), { scripts: false }));
    const { page } = operator;
    assertEquals(page.url(), url("/login?next=%2Fqueue"));
    await page.getByLabel("Token").fill("not the token");
    await page.keyboard.press("Enter");
    assertEquals(await page.getByRole("alert").innerText(), "This is not the token.");
    await operator.screenshot("login");
    await page.getByLabel("Token").fill(token!);
    await page.keyboard.press("Enter");
    await page.waitForURL(url("/queue"));
  }

  it("log in with the token that the start printed, and with no other", () => {
    // Said by the browser of the page that told so.
    assertEquals(operator.complaints.filter((complaint) => !complaint.includes("401")), []);
  });

  it("show mail as it arrives", async () => {
    await using tab = await open("/");
    const accepted = tab.page.locator("#accepted dd").first();
    const shows = (count: number) => accepted.getByText(String(count), { exact: true }).waitFor();
    const listening = Promise.withResolvers<void>();
    await tab.page.route("**/events", async (route) => {
      await listening.promise;
      await route.continue();
    });
    await tab.page.reload();
    const before = Number(await accepted.innerText());
    await tab.evaluate("globalThis.sameDocument = true");
    // Between the page and its stream of events; then while that is open.
    await send("amy@sender.example", "demo@localhost");
    listening.resolve();
    await shows(before + 1);
    await send("amy@sender.example", "demo@localhost");
    await shows(before + 2);
    assert(await tab.evaluate("globalThis.sameDocument"));
    await tab.screenshot("overview");
    assertEquals(tab.complaints, []);
  });

  it("find a message among others, in place, and sort the list", async () => {
    await using tab = await open("/queue");
    const { page } = tab;
    await tab.evaluate("globalThis.sameDocument = true");
    const numbers = page.locator("#messages tbody th a");
    await page.getByLabel("Part of an address, or a number").fill("later-b");
    await page.keyboard.press("Enter");
    await page.locator(".count").getByText("1 that match").waitFor();
    assertEquals(await page.locator("#messages tbody .address").allInnerTexts(), [
      "later-b@sender.example",
      "later-b@far.example",
    ]);
    assertEquals(new URL(page.url()).search, "?text=later-b&sort=born&order=descending");
    await page.getByLabel("Part of an address, or a number").fill("");
    await page.keyboard.press("Enter");
    await numbers.nth(1).waitFor();
    for (const [order, first] of [["ascending", "later-a"], ["descending", "later-b"]] as const) {
      await page.getByRole("link", { name: "Sender" }).click();
      await page.locator(`th[aria-sort=${order}]`, { hasText: "Sender" }).waitFor();
      assertEquals(await page.locator("#messages tbody .address").first().innerText(), `${first}@sender.example`);
    }
    assert(await tab.evaluate("globalThis.sameDocument"));
    assertEquals(tab.complaints, []);
  });

  it("tell why a message waits, and show what others wrote as text", async () => {
    await using tab = await open("/queue?text=later-a");
    const { page } = tab;
    await page.locator("#messages tbody th a").click();
    await page.locator("#standing .report", { hasText: `451 ${refusal}` }).waitFor();
    // As the log has it, where a report is one word.
    await page.locator("#timeline code", { hasText: `451_${refusal.replaceAll(" ", "_")}` }).first().waitFor();
    assertEquals(await page.locator("#content dd", { hasText: "one" }).first().innerText(), subject);
    assertEquals(await page.getByRole("region", { name: "Text of the message" }).innerText(), `Hello\n${html}\n`);
    assertEquals(await page.locator("main img, main b").count(), 0);
    assert(/^Message [0-9]+ – localhost$/.test(await page.title()), await page.title());
    await tab.screenshot("message");
    assertEquals(tab.complaints, []);
  });

  it("hold, release and retry a message when the question is answered, and do nothing when it is not", async () => {
    await using tab = await open("/queue?text=later-a");
    const { page } = tab;
    await page.locator("#messages tbody th a").click();
    const standing = page.locator("#standing");
    const dialog = page.getByRole("dialog");
    const choose = async (action: string, answer: string) => {
      await standing.getByRole("button", { name: action }).click();
      await dialog.getByRole("button", { name: answer }).click();
    };
    await choose("Hold", "Cancel");
    assertEquals(await dialog.count(), 0);
    assertEquals(await standing.getByRole("button", { name: "Release" }).count(), 0);
    await standing.getByRole("button", { name: "Hold" }).click();
    // What was asked about is done, though the button has become another one behind the question.
    await tab.evaluate(`document.querySelector("#standing button[value=hold]").value = "delete"`);
    await dialog.getByRole("button", { name: "Hold" }).click();
    await standing.getByText("held", { exact: true }).waitFor();
    await tab.screenshot("held");
    await choose("Release", "Release");
    await page.locator("#timeline .title", { hasText: "Put off" }).nth(1).waitFor();
    welcome.add("later-a@far.example");
    await choose("Retry", "Retry");
    await waitFor(() => sink.taken.some(({ recipients }) => recipients[0] === "later-a@far.example"), "the message");
    await standing.getByText("There is no such message in the queue").waitFor();
    await tab.screenshot("delivered");
    assertEquals(tab.complaints, []);
  });

  it("pause a destination and let it go on", async () => {
    await using tab = await open("/destinations");
    const { page } = tab;
    const dialog = page.getByRole("dialog");
    const row = page.getByRole("row", { name: "paused.example" });
    await page.getByLabel("Domain or site").fill("paused.example");
    await page.getByRole("button", { name: "Pause", exact: true }).last().click();
    await dialog.getByRole("button", { name: "Pause" }).click();
    await row.getByText("paused by the operator").waitFor();
    await tab.screenshot("destinations");
    await row.getByRole("button", { name: "Resume paused.example" }).click();
    await dialog.getByRole("button", { name: "Resume" }).click();
    await page.getByText("paused.example is not paused any more.").waitFor();
    assertEquals(await row.count(), 0);
    assertEquals(tab.complaints, []);
  });

  it("do the same where scripts are off, and ask on a page of its own", async () => {
    await using tab = await open("/queue?text=later-b", { scripts: false });
    const { page } = tab;
    await page.locator("#messages tbody").getByRole("checkbox").check();
    await page.getByRole("button", { name: "Hold" }).click();
    assertEquals(await page.getByRole("heading", { level: 1 }).innerText(), "Hold");
    await tab.screenshot("question");
    await page.getByRole("link", { name: "Cancel" }).click();
    assertEquals(page.url(), url("/queue?text=later-b"));
    await page.locator("#messages tbody").getByRole("checkbox").check();
    await page.getByRole("button", { name: "Hold" }).click();
    await page.getByRole("button", { name: "Hold" }).click();
    await page.locator("#messages tbody").getByText("held", { exact: true }).waitFor();
    await page.locator("#messages tbody").getByRole("checkbox").check();
    await page.getByRole("button", { name: "Release" }).click();
    await page.getByRole("button", { name: "Release" }).click();
    await page.getByRole("status").getByText("released").waitFor();
    assertEquals(tab.complaints, []);
  });

  it("are worked with by keyboard alone", async () => {
    await using tab = await open("/queue");
    const { page } = tab;
    const order = await tab.focusOrder(100);
    assertEquals(order.slice(0, 9).map(({ name }) => name), [
      ...["Skip to the content", "Overview", "Queue", "Destinations", "Log", "Doctor", "Config"],
      ...["Message number or address", "Find"],
    ]);
    assertEquals(order.at(-1)?.name, "Log out");
    assertEquals(order.filter(({ name, visible }) => name === "" || !visible), []);
    const focused = page.locator(":focus");
    await page.getByLabel("Part of an address, or a number").fill("half a word");
    await page.getByRole("link", { name: "Skip to the content" }).press("Enter");
    assertEquals(await page.locator("main:focus").count(), 1);
    assertEquals(await page.getByLabel("Part of an address, or a number").inputValue(), "half a word");
    await page.getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByText("No message was chosen.").waitFor();
    await page.getByLabel("Choose message ").press("Space");
    await page.getByRole("button", { name: "Delete" }).press("Enter");
    assertEquals(await focused.innerText(), "Cancel");
    assertEquals(await tab.barriers(), []);
    await tab.screenshot("dialog");
    await page.keyboard.press("Escape");
    assertEquals(await page.getByRole("dialog").count(), 0);
    assertEquals(await focused.innerText(), "Delete");
    assertEquals(tab.complaints, []);
  });

  it("can be read at a zoom of 200 %", async () => {
    await using tab = await open("/queue", { zoom: 2 });
    assertEquals(await tab.overhang(), []);
    await tab.screenshot("queue-zoom");
    assertEquals(tab.complaints, []);
  });

  it("keep nobody out, in light and in dark, and fit the window of a telephone", async () => {
    const waiting = await system.waitForLog((line) => /^qmail-send: info msg .*later-b@sender/.test(line));
    const pages: readonly (readonly [name: string, path: string])[] = [
      ["overview", "/"],
      ["queue", "/queue"],
      ["message", `/queue/${/msg ([0-9]+)/.exec(waiting)![1]}`],
      ["destinations", "/destinations"],
      ["log", "/log"],
      ["trace", "/trace?address=later-b@far.example"],
      ["doctor", "/doctor?domain=home.example"],
      ["config", "/config?set=1"],
      // Last, for it ends the session of this window.
      ["login", "/login"],
    ];
    await using tab = await open("/");
    for (const [name, path] of pages) {
      if (name === "login") await tab.page.getByRole("button", { name: "Log out" }).click();
      else await tab.page.goto(url(path));
      assert((await tab.page.title()).endsWith("– localhost"), await whyNot(tab));
      await tab.look({ colorScheme: "light" });
      const light = await tab.barriers();
      await tab.screenshot(name);
      await tab.look({ colorScheme: "dark", widthPx: 360 });
      // The same page in other colours.
      const dark = await tab.barriers(["color-contrast"]);
      await tab.screenshot(`${name}-dark-narrow`);
      assertEquals({ name, light, dark, overhang: await tab.overhang() }, { name, light: [], dark: [], overhang: [] });
    }
    assertEquals(tab.complaints, []);
  });
});
