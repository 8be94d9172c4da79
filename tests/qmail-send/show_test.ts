import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { toOctets } from "../../components/lib/octets.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { heldSeconds } from "../../components/qmail-send/retry_queue.ts";
import { showMessage, type Shown } from "../../components/qmail-send/show.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { home } from "../support/queue_disk.ts";
import { CommandsWorld } from "./commands_world.ts";

const id = 2189625;
const both = ["bob@localhost", "joe@r.example"];

function show(world: CommandsWorld): Shown | undefined {
  const store = new Store(world.disk, home);
  const route = (address: string) =>
    ({ channel: address.endsWith("localhost") ? "local" : "remote", address }) as const;
  const fresh = [...world.manager.inMemory.journal].find((waiting) => waiting.id === id);
  return showMessage({ disk: world.disk, home, store, route }, id, { message: world.manager.message(id), fresh });
}

/** Where it stands, and each channel in a line. */
function said(world: CommandsWorld): readonly string[] {
  const shown = show(world);
  if (shown === undefined) return [];
  return [
    `${shown.state}${shown.journal ? " in the journal" : ""}`,
    ...shown.channels.map(({ channel, recipients, left, done, nextSeconds, held }) =>
      `${channel} ${left}/${done}${
        nextSeconds === undefined ? "" : held ? " held" : ` ${nextSeconds - world.clock.seconds}`
      } ${recipients.map((recipient) => (recipient.done ? "D" : "T") + recipient.address).join(" ")}`
    ),
  ];
}

describe("showMessage()", () => {
  it("tells of a message from its notice to its end", async () => {
    using world = new CommandsWorld();
    world.journal(id, [...both, "x@s.example"]);
    world.answer = () => "hold";
    await world.boot();
    assertEquals(said(world), [
      "first attempt in the journal",
      "local 1/0 Tbob@localhost",
      "remote 2/0 Tjoe@r.example Tx@s.example",
    ]);
    assertEquals(show(world)!.place?.serial, 1000 + id);
    await world.report("D", 1);
    assertEquals(show(world)!.failures, "<bob@localhost>:\nhard trouble\n\n");
    await world.report("K", 1);
    await world.report("Z", 1);
    assertEquals(said(world), ["waiting", "remote 1/1 400 Djoe@r.example Tx@s.example"]);
    assertEquals(show(world)!.failures, "<bob@localhost>:\nhard trouble\n\n");
    await world.act("hold", id);
    assertEquals(said(world)[0], "held");
    assertEquals(world.mtime("remote", id), heldSeconds);
    await world.act("release", id);
    await world.clock.advance(0);
    assertEquals(said(world), ["being delivered", "remote 1/1 Djoe@r.example Tx@s.example"]);
    world.takesBounces = false;
    await world.report("D", 1);
    assertEquals(said(world), ["ending"]);
    world.takesBounces = true;
    await world.clock.advance(5);
    assertEquals(said(world), []);
  });

  it("tells of one that waits for its first attempt, in todo or in the journal", async () => {
    using world = new CommandsWorld();
    await world.boot();
    world.todo(id, both, "eve@x.example");
    assertEquals(said(world), ["new", "local 1/0 Tbob@localhost", "remote 1/0 Tjoe@r.example"]);
    assertEquals([show(world)!.sender, show(world)!.birthSeconds], ["eve@x.example", world.clock.seconds]);
  });

  it("tells the real birth of one whose lifetime was ended", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both);
    await world.boot();
    world.answer = () => "hold";
    await world.act("expire", id);
    assertEquals(show(world)!.birthSeconds, world.clock.seconds - 60);
  });

  it("shows a thousand recipients, and counts all", async () => {
    using world = new CommandsWorld();
    world.waiting(id, Array.from({ length: 1200 }, (_, n) => `u${n}@r.example`));
    await world.boot();
    const [remote] = show(world)!.channels;
    assertEquals([remote!.recipients.length, remote!.left], [1000, 1200]);
  });

  it("says which file is not in its format", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both);
    await world.boot();
    world.disk.put(queueFile(home, "local", id), toOctets("Xbob\0"));
    assertStringIncludes(String(assertThrows(() => show(world))), `local/${id}: unknown record type "X"`);
    world.disk.put(queueFile(home, "info", id), toOctets("F"));
    assertStringIncludes(String(assertThrows(() => show(world))), `info/${id}: not one F record`);
  });
});
