/**
 * What a client asked for beside its envelope, from qmail-send's point of view: who is told of what, and what goes along.
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  formatMessageOptions,
  type MessageOptions,
  parseNotify,
  type RecipientOptions,
} from "../../components/lib/queue/message_options.ts";
import { formatOptionsFile } from "../../components/lib/queue/options_file.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { home } from "../support/queue_disk.ts";
import { type Put, World, type WorldOptions } from "./world.ts";

const [amy, bob, eve] = ["amy@localhost", "bob@r.example", "eve@virt.example"] as const;
const hour = 3600;

function asks(notify: string, orcpt?: string): RecipientOptions {
  const parsed = parseNotify(notify);
  assert(parsed.ok);
  return { notify: parsed.value, ...orcpt === undefined ? {} : { orcpt } };
}

/** Of recipients by their places; undefined asks for nothing. */
function options(
  recipients: readonly (RecipientOptions | undefined)[],
  more: Partial<MessageOptions> = {},
): MessageOptions {
  const given = recipients.flatMap((one, place) => one === undefined ? [] : [[place, one] as const]);
  return { ...more, recipients: new Map(given) };
}

/** With and without a journal: then every message goes through todo. */
const ways = [{ through: "todo", segments: 0 }, { through: "the journal", segments: 4 }];

for (const { through, segments } of ways) {
  /** A world whose two processes run and that was handed a message. */
  const worldWith = async (recipients: readonly string[], put: Put, more: WorldOptions = {}): Promise<World> => {
    const world = new World({ segments, ...more });
    await world.boot();
    await world.accept(recipients, put);
    return world;
  };
  const told = (world: World) =>
    world.reports.map(({ kind, recipients }) => [kind, ...recipients.map((one) => `${one.recipient} ${one.action}`)]);
  const finish = async (world: World) => {
    for (let n = 0; n < 1000 && await world.clock.jump(); n++);
  };

  describe(`Manager, of failures, through ${through}`, () => {
    for (
      const { notify, bounces } of [
        { notify: "NEVER", bounces: 0 },
        { notify: "SUCCESS", bounces: 0 },
        { notify: "DELAY", bounces: 0 },
        { notify: "FAILURE", bounces: 1 },
        { notify: "SUCCESS,FAILURE,DELAY", bounces: 1 },
      ]
    ) {
      it(`sends ${bounces === 0 ? "no bounce" : "a bounce"} where NOTIFY is ${notify}`, async () => {
        for (const answers of ["D", "ZD"]) {
          using world = await worldWith([bob], { options: options([asks(notify)]) }, {
            answer: (_, attempt) => answers[attempt - 1] as "Z" | "D",
          });
          await finish(world);
          assertEquals([world.bounces.length, world.reports.length], [bounces, 0]);
          assertEquals(world.files(), {});
        }
      });
    }

    it("tells only of those whose failure is to be told", async () => {
      for (const answers of ["D", "ZD"]) {
        using world = await worldWith(
          [amy, bob, eve],
          { options: options([asks("NEVER"), undefined, asks("NEVER")]) },
          {
            answer: (_, attempt) => answers[attempt - 1] as "Z" | "D",
          },
        );
        await finish(world);
        assertEquals(world.bounces.map(({ paragraphs }) => paragraphs), [`<${bob}>:\nhard trouble\n\n`]);
      }
    });

    it("knows at the bounce what was asked for, after restarts, too", async () => {
      for (const restarts of [false, true]) {
        using world = await worldWith([eve, bob], {
          options: options([asks("FAILURE", "rfc822;Eve@x"), undefined], { envid: "QQ\n1", ret: "HDRS" }),
        }, { answer: (_, attempt) => attempt === 1 ? "Z" : "D" });
        if (restarts) {
          await world.kill();
          await world.boot();
        }
        await finish(world);
        const [asked] = world.askedFor;
        assertEquals([asked?.options.envid, asked?.options.ret], ["QQ\n1", "HDRS"]);
        assertEquals(asked?.originals(), new Map([[eve, "rfc822;Eve@x"]]));
        assertEquals(world.bounces.length, 1);
      }
    });
  });

  describe(`Manager, of success, through ${through}`, () => {
    it("tells in one report of all that have it after the first attempt, before the message ends", async () => {
      using world = await worldWith([amy, bob, eve], {
        options: options([asks("SUCCESS", "rfc822;Amy@x"), asks("SUCCESS,FAILURE"), asks("FAILURE")], { envid: "e1" }),
      });
      assertEquals(told(world), [["success", `${amy} delivered`, `${bob} relayed`]]);
      assertEquals([world.reports[0]?.envid, world.reports[0]?.recipients[0]?.orcpt], ["e1", "rfc822;Amy@x"]);
      assertEquals([world.files(), world.bounces], [{}, []]);
    });

    it("tells nothing where the next host does so itself", async () => {
      using world = await worldWith([bob, "joe@s.example"], { options: options([asks("SUCCESS"), asks("SUCCESS")]) }, {
        dsn: (address) => address === bob,
      });
      assertEquals(told(world), [["success", "joe@s.example relayed"]]);
    });

    it("tells nobody who did not ask, and no null sender", async () => {
      for (const sender of ["joe@localhost", "", "#@[]"]) {
        using world = await worldWith([amy, bob], {
          sender,
          options: options(sender === "" || sender === "#@[]" ? [asks("SUCCESS"), asks("SUCCESS")] : [], {
            ret: "FULL",
          }),
        });
        assertEquals([told(world), world.files()], [[], {}]);
      }
    });

    it("tells of each when it has it: some after the first attempt, others after later ones and restarts", async () => {
      for (const restarts of [false, true]) {
        using world = await worldWith([amy, bob, eve], {
          options: options([asks("SUCCESS"), asks("SUCCESS"), asks("SUCCESS")]),
        }, {
          answer: (address, attempt) => address === amy || attempt === (address === bob ? 2 : 3) ? "K" : "Z",
        });
        assertEquals(told(world), [["success", `${amy} delivered`]]);
        if (restarts) {
          await world.kill();
          await world.boot();
        }
        await finish(world);
        assertEquals(told(world).toSorted(), [
          ["success", `${amy} delivered`],
          ["success", `${bob} relayed`],
          ["success", `${eve} delivered`],
        ]);
        assertEquals(world.files(), {});
      }
    });

    it("lets no message end before its report is queued", async () => {
      for (const first of ["K", "Z"] as const) {
        using world = new World({ segments, answer: (_, attempt) => attempt === 1 ? first : "K" });
        world.takesBounces = false;
        await world.boot();
        await world.accept([bob], { options: options([asks("SUCCESS")]) });
        await world.clock.advance(hour);
        assertEquals([world.delivered, told(world), world.manager.status().messages], [[bob], [], 1]);
        world.takesBounces = true;
        await finish(world);
        assertEquals([world.delivered, told(world)], [[bob], [["success", `${bob} relayed`]]]);
        assertEquals(world.files(), {});
      }
    });

    it("sends a report again, and never a bounce, where it was killed over it", async () => {
      using world = new World({ segments });
      world.dies = (what) => what === "report";
      await world.boot();
      await world.accept([bob], { options: options([asks("SUCCESS")]) });
      world.dies = () => false;
      await world.kill();
      await world.boot();
      await finish(world);
      assertEquals(told(world).length, 2);
      assertEquals([world.files(), world.bounces], [{}, []]);
    });
  });

  describe(`Manager, of delays, through ${through}`, () => {
    const delayed = (address: string) => ["delay", `${address} delayed`];

    it("tells once, after delaywarnseconds, of those whose delay is to be told", async () => {
      for (const restarts of [false, true]) {
        using world = await worldWith([amy, bob, "joe@r.example"], {
          options: options([asks("DELAY"), asks("DELAY,FAILURE", "rfc822;B"), asks("FAILURE")], { envid: "e2" }),
        }, { answer: (address) => address === amy ? "K" : "Z" });
        await world.clock.advance(3.9 * hour);
        assertEquals(told(world), []);
        await world.clock.advance(2 * hour);
        assertEquals(told(world), [delayed(bob)]);
        const { envid, recipients: [one], arrivalSeconds, retryUntilSeconds } = world.reports[0]!;
        assertEquals([envid, one?.orcpt, one?.report], ["e2", "rfc822;B", "temporary trouble\n"]);
        assertEquals(retryUntilSeconds - arrivalSeconds, 604_800);
        if (restarts) {
          await world.kill();
          await world.boot();
        }
        await world.clock.advance(24 * hour);
        assertEquals(told(world), [delayed(bob)]);
        await finish(world);
        // In the end both fail, and each wanted to hear of that.
        assertEquals([world.bounces.length, world.files()], [1, {}]);
      }
    });

    it("tells at the next attempt where qmail-queue did not take the report", async () => {
      using world = await worldWith([bob], { options: options([asks("DELAY")]) }, { answer: () => "Z" });
      world.takesBounces = false;
      await world.clock.advance(6 * hour);
      world.takesBounces = true;
      await world.clock.advance(10 * hour);
      assertEquals(told(world), [delayed(bob)]);
    });

    it("tells nobody that gave no NOTIFY, and no null sender", async () => {
      for (
        const put of [{}, { options: options([{ orcpt: "rfc822;b" }]) }, {
          sender: "",
          options: options([asks("DELAY")]),
        }]
      ) {
        using world = await worldWith([bob], put, { answer: () => "Z" });
        await world.clock.advance(20 * hour);
        assertEquals(told(world), []);
      }
    });

    it("waits as long as control/delaywarnseconds says", async () => {
      using world = await worldWith([bob], { options: options([asks("DELAY")]) }, {
        answer: () => "Z",
        controls: { delaywarnseconds: 0 },
      });
      assertEquals(told(world), [delayed(bob)]);
    });
  });

  describe(`Manager, of what goes along, through ${through}`, () => {
    it("is the same in each attempt, in each life", async () => {
      const asked = options([asks("SUCCESS", "rfc822;Bob"), asks("NEVER"), undefined], {
        envid: "e\0",
        ret: "FULL",
        requireTls: true,
        smtputf8: true,
        body: "BINARYMIME",
      });
      using world = await worldWith([bob, amy, "joe@r.example"], { options: asked }, {
        answer: (_, attempt) => attempt < 3 ? "Z" : "K",
      });
      await world.clock.advance(hour);
      await world.kill();
      await world.boot();
      await finish(world);
      const remote = world.attempts.filter(({ addresses }) => addresses.includes(bob));
      assertEquals(remote.length, 3);
      for (const { options: given } of remote) {
        const { recipients, ...whole } = given!;
        const { recipients: _, ...wanted } = asked;
        assertEquals(whole, wanted);
        assertEquals(recipients, new Map([[0, { ...asked.recipients.get(0), address: bob }]]));
      }
      // A mailbox needs none of it.
      assertEquals(world.attempts.filter(({ addresses }) => addresses.includes(amy)).map(({ options }) => options), [
        ...[undefined, undefined, undefined],
      ]);
    });

    it("is nothing where nothing was asked for", async () => {
      using world = await worldWith([bob], {});
      assertEquals(world.attempts.map(({ options }) => options), [undefined]);
    });

    it("is nothing for a recipient that would take another way since the control files changed", async () => {
      const put = { options: options([asks("NEVER"), asks("NEVER")], { envid: "e3" }) };
      using world = await worldWith([eve, bob], put, { answer: (_, attempt) => attempt === 1 ? "Z" : "D" });
      world.manager.setControls({ ...world.controls, virtualdomains: new Map([["virt.example", "toys"]]) });
      await finish(world);
      assertEquals(world.bounces.map(({ paragraphs }) => paragraphs), ["<games-eve@virt.example>:\nhard trouble\n\n"]);
      assertEquals(world.attempts.at(-1)?.options?.envid ?? world.attempts.at(-2)?.options?.envid, "e3");
    });
  });
}

describe("Manager, of queue/options", () => {
  const put = (world: World, file: Uint8Array) => {
    world.put(46, [bob]);
    world.disk.put(queueFile(home, "options", 46), file);
  };
  const never = formatMessageOptions(options([asks("NEVER")]), [bob]);

  it("takes nothing from a file that is another message's, and has it removed", async () => {
    using world = new World({ answer: () => "D" });
    put(world, formatOptionsFile(never, toOctets("another\n")));
    await world.boot();
    assertEquals([world.bounces.length, world.files()], [1, {}]);
  });

  it("has what it takes from its own", async () => {
    using world = new World({ answer: () => "D" });
    put(world, formatOptionsFile(never, toOctets("hello\n")));
    await world.boot();
    assertEquals([world.bounces.length, world.files()], [0, {}]);
  });

  it("begins no message whose file is a later version's, and says so", async () => {
    using world = new World();
    put(world, formatOptionsFile("dqo2\n", toOctets("hello\n")));
    await world.boot();
    assertEquals([world.attempts.length, Object.keys(world.files()).length], [0, 3]);
    assertStringIncludes(
      world.log.lines().join("\n"),
      `warning: unable to read todo/46: Error: options/46: not "dqo1"`,
    );
  });

  it("lets no power loss bring a message back without what was asked for", async () => {
    for (const answer of ["K", "Z"] as const) {
      using world = new World({ answer: (_, attempt) => attempt === 1 ? answer : "K" });
      world.put(46, [bob], { options: options([asks("NEVER")], { requireTls: true }) });
      await world.boot();
      for (let n = 0; n < 100 && await world.clock.jump(); n++);
      assertEquals(world.files(), {});
      const { disk } = world;
      fc.assert(fc.property(fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn")), (keeps) => {
        const left = Object.keys(disk.afterPowerLoss(keeps).files());
        const has = (dir: "todo" | "info" | "mess" | "options") => left.includes(queueFile(home, dir, 46));
        assert(!has("mess") || !(has("todo") || has("info")) || has("options"), left.join(" "));
      }));
    }
  });
});
