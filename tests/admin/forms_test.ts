/** What the pages' forms have done. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loggedIn } from "./fake_world.ts";
import { away } from "./samples.ts";

describe("an action on messages", () => {
  it("is asked for once more, and then done and told", async () => {
    const { made, browser } = await loggedIn();
    const fields = [["csrf", await browser.csrf()], ["action", "retry"], ["back", "/queue?state=due"]] as const;
    const messages = [["message", "4711"], ["message", "12"], ["message", "12"]] as const;
    const asked = await browser.post("/queue/act", [...fields, ...messages]);
    assertEquals([asked.status, made.world.asked], [200, []]);
    assertStringIncludes(asked.text, "Retry 2 messages? All recipients that are left are tried now.");
    assertStringIncludes(asked.text, 'href="/queue?state=due"');
    // What the page's own form would send.
    const again = [...asked.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
      .map(([, name, value]) => [name!, value!] as const);
    const done = await browser.post("/queue/act", again.slice(0, again.findLastIndex(([name]) => name === "csrf")));
    assertEquals([done.status, done.headers.get("location")], [303, "/queue?state=due"]);
    assertEquals(made.world.asked, [{ kind: "act", action: "retry", messages: [4711, 12] }]);
    assertStringIncludes(
      (await browser.get("/queue")).text,
      "<p>Retry: 2 of 2 messages.</p><p>4711: it will be tried</p>",
    );
    assert(!(await browser.get("/queue")).text.includes("it will be tried"), "a notice is told once");
  });

  it("that cannot be taken back is said to be so", async () => {
    const { browser } = await loggedIn();
    const csrf = ["csrf", await browser.csrf()] as const;
    for (const action of ["expire", "delete"]) {
      const { text } = await browser.post("/queue/act", [csrf, ["action", action], ["message", "4711"]]);
      assertMatch(text, new RegExp(`${action} message 4711\\? .* This cannot be taken back\\.`, "i"));
    }
  });

  it("says what was not done, and why", async () => {
    const { browser } = await loggedIn({
      act: (_, [message = 0]) => {
        const results = [{ message, done: false, gone: false, detail: "<b>is held already</b>" }];
        return Promise.resolve({ kind: "answered", status: results });
      },
    });
    const fields = [["csrf", await browser.csrf()], ["action", "hold"], ["message", "4711"], [
      "confirmed",
      "1",
    ]] as const;
    await browser.post("/queue/act", fields);
    const { text } = await browser.get("/queue/4711");
    assertStringIncludes(text, `<div class="verdict bad" role="alert" id="notice">`);
    assertStringIncludes(text, "4711: not done: &lt;b&gt;is held already&lt;/b&gt;");
  });

  it("says that nobody was there to do it", async () => {
    const { browser } = await loggedIn({ act: () => Promise.resolve(away) });
    const fields = [["csrf", await browser.csrf()], ["action", "hold"], ["message", "1"], ["confirmed", "1"]] as const;
    await browser.post("/queue/act", fields);
    assertStringIncludes(
      (await browser.get("/queue")).text,
      "qmail-send cannot be reached: nothing is known to have been done.",
    );
  });

  const malformed: readonly (readonly (readonly [string, string])[])[] = [
    [["action", "drain"], ["message", "1"]],
    [["message", "1"]],
    [["action", "hold"], ["message", "1x"]],
    [["action", "hold"], ["message", "-1"]],
    [["action", "hold"], ["message", "1"], ["message", "12345678901234567"]],
    [["action", "hold"], ...Array.from({ length: 501 }, (_, at) => ["message", String(at)] as const)],
  ];
  for (const fields of malformed) {
    it(`is refused where it is ${JSON.stringify(fields).slice(0, 60)}`, async () => {
      const { made, browser } = await loggedIn();
      const { status } = await browser.post("/queue/act", [...fields, ["confirmed", "1"], [
        "csrf",
        await browser.csrf(),
      ]]);
      assertEquals([status, made.world.asked], [400, []]);
    });
  }

  it("on no message does nothing, and leads back to no other site", async () => {
    const { made, browser } = await loggedIn();
    const fields = [["action", "hold"], ["back", "//evil.example"], ["csrf", await browser.csrf()]] as const;
    const { status, headers } = await browser.post("/queue/act", fields);
    assertEquals([status, headers.get("location"), made.world.asked], [303, "/", []]);
    assertStringIncludes((await browser.get("/")).text, "No message was chosen.");
  });

  it("is offered as a message stands: what is held can be released", async () => {
    const { made, browser } = await loggedIn();
    const buttons = (html: string) => [...html.matchAll(/name="action" value="([a-z]+)"/g)].map(([, value]) => value);
    assertEquals(buttons((await browser.get("/queue/4711")).text), ["retry", "hold", "expire", "delete"]);
    const answer = await made.world.show(4711);
    assert(answer.kind === "answered" && answer.status !== undefined);
    const { status } = answer;
    const held = { ...status, channels: status.channels.map((channel) => ({ ...channel, held: true })) };
    const other = await loggedIn({ show: () => Promise.resolve({ kind: "answered", status: held }) });
    assertEquals(buttons((await other.browser.get("/queue/4711")).text), ["release", "expire", "delete"]);
  });
});

describe("a destination", () => {
  it("is paused and resumed by its name in lower case, once that is confirmed", async () => {
    const { made, browser } = await loggedIn();
    const csrf = ["csrf", await browser.csrf()] as const;
    for (const action of ["pause", "resume"] as const) {
      const fields = [csrf, ["action", action], ["destination", " B.Example "]] as const;
      assertStringIncludes(
        (await browser.post("/destinations/act", fields)).text,
        `${action} b.example?`.replace(/^./, (c) => c.toUpperCase()),
      );
      await browser.post("/destinations/act", [...fields, ["confirmed", "1"]]);
    }
    assertEquals(made.world.asked, [
      { kind: "steer", verb: "pause", destination: "b.example" },
      { kind: "steer", verb: "resume", destination: "b.example" },
    ]);
    assertStringIncludes((await browser.get("/destinations")).text, "b.example is not paused any more.");
  });

  for (const name of ["", "a b", "a\r\nb", "x".repeat(300), "a@b"]) {
    it(`cannot be called ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const { made, browser } = await loggedIn();
      const fields = [["csrf", await browser.csrf()], ["action", "pause"], ["destination", name], [
        "confirmed",
        "1",
      ]] as const;
      assertEquals((await browser.post("/destinations/act", fields)).status, 303);
      assertEquals(made.world.asked, []);
      assertStringIncludes((await browser.get("/destinations")).text, "That can be no destination");
    });
  }
});

describe("a search", () => {
  it("asks qread for what was written, addresses as octets", async () => {
    const { made, browser } = await loggedIn();
    const words = { text: "#4711", sender: "<>", recipient: "<bjørn@b.example>", domain: "@b.example", state: "held" };
    await browser.get(`/queue?${new URLSearchParams({ ...words, sort: "size", order: "ascending", count: "1000" })}`);
    const filter = {
      ...{
        text: "4711",
        sender: "",
        recipient: "bj\u00c3\u00b8rn@b.example",
        domain: "b.example",
        state: "held" as const,
      },
    };
    const question = { sort: "size" as const, order: "ascending" as const, count: 200, filter };
    assertEquals(made.world.asked, [{ kind: "list", question }]);
  });

  it("takes words that make no sense for absent", async () => {
    const { made, browser } = await loggedIn();
    await browser.get("/queue?state=x&sort=__proto__&order=up&count=-3&count=x");
    const question = { sort: "born" as const, order: "descending" as const, count: 1, filter: {} };
    assertEquals(made.world.asked, [{ kind: "list", question }]);
  });

  it("keeps its words in the links that sort and turn pages", async () => {
    const { browser } = await loggedIn();
    const { text } = await browser.get("/queue?text=a%26b&state=held");
    for (
      const path of [
        "/queue?text=a%26b&amp;state=held&amp;sort=size",
        "/queue?text=a%26b&amp;state=held&amp;after=cursor",
      ]
    ) {
      assertStringIncludes(text, `href="${path}"`);
    }
    assertStringIncludes(text, 'aria-sort="descending"');
  });

  it("in the log names component and text", async () => {
    const { made, browser } = await loggedIn();
    await browser.get("/log?component=qmail-send&contains=deferral&count=200");
    await browser.get("/log?count=7");
    assertEquals(made.world.asked, [
      { kind: "tail", question: { count: 200, component: "qmail-send", contains: "deferral" } },
      { kind: "tail", question: { count: 50 } },
    ]);
  });

  it("of the doctor wants a domain and addresses", async () => {
    const asked: (readonly [string, readonly string[]])[] = [];
    const examine = (domain: string, ips: readonly string[]) => {
      asked.push([domain, ips]);
      return Promise.resolve([]);
    };
    const { browser } = await loggedIn({ examine });
    for (const query of ["", "?domain=b%C3%BCcher.example", "?domain=a.example&ips=x", "?domain="]) {
      assertEquals((await browser.get(`/doctor${query}`)).status, 200);
    }
    assertEquals(asked, []);
    await browser.get("/doctor?domain=A.Example.&ips=192.0.2.1,+2001:db8::1");
    assertEquals(asked, [["a.example", ["192.0.2.1", "2001:db8::1"]]]);
  });
});
