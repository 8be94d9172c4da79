import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Disk, FileStat } from "../../components/lib/disk/disk.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { showMessage, type Shown, type ShowWays } from "../../components/qmail-send/show.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { home } from "../support/queue_disk.ts";
import { CommandsWorld } from "./commands_world.ts";

const id = 2189625;
const both = ["bob@localhost", "joe@r.example"];

function ways(world: CommandsWorld, disk: Pick<Disk, "stat" | "readFile"> = world.disk): ShowWays {
  const route = (address: string) =>
    ({ channel: address.endsWith("localhost") ? "local" : "remote", address }) as const;
  return { disk: disk as Disk, home, store: new Store(world.disk, home), route };
}

function diskOf({ disk }: CommandsWorld): Pick<Disk, "stat" | "readFile"> {
  return { stat: (path) => disk.stat(path), readFile: (path) => disk.readFile(path) };
}

function withCtime(stat: FileStat | undefined, ctimeSeconds: number): FileStat | undefined {
  return stat && { ...stat, ctimeSeconds };
}

function show(world: CommandsWorld): Shown | undefined {
  const fresh = [...world.manager.inMemory.journal].find((waiting) => waiting.id === id);
  return showMessage(ways(world), id, { message: world.manager.message(id), fresh });
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

  it("tells since when a message is held, where the disk knows, and what was said last about each recipient", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both);
    await world.boot();
    world.answer = () => "Z";
    await world.act("retry", id);
    await world.clock.advance(0);
    await world.act("hold", id);
    const disk = { ...diskOf(world), stat: (path: string) => withCtime(world.disk.stat(path), 77) };
    const { channels } = showMessage(ways(world, disk), id, { errors: world.manager.errors.of(id) })!;
    assertEquals(channels.map(({ held, heldSinceSeconds }) => [held, heldSinceSeconds]), [[true, 77], [true, 77]]);
    const error = { attempts: 1, lastSeconds: world.clock.seconds, lastError: "temporary trouble" };
    assertEquals(channels.flatMap(({ recipients }) => recipients), [
      { address: "bob@localhost", done: false, ...error },
      { address: "joe@r.example", done: false, ...error },
    ]);
    await world.act("delete", id);
    assertEquals(world.manager.errors.of(id), undefined);
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
