import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Destinations, mostLearnt, siteKey } from "../../components/qmail-send/destinations.ts";
import type { Outcome } from "../../components/qmail-send/outcome.ts";
import { defaultRules, type SiteRules } from "../../components/lib/shaping/shaping_file.ts";

const rules: SiteRules = { ...defaultRules, backoff: undefined };

describe("Destinations", () => {
  let started = 0;
  /** Opens and closes a destination; `learn` is what is heard of it. */
  const visit = (destinations: Destinations<unknown>, name: string, learn: readonly Outcome[] = []) => {
    const destination = destinations.open(name);
    const { window, unreachable } = destination.pace;
    for (const outcome of learn) {
      started++;
      destination.pace.learn(outcome, { startedAt: started, latest: started, most: 100, nowMs: 0 });
    }
    destinations.close(destination);
    return { window, unreachable };
  };

  it("remembers what it learnt while a destination has no deliveries", () => {
    const destinations = new Destinations(() => rules);
    visit(destinations, "x", ["unreachable"]);
    visit(destinations, "__proto__", ["answered", "answered", "answered", "answered", "answered"]);
    assertEquals(visit(destinations, "x"), { window: 2, unreachable: true });
    assertEquals(visit(destinations, "x", ["answered"]), { window: 2, unreachable: true });
    assertEquals(visit(destinations, "x"), { window: 2, unreachable: false });
    assertEquals(visit(destinations, "__proto__"), { window: 6, unreachable: false });
    assertEquals(visit(destinations, "y"), { window: 5, unreachable: false });
  });

  it("remembers nothing of one that is back where strangers begin", () => {
    const destinations = new Destinations(() => rules);
    visit(destinations, "x", ["unreachable"]);
    visit(destinations, "x", Array<Outcome>(9).fill("answered"));
    assertEquals(visit(destinations, "x"), { window: 5, unreachable: false });
  });

  it("remembers ten thousand, and forgets those first that were used least recently", () => {
    const destinations = new Destinations(() => rules);
    for (let n = 0; n < mostLearnt; n++) visit(destinations, `${n}`, ["unreachable"]);
    visit(destinations, "0");
    visit(destinations, "one more", ["unreachable"]);
    const known = (name: string) => {
      const destination = destinations.open(name);
      return destination.unreachable;
    };
    assertEquals(["1", "0", "one more", `${mostLearnt - 1}`].map(known), [false, true, true, true]);
    let kept = 0;
    for (let n = 0; n < mostLearnt; n++) if (known(`${n}`)) kept++;
    assert(kept < mostLearnt && kept >= mostLearnt * 0.9 - 1, `${kept}`);
  });

  it("shows the busiest first, and no more than are asked for", () => {
    const destinations = new Destinations(() => rules);
    const load: readonly (readonly [string, number, number])[] = [["a", 0, 9], ["b", 2, 0], ["c", 2, 7], ["d", 0, 10]];
    for (const [name, running, waiting] of load) Object.assign(destinations.open(name), { running, waiting });
    assertEquals([0, 2, 9].map((count) => destinations.view(count, 3).map(({ name }) => name).join("")), [
      "",
      "cb",
      "cbda",
    ]);
    assertEquals(destinations.view(1, 3), [
      {
        ...{ name: "c", site: false, running: 2, waiting: 7, window: 3, unreachable: false, paused: false },
        ...{ rate: "", pausedUntilMs: 0, lastCode: 0, lastError: "" },
      },
    ]);
  });

  it("pauses a site and a domain of one name together, and those that have deliveries later", () => {
    const destinations = new Destinations(() => rules);
    const [domain, site] = [destinations.open("x"), destinations.open(siteKey("x"))];
    destinations.pause("x");
    assertEquals([domain.paused, site.paused, [...destinations.paused]], [true, true, ["x"]]);
    assertEquals(destinations.resume("x"), [domain, site]);
    destinations.pause("later");
    assertEquals(destinations.open(siteKey("later")).paused, true);
  });
});
