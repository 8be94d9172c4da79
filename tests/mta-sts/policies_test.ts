import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { StsLookup } from "../../components/lib/sts/cache_rules.ts";
import { type FetchResult } from "../../components/mta-sts/fetch.ts";
import { defaultLimits, type Limits, Policies } from "../../components/mta-sts/policies.ts";

const day = 86_400;

function policy(mx: string, mode: "enforce" | "none" = "enforce", maxAgeSeconds = 7 * day): FetchResult {
  return { kind: "policy", policy: { mode, mx: [mx], maxAgeSeconds } };
}
const broken: FetchResult = { kind: "failed", flaw: "sts-policy-fetch-error", why: "test" };
const none = { kind: "none" } as const;

/** Policies over a world that a test changes; what was looked up and fetched is in `log`. */
function worldOf(limits: Limits = defaultLimits) {
  const world = {
    now: 1_000_000,
    lookup: { kind: "id", id: "1" } as StsLookup,
    fetched: policy("a.example") as FetchResult | undefined,
    /** Settles when a fetch may end. */
    gate: Promise.resolve() as Promise<void>,
    /** Settles when patience ends. */
    patience: new Promise<void>(() => {}),
    log: [] as string[],
  };
  const known: string[] = [];
  const policies = new Policies({
    lookUp: (domain) => {
      world.log.push(`look up ${domain}`);
      return Promise.resolve(world.lookup);
    },
    fetch: async (domain) => {
      world.log.push(`fetch ${domain}`);
      await world.gate;
      return world.fetched;
    },
    patience: (work) => Promise.race([work, world.patience]),
    nowSeconds: () => world.now,
    onFetched: () => {},
    onKnown: (domain, { id }) => known.push(`${domain} ${id}`),
  }, limits);
  const ask = async (domain = "x.example") => {
    const reply = await policies.ask(domain);
    return reply.kind === "none" ? reply : reply.mx.join();
  };
  const fetches = () => world.log.filter((line) => line.startsWith("fetch")).length;
  return { world, policies, ask, fetches, known };
}

describe("Policies", () => {
  it("fetches once for as long as the id stays the same", async () => {
    const { ask, fetches } = worldOf();
    assertEquals([await ask(), await ask(), fetches()], ["a.example", "a.example", 1]);
  });

  it("fetches again when the id changes, and keeps the old policy where that fails", async () => {
    const { world, ask, fetches } = worldOf();
    await ask();
    world.lookup = { kind: "id", id: "2" };
    world.fetched = broken;
    assertEquals([await ask(), await ask(), fetches()], ["a.example", "a.example", 2]);
    world.now += 300;
    world.fetched = policy("b.example");
    assertEquals([await ask(), fetches()], ["b.example", 3]);
  });

  it("keeps to a valid policy when the record is gone or the DNS silent, and to none that is over", async () => {
    for (const lookup of [{ kind: "none" }, { kind: "temporary" }] as const) {
      const { world, ask } = worldOf();
      await ask();
      world.lookup = lookup;
      world.now += 7 * day - 1;
      assertEquals(await ask(), "a.example");
      world.now += 1;
      assertEquals(await ask(), none);
    }
  });

  it("forgets by a policy in mode none", async () => {
    const { world, ask } = worldOf();
    await ask();
    world.lookup = { kind: "id", id: "2" };
    world.fetched = policy("a.example", "none");
    const withdrawn = { kind: "none", isWithdrawn: true };
    assertEquals([await ask(), await ask()], [withdrawn, withdrawn]);
  });

  it("says why there is none, and does not try again for 5 minutes", async () => {
    const { world, ask, fetches } = worldOf();
    world.fetched = broken;
    const flawed = { kind: "none", flaw: "sts-policy-fetch-error" };
    assertEquals([await ask(), await ask(), fetches()], [flawed, flawed, 1]);
    world.now += 299;
    await ask();
    assertEquals(fetches(), 1);
    world.now += 1;
    await ask();
    assertEquals(fetches(), 2);
    world.lookup = { kind: "none" };
    assertEquals(await ask(), none);
  });

  it("has one fetch under way for all who ask, and answers them when they have waited enough", async () => {
    const { world, ask, fetches } = worldOf();
    const gate = Promise.withResolvers<void>();
    const patience = Promise.withResolvers<void>();
    world.gate = gate.promise;
    world.patience = patience.promise;
    const asking = Array.from({ length: 100 }, () => ask());
    await Promise.resolve();
    patience.resolve();
    assertEquals([...new Set((await Promise.all(asking)).map((reply) => JSON.stringify(reply)))], [`{"kind":"none"}`]);
    assertEquals(fetches(), 1);
    gate.resolve();
    world.patience = new Promise(() => {});
    assertEquals([await ask(), fetches()], ["a.example", 1]);
  });

  it("remembers no failure where there was no place for a fetch", async () => {
    const { world, ask } = worldOf();
    world.fetched = undefined;
    assertEquals(await ask(), none);
    world.fetched = policy("a.example");
    assertEquals(await ask(), "a.example");
  });

  it("refreshes daily what is in use, and nothing else", async () => {
    const { world, policies, ask, fetches } = worldOf();
    world.fetched = policy("a.example", "enforce", 300 * day);
    await ask();
    await policies.refresh();
    assertEquals(fetches(), 1);
    for (let days = 1; days <= 20; days++) {
      world.now += day;
      await policies.refresh();
    }
    assertEquals(fetches(), 7);
    assertEquals(await ask(), "a.example");
    assertEquals(fetches(), 7);
  });

  it("keeps a policy whose refresh fails, for as long as it is valid, and asks less and less often", async () => {
    const { world, policies, ask } = worldOf();
    await ask();
    world.fetched = broken;
    world.now += day;
    for (let minutes = 0; minutes < 600; minutes += 10) {
      await policies.refresh();
      world.now += 600;
    }
    assertEquals(await ask(), "a.example");
    const left = world.log.filter((line) => line.startsWith("fetch")).length;
    assertEquals(left < 15, true);
    world.now += 7 * day;
    assertEquals(await ask(), { kind: "none", flaw: "sts-policy-fetch-error" });
  });

  it("drops on a refresh what is over", async () => {
    const { world, policies, ask } = worldOf();
    await ask();
    world.now += 7 * day;
    await policies.refresh();
    assertEquals(policies.size, 0);
  });

  it("takes what an earlier process fetched, where that is valid and newer", async () => {
    const { world, policies, ask } = worldOf();
    const kept = (mx: string, fetchedSeconds: number, mode: "enforce" | "none" = "enforce") => {
      return { id: "1", policy: { mode, mx: [mx], maxAgeSeconds: day }, fetchedSeconds };
    };
    const fetched = () => [...policies.known()].map(([, { fetchedSeconds }]) => fetchedSeconds);
    world.lookup = { kind: "temporary" };
    policies.learn("x.example", kept("over.example", world.now - day));
    assertEquals([await ask(), fetched()], [none, []]);
    policies.learn("x.example", kept("b.example", world.now - 10));
    policies.learn("x.example", kept("older.example", world.now - 11));
    assertEquals([await ask(), fetched()], ["b.example", [world.now - 10]]);
    // A clock that was put back.
    policies.learn("x.example", kept("c.example", world.now + 9 * day));
    assertEquals([await ask(), fetched()], ["c.example", [world.now]]);
    world.now += day;
    assertEquals([await ask(), fetched()], [none, []]);
    policies.learn("x.example", kept("d.example", world.now, "none"));
    assertEquals(await ask(), { kind: "none", isWithdrawn: true });
  });

  it("fetches what an earlier process fetched again only where the id is another", async () => {
    const { world, policies, ask, fetches } = worldOf();
    const policyOf = (id: string) => ({
      id,
      policy: { mode: "enforce", mx: ["b.example"], maxAgeSeconds: day } as const,
    });
    policies.learn("x.example", { ...policyOf("1"), fetchedSeconds: world.now });
    policies.learn("y.example", { ...policyOf("0"), fetchedSeconds: world.now });
    assertEquals([await ask(), fetches()], ["b.example", 0]);
    assertEquals([await ask("y.example"), fetches()], ["a.example", 1]);
  });

  it("tells of each policy that is fetched", async () => {
    const { world, ask, known } = worldOf();
    await ask();
    world.lookup = { kind: "id", id: "2" };
    world.fetched = broken;
    await ask();
    assertEquals(known, ["x.example 1"]);
  });

  it("remembers the domains that were asked for last, as many as it may", async () => {
    const { policies, ask, fetches } = worldOf({ mostDomains: 2, mostPatternBytes: 1000 });
    for (const domain of ["a", "b", "a", "c", "a"]) await ask(domain);
    assertEquals([policies.size, fetches()], [2, 3]);
    await ask("b");
    assertEquals(fetches(), 4);
  });

  it("never has more than it may, whoever asks for what", async () => {
    const question = fc.record({ domain: fc.stringMatching(/^[a-f]$/), mx: fc.nat(300), fails: fc.boolean() });
    await fc.assert(fc.asyncProperty(fc.array(question, { maxLength: 60 }), async (questions) => {
      const { world, policies, ask } = worldOf({ mostDomains: 4, mostPatternBytes: 400 });
      for (const [at, { domain, mx, fails }] of questions.entries()) {
        world.lookup = { kind: "id", id: String(at) };
        world.fetched = fails ? broken : policy("x".repeat(mx));
        await ask(domain);
        if (policies.size > 4) throw new Error(`${policies.size} domains`);
      }
    }));
  });
});
