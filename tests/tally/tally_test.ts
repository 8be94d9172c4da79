import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Config, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { parseRecords } from "../../components/tally/greylist_record.ts";
import { manifest } from "../../components/tally/permissions.ts";
import { tripletOf } from "../../components/tally/triplet.ts";
import { homeAt } from "../../config/home.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { startTally, tallyHome, type TallyProcess } from "./tally_process.ts";

/** Each from a network of its own. */
function triplet(n: number) {
  const ip = `10.${n >> 8}.${n & 255}.1`;
  return { ip, sender: `sender${n}@a.example`, recipient: "bob@b.example" };
}

const counting = { key: "client 192.0.2.1", limit: 2, perSeconds: 3600 };

describe("tally", () => {
  it("greylists and counts, and keeps the one over a restart", async () => {
    using home = tallyHome();
    {
      await using tally = await startTally(home);
      assertEquals(await tally.client.greylist({ ...triplet(1), waitSeconds: 0 }), { kind: "pass" });
      const { kind } = await tally.client.greylist({ ...triplet(2), waitSeconds: 300 });
      assertEquals(kind, "wait");
      const counted = [1, 2, 3].map(() => tally.client.count(counting));
      assertEquals((await Promise.all(counted)).map(({ kind }) => kind), ["within", "within", "over"]);
      assertEquals(await tally.end("SIGTERM"), 0);
    }
    await using tally = await startTally(home);
    await tally.log.waitFor((line) => line === "greylist waiting=1 known=1 networks=1", 10_000);
    assertEquals(await tally.client.greylist({ ...triplet(1), waitSeconds: 300 }), { kind: "pass" });
    assertEquals((await tally.client.greylist({ ...triplet(2), waitSeconds: 300 })).kind, "wait");
    assertEquals((await tally.client.count(counting)).kind, "within");
  });

  it("holds no address in its file, which is its account's alone", async () => {
    using home = tallyHome();
    await using tally = await startTally(home);
    await tally.client.greylist({ ...triplet(1), waitSeconds: 300 });
    const path = home.home.tally("greylist");
    assert(!new TextDecoder("latin1").decode(Deno.readFileSync(path)).includes("example"));
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  });

  it("loses nothing it has answered to a SIGKILL under load", async () => {
    using home = tallyHome();
    const passed: number[] = [];
    const waiting: number[] = [];
    let next = 0;
    /** Asks one after the other, until the process is gone. */
    const load = async ({ client }: TallyProcess) => {
      for (;;) {
        const n = next++;
        const answer = await client.greylist({ ...triplet(n), waitSeconds: n % 2 === 0 ? 0 : 300 });
        if (answer.kind === "unsure") return;
        (answer.kind === "pass" ? passed : waiting).push(n);
      }
    };
    for (let round = 1; round <= 5; round++) {
      await using tally = await startTally(home);
      let isOver = false;
      const loads = Promise.all(Array.from({ length: 20 }, () => load(tally))).finally(() => isOver = true);
      while (!isOver && passed.length + waiting.length < round * 2000) await tally.client.count(counting);
      await tally.end("SIGKILL");
      await loads;
    }
    const { records } = parseRecords(Deno.readFileSync(home.home.tally("greylist")));
    const written = new Set(records.map(({ kind, key }) => `${kind} ${key}`));
    assertEquals(waiting.filter((n) => !written.has(`waiting ${tripletOf(triplet(n)).key}`)), []);
    await using tally = await startTally(home);
    const again = await Promise.all(passed.map((n) => tally.client.greylist({ ...triplet(n), waitSeconds: 300 })));
    assertEquals(again.filter(({ kind }) => kind !== "pass"), []);
    assert(passed.length > 4000);
  });

  it("goes on with an empty greylist where its folder is not there, and says so", async () => {
    using home = tallyHome();
    Deno.removeSync(home.home.tally());
    await using tally = await startTally(home);
    assertEquals((await tally.client.greylist({ ...triplet(1), waitSeconds: 300 })).kind, "wait");
    assertEquals((await tally.client.greylist({ ...triplet(1), waitSeconds: 0 })).kind, "pass");
    const alert = await tally.log.waitFor((line) => line.startsWith("alert"), 10_000);
    assertMatch(alert, /^alert: cannot write tally\/greylist: NotFound.*; greylisting goes on in memory$/);
  });

  it("ends the connection that sends garbage, and no other", async () => {
    using home = tallyHome();
    await using tally = await startTally(home);
    const shout = async (octets: Uint8Array) => {
      using conn = await Deno.connect({ transport: "unix", path: home.home.socket("tally") });
      await conn.write(octets).catch(() => 0);
      assertEquals(await conn.read(new Uint8Array(100)).catch(() => null), null);
    };
    const noise = crypto.getRandomValues(new Uint8Array(10_000));
    noise[0] = 0xff;
    await shout(noise);
    await shout(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    const good = { op: "greylist", id: 1, ...triplet(1), waitSeconds: 300 };
    for (const change of [{ op: "pass" }, { ip: null }, { sender: "\0" }, { waitSeconds: 1e9 }, { id: -1 }]) {
      await shout(encodeFrame({ ...good, ...change }));
    }
    assertEquals((await tally.client.greylist({ ...triplet(2), waitSeconds: 300 })).kind, "wait");
    await tally.log.waitFor((line) => line.includes("garbage"), 10_000);
    assertEquals(tally.log.lines().filter((line) => !/^(garbage socket=tally|greylist) /.test(line)), []);
  });
});

describe("tally's grant", () => {
  const home = homeAt("/q");
  const controls = (greylist: number, ratelimits: number, policy: readonly string[]) =>
    ({
      home,
      controls: { greylist, ratelimits: Array.from({ length: ratelimits }, () => ({})), policy },
    }) as unknown as Config;

  it("keeps the rule", () => assertEquals(breaches([manifest], controls(0, 0, [])), []));

  const rows = [
    { greylist: 0, ratelimits: 0, policy: ["greylist", "ratelimit"], needed: false },
    { greylist: 300, ratelimits: 0, policy: ["greylist", "ratelimit"], needed: true },
    { greylist: 0, ratelimits: 1, policy: ["greylist", "ratelimit"], needed: true },
    { greylist: 300, ratelimits: 0, policy: ["ratelimit"], needed: false },
    { greylist: 0, ratelimits: 1, policy: ["greylist"], needed: false },
  ];
  for (const { needed, ...row } of rows) {
    it(`${needed ? "is needed" : "is not needed"} with ${JSON.stringify(row)}`, () => {
      assertEquals(manifest.neededWhen!(controls(row.greylist, row.ratelimits, row.policy)), needed);
    });
  }

  it("is used to its last entry, and nothing is asked for outside of it", async () => {
    using place = tallyHome();
    await using tally = await startTally(place, `${place.home.dir}/tally.jsonl`);
    await tally.client.greylist({ ...triplet(1), waitSeconds: 300 });
    await tally.client.count(counting);
    assertEquals(await tally.end("SIGTERM"), 0);
    const asked = readAudit(place.home.dir, "tally");
    const rights = rightsOf(manifest.permissions({ home: place.home } as Config), place.home);
    assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
  });
});
