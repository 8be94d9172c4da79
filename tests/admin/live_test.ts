/** What tells open pages that there is something new. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fingerprintOf } from "../../components/admin/live/fingerprint.ts";
import { eventStream } from "../../components/admin/live/stream.ts";
import { mostListeners, Ticker } from "../../components/admin/live/ticker.ts";
import { fakeWorld } from "./fake_world.ts";
import { away, overview, send, smtpd, withComponents } from "./samples.ts";

describe("Ticker", () => {
  it("looks while somebody listens, and tells each change once", async () => {
    let looked = 0;
    // The first look is what the page shows already.
    const ticker = new Ticker(() => Promise.resolve(String(Math.floor(++looked / 2))), 1);
    const heard = await new Promise<number[]>((resolve) => {
      const changes: number[] = [];
      const listener = (change: number) => {
        changes.push(change);
        if (changes.length === 3) {
          ticker.leave(listener);
          resolve(changes);
        }
      };
      ticker.listen(listener, () => {});
    });
    assertEquals(heard, [1, 2, 3]);
    const before = looked;
    // Nobody listens: no look is under way, and no timer is left.
    await Promise.resolve();
    assertEquals(looked, before);
  });

  it("takes so many and no more, and none once it has stopped", () => {
    const ticker = new Ticker(() => Promise.resolve(""), 1000);
    let ended = 0;
    for (let at = 0; at < mostListeners; at++) assert(ticker.listen(() => {}, () => ended++));
    assert(ticker.isFull && !ticker.listen(() => {}, () => ended++));
    ticker.stop();
    assertEquals([ended, ticker.listen(() => {}, () => {})], [mostListeners, false]);
  });
});

describe("eventStream()", () => {
  it("ends with the ticker", async () => {
    const ticker = new Ticker(() => Promise.resolve(""), 1000);
    const text = new Response(eventStream(ticker)).text();
    ticker.stop();
    assertEquals(await text, "retry: 3000\n\n");
  });

  it("leaves room for others when its page is left", async () => {
    const ticker = new Ticker(() => Promise.resolve(""), 1000);
    const streams = Array.from({ length: mostListeners }, () => eventStream(ticker));
    assert(ticker.isFull);
    await streams[0]!.cancel();
    assert(!ticker.isFull);
    ticker.stop();
  });
});

describe("fingerprintOf()", () => {
  const of = (change: Parameters<typeof fakeWorld>[0]) => fingerprintOf(fakeWorld(change));
  const seen = (one: typeof overview) => of({ overview: () => Promise.resolve(one) });

  it("changes with a counter, a component's state and the log, and with what goes away", async () => {
    const usual = await of({});
    const rows = [
      seen({ ...overview, send: { kind: "answered", status: { ...send, messages: 41 } } }),
      seen(withComponents({ ...smtpd, state: "waiting" })),
      seen({ ...overview, queue: away }),
      of({ tail: () => Promise.resolve(away) }),
    ];
    for (const other of await Promise.all(rows)) assertNotEquals(other, usual);
  });

  it("stays while only time passes", async () => {
    const later = withComponents(
      ...overview.supervisor.kind === "answered"
        ? overview.supervisor.status.components.map((one) => ({
          ...one,
          uptimeSeconds: one.uptimeSeconds + 9,
          rssBytes: 1,
        }))
        : [],
    );
    assertEquals(await seen({ ...later, takenAtMs: 1 }), await of({}));
  });
});
