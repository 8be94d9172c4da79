import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { KeptPolicy } from "../../components/lib/wire/sts_memory_protocol.ts";
import { type KeptLimits, KeptPolicies } from "../../components/tlsrpt/kept_policies.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { FakeDisk } from "../support/fake_disk.ts";

const now = 1_795_333_684;
const path = "/t/policies";

function kept(domain: string, { mx = "mx.example", fetchedSeconds = now, maxAgeSeconds = 86_400 } = {}): KeptPolicy {
  return { domain, known: { id: "a1", policy: { mode: "enforce", mx: [mx], maxAgeSeconds }, fetchedSeconds } };
}

/** A process on a disk. */
function begin(disk: FakeDisk, { limits, nowSeconds = now }: { limits?: KeptLimits; nowSeconds?: number } = {}) {
  const troubles: unknown[] = [];
  const damage: number[] = [];
  const policies = new KeptPolicies({
    disk,
    dir: "/t",
    nowSeconds: () => nowSeconds,
    onTrouble: (error) => troubles.push(error),
    onDamage: (lines) => damage.push(lines),
    ...(limits === undefined ? {} : { limits }),
  });
  policies.load();
  return { policies, troubles, damage };
}

function plain(policies: KeptPolicies): readonly KeptPolicy[] {
  return policies.all.map(({ domain, known }) => ({ domain, known }));
}

const domains = (policies: KeptPolicies) => policies.all.map(({ domain }) => domain);

/** Policies come and are renewed. `told` after each flush. */
async function story(policies: KeptPolicies, told: () => boolean | void = () => {}): Promise<void> {
  for (let n = 0; n < 4; n++) {
    policies.remember(kept("a.example", { fetchedSeconds: now + n }));
    policies.remember(kept(`b${n}.example`));
    await policies.flush();
    if (told() === false) return;
  }
}

describe("KeptPolicies", () => {
  it("knows after a restart what was flushed, the last of each domain", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk);
    await story(policies);
    const again = begin(disk.afterCrash());
    assertEquals(plain(again.policies), plain(policies));
    assertEquals([again.damage, again.troubles, disk.open], [[], [], 0]);
    assertEquals(again.policies.all.find(({ domain }) => domain === "a.example")!.known.fetchedSeconds, now + 3);
  });

  it("writes nothing where nothing is new", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk);
    await policies.flush();
    assertEquals(disk.operations, []);
    policies.remember(kept("a.example"));
    await policies.flush();
    const count = disk.operations.length;
    policies.remember(kept("a.example"));
    await policies.flush();
    assertEquals(disk.operations.length, count);
  });

  it("knows, after a death or a power loss at any operation, what was flushed before it", async () => {
    for (let n = 0;; n++) {
      // One that begins with a damaged file, so that it is written anew as well.
      const disk = new FakeDisk(["/t"]);
      disk.put(path, toOctets("half a li"));
      disk.stopAt(n);
      const { policies } = begin(disk);
      let flushed: readonly KeptPolicy[] = [];
      await story(policies, () => {
        if (!disk.stopped) flushed = plain(policies);
        return !disk.stopped;
      });
      if (!disk.stopped) return assert(n >= 12, `${n}`);
      for (const keeps of ["death", "old", "new", "torn"] as const) {
        const after = keeps === "death" ? disk.afterCrash() : disk.afterPowerLoss(() => keeps);
        const { policies: found } = begin(after);
        const why = `${keeps}, stopped at ${n}: ${disk.operations.at(-1)}`;
        for (const { domain, known } of flushed) {
          const now = found.all.find((one) => one.domain === domain);
          assert(now !== undefined && now.known.fetchedSeconds >= known.fetchedSeconds, `${domain}: ${why}`);
        }
      }
    }
  });

  for (const [code, half] of [["ENOSPC", "half"], ["EIO", undefined]] as const) {
    it(`goes on in memory after ${code} at any operation, says so once, and saves all later`, async () => {
      for (let n = 0;; n++) {
        const disk = new FakeDisk(["/t"]);
        disk.failAt(n, code, half);
        const { policies, troubles } = begin(disk);
        await story(policies);
        if (disk.operations.length <= n) return assert(n > 8, `${n}`);
        await policies.flush();
        await policies.flush();
        assertEquals(troubles.length, 1, disk.operations[n]);
        const found = begin(disk.afterPowerLoss(() => "old")).policies;
        assertEquals(domains(found).toSorted(), domains(policies).toSorted(), disk.operations[n]);
        assertEquals(disk.open, 0);
      }
    });
  }

  it("is empty where the file is missing, a folder or far too long, and passes over what is damaged", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk);
    for (const name of ["a", "b", "c"]) policies.remember(kept(`${name}.example`));
    await policies.flush();
    const text = disk.files()[path]!;
    const rows = [
      { what: "a changed octet", text: text.replace("b.example", "x.example"), left: "ac", damage: [1] },
      { what: "a cut end", text: text.slice(0, -9), left: "ab", damage: [1] },
      {
        what: "zeros in the middle",
        text: text.replace(/^.*b\.example.*$/m, "\0".repeat(200)),
        left: "ac",
        damage: [1],
      },
      { what: "octets that are no UTF-8", text: `\xff\xfe\n${text}`, left: "abc", damage: [1] },
      { what: "nothing", text: "", left: "", damage: [] },
    ];
    for (const { what, text, left, damage: want } of rows) {
      const other = new FakeDisk(["/t"]);
      other.put(path, toOctets(text));
      const { policies, damage } = begin(other);
      assertEquals([domains(policies).map((name) => name[0]).join(""), damage], [left, want], what);
      policies.remember(kept("d.example"));
      await policies.flush();
      const again = begin(other.afterCrash());
      assertEquals([domains(again.policies).map((name) => name[0]).join(""), again.damage], [`${left}d`, []], what);
    }
  });

  it("passes over a whole line that is no policy", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk);
    // Its digest is right.
    policies.remember({ domain: "../up", known: kept("x").known });
    await policies.flush();
    const { policies: found, damage } = begin(disk.afterCrash());
    assertEquals([found.all, damage], [[], [1]]);
  });

  it("takes any octets for what they are", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const disk = new FakeDisk(["/t"]);
      disk.put(path, octets);
      assertEquals(begin(disk).policies.all, []);
    }));
  });

  it("drops what is over at a start, and what came first where there are too many", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk, { limits: { mostDomains: 3, mostBytes: 10_000 } });
    for (const name of ["a", "b", "c", "a", "d"]) {
      policies.remember(kept(`${name}.example`, { maxAgeSeconds: name === "c" ? 10 : 86_400, mx: `${name}.example` }));
    }
    // The same again changes nothing, not even its place.
    assertEquals(domains(policies), ["b.example", "c.example", "d.example"]);
    await policies.flush();
    const limits = { mostDomains: 9, mostBytes: 9999 };
    assertEquals(domains(begin(disk.afterCrash(), { nowSeconds: now + 10, limits }).policies), [
      "a.example",
      "b.example",
      "d.example",
    ]);
    const small = begin(disk.afterCrash(), { limits: { mostDomains: 9, mostBytes: 400 } }).policies;
    assert(small.all.length > 0 && small.all.length < 3, `${small.all.length}`);
  });

  it("writes the file anew when it is much longer than what it says", async () => {
    const disk = new FakeDisk(["/t"]);
    const { policies } = begin(disk);
    let longest = 0;
    for (let n = 0; n < 40; n++) {
      for (let domain = 0; domain < 200; domain++) {
        policies.remember(kept(`d${domain}.example`, { fetchedSeconds: now + n }));
      }
      await policies.flush();
      longest = Math.max(longest, disk.files()[path]!.length);
    }
    assert(longest < 1_200_000, `${longest}`);
    assert(disk.operations.includes(`rename ${path}.new ${path}`));
    assertEquals(plain(begin(disk.afterCrash()).policies).length, 200);
    assertEquals(Object.keys(disk.files()), [path]);
  });
});
