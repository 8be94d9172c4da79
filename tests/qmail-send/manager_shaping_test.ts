/**
 * Deliveries that wait for their time: what is put off is on the disk, neither lost nor told as a deferral.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { parseShaping, type Shaping } from "../../components/lib/shaping/shaping_file.ts";
import { World } from "./world.ts";

const shapingOf = (text: string): Shaping => {
  const parsed = parseShaping(text);
  assert(parsed.ok, parsed.ok ? "" : parsed.error);
  return parsed.value;
};
const next = (code: number) => ({ site: "s.example", host: "mx.s.example", ip: "192.0.2.1", tls: "", code });
const overloaded = { text: "192.0.2.1 failed on DATA command.\nRemote host said: 421 too many\n", next: next(421) };
const first = 2189625;

/** `count` messages, each for one recipient of its own. */
function putMany(world: World, count: number, domain: (n: number) => string): string[] {
  const recipients = Array.from({ length: count }, (_, n) => `r${n}@${domain(n)}`);
  recipients.forEach((recipient, n) => world.put(first + n, [recipient]));
  return recipients;
}

/** Lets time pass until the queue is empty. */
async function runDry(world: World, hours: number): Promise<void> {
  for (let hour = 0; hour < hours && Object.keys(world.disk.files()).length > 0; hour++) {
    await world.clock.advance(3600);
  }
  assertEquals(world.disk.files(), {});
}

describe("Manager: a warm-up", () => {
  const controls = { shaping: shapingOf("warmup localhost from 2026-11-22: 48/d 48/d 48/d\n") };

  it("lets the day's amount leave, evenly, and keeps the rest on the disk without a deferral", async () => {
    using world = new World({ controls });
    const recipients = putMany(world, 30, (n) => `d${n}.example`);
    await world.boot();
    await world.clock.settle();
    // An hour's share.
    assertEquals(world.attempts.length, 2);
    assertEquals(Object.keys(world.disk.files()).filter((path) => path.includes("/remote/")).length, 28);
    assert(!world.log.lines().some((line) => line.includes("deferral")));
    await world.clock.advance(7 * 3600);
    assert(world.attempts.length >= 12 && world.attempts.length <= 16, `${world.attempts.length}`);
    world.manager.setControls({ ...world.controls, shaping: shapingOf("") });
    world.manager.retryAll();
    await runDry(world, 48);
    assertEquals(world.delivered.toSorted(), recipients.toSorted());
    assertEquals(world.attempts.length, 30);
  });

  it("holds back nobody else's, no local recipients, and no last attempt", async () => {
    using world = new World({ controls: { ...controls, queuelifetime: 3600 } });
    for (let n = 0; n < 6; n++) world.put(first + n, [`r${n}@d.example`, `r${n}@localhost`]);
    world.put(first + 6, ["r6@d.example"], { sender: "joe@other.example" });
    await world.boot();
    await world.clock.settle();
    const made = () => world.attempts.map(({ addresses }) => addresses[0]!);
    assertEquals(made().filter((address) => address.endsWith("@localhost")).length, 6);
    assertEquals(made().filter((address) => address.endsWith("@d.example")).length, 3);
    assert(made().includes("r6@d.example"));
    await runDry(world, 24);
    assertEquals(new Set(world.delivered).size, 13);
    assertEquals(world.delivered.length, 13);
    assertEquals(world.bounces, []);
  });
});

describe("Manager: a site that wants less mail", () => {
  it("is left alone for longer and longer, and in the end gets everything once", async () => {
    let answers = false;
    using world = new World({
      answer: () => answers ? "K" : "Z",
      said: () => answers ? { next: next(250) } : overloaded,
    });
    const recipients = putMany(world, 200, (n) => `d${n % 2}.example`);
    await world.boot();
    await world.clock.settle();
    const begun = world.attempts.length;
    assert(begun < 30, `${begun} deliveries before the pause`);
    const [site] = world.manager.destinations(9);
    assertEquals([site?.name, site?.site, site?.window, site?.lastCode], ["s.example", true, 1, 421]);
    assert(site!.pausedUntilMs > world.clock.seconds * 1000);
    assert(site!.waiting <= 20, `${site!.waiting} in memory`);
    await world.clock.advance(1800);
    // Pauses of 60, 120, 240, 480 and 960 seconds: one probe after each.
    assert(world.attempts.length - begun <= 6, `${world.attempts.length - begun} probes`);
    answers = true;
    await runDry(world, 48);
    assertEquals(world.delivered.toSorted(), recipients.toSorted());
    assertEquals(world.doubled, []);
  });

  it("holds up no mail for others meanwhile", async () => {
    using world = new World({
      answer: (address) => address.endsWith("@ok.example") ? "K" : "Z",
      said: (address) => address.endsWith("@ok.example") ? {} : overloaded,
    });
    putMany(world, 300, (n) => n === 299 ? "ok.example" : "d.example");
    await world.boot();
    await world.clock.settle();
    assertEquals(world.delivered, ["r299@ok.example"]);
  });

  it("is tried at once on an operator's word", async () => {
    let answers = false;
    using world = new World({
      answer: () => answers ? "K" : "Z",
      said: () => answers ? { next: next(250) } : overloaded,
    });
    const recipients = putMany(world, 20, () => "d.example");
    await world.boot();
    await world.clock.settle();
    answers = true;
    world.manager.retryAll();
    await world.clock.advance(1);
    assertEquals(world.delivered.toSorted(), recipients.toSorted());
  });

  it("has a message bounced whose lifetime ends meanwhile, with what the site said", async () => {
    using world = new World({ answer: () => "Z", said: () => overloaded, controls: { queuelifetime: 7200 } });
    putMany(world, 60, () => "d.example");
    await world.boot();
    await runDry(world, 24);
    assertEquals(world.bounces.length, 60);
    const texts = world.bounces.map(({ paragraphs }) => paragraphs).filter((text) => text.includes("being held back"));
    assert(texts.length > 0);
    assert(
      texts[0]!.includes("from s.example: 192.0.2.1 failed on DATA command. Remote host said: 421 too many (#4.4.7)"),
    );
    assert(texts[0]!.includes("this message has been in the queue too long"));
  });
});

describe("Manager: a rate", () => {
  it("is kept by first and later attempts together, over the hours", async () => {
    using world = new World({ controls: { shaping: shapingOf("*: rate=30/m start=20\n") } });
    const recipients = putMany(world, 400, (n) => `d.example`.replace("d", `d${n % 1}`));
    await world.boot();
    await world.clock.advance(120);
    assert(world.attempts.length >= 55 && world.attempts.length <= 62, `${world.attempts.length}`);
    assert(world.manager.destinations(1)[0]!.waiting <= 60);
    await runDry(world, 3);
    assertEquals(world.delivered.toSorted(), recipients.toSorted());
    const from = world.attempts[0]!.atSeconds;
    for (const [n, { atSeconds }] of world.attempts.entries()) assert(n <= (atSeconds - from) / 2 + 2, `${n}`);
  });
});
