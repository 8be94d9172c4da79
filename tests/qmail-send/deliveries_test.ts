import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Deliveries } from "../../components/qmail-send/deliveries.ts";
import {
  byDomain,
  jobsOf,
  pendingRecipient as recipient,
  type Recipient,
} from "../../components/qmail-send/dispatcher.ts";
import type { Message } from "../../components/qmail-send/message.ts";
import type { DeliveryReport } from "../../components/lib/wire/delivery_protocol.ts";
import { captureLog } from "../support/captured_log.ts";
import { microtasks } from "../support/wait.ts";

const message = { id: 1, sender: "joe@localhost", passes: new Map() } as unknown as Message;

describe("Deliveries", () => {
  it("tell the dispatcher what came of each, and start what a resumed destination has waiting", async () => {
    using _log = captureLog();
    const spawned: string[] = [];
    const ended = Promise.withResolvers<void>();
    const deliveries = new Deliveries({ local: 1, remote: 20 }, {
      spawn: ({ destination, recipients }) => {
        spawned.push(destination);
        if (destination !== "dead") return new Promise(() => {});
        return Promise.resolve({
          lost: false,
          reports: recipients.map(() => ({ verdict: "Z", text: "no connection (#4.4.1)\n" })),
        });
      },
      settle: () => Promise.resolve(),
      breathe: () => Promise.resolve(),
      jobEnded: () => ended.resolve(),
      putOff: () => {},
    });
    deliveries.pause("dead");
    deliveries.add("remote", jobsOf(message, "remote", ["a@dead", "b@Dead", "c@alive"].map(recipient), byDomain));
    assertEquals([spawned, [...deliveries.paused]], [["alive"], ["dead"]]);
    deliveries.resume("dead");
    assertEquals(spawned, ["alive", "dead"]);
    await ended.promise;
    deliveries.pause("dead");
    deliveries.add("remote", jobsOf(message, "remote", [recipient("a@dead")], byDomain));
    const views = deliveries.destinations(9).map(({ name, running, window, unreachable }) =>
      `${name} ${running}/${window} ${unreachable}`
    );
    assertEquals(views, ["alive 1/5 false", "dead 0/2 true"]);
  });

  describe("of a domain that is paused while they wait", () => {
    /** One delivery is under way; another waits, for x and y, whose mail went to one relay last. */
    function waiting(dying: boolean) {
      const spawned: string[][] = [];
      const putOff: (readonly string[])[] = [];
      const addresses = (recipients: readonly Recipient[]) => recipients.map(({ address }) => address);
      const deliveries: Deliveries = new Deliveries({ local: 1, remote: 1 }, {
        spawn: ({ recipients }) => {
          spawned.push(addresses(recipients));
          return new Promise(() => {});
        },
        settle: () => Promise.resolve(),
        breathe: () => Promise.resolve(),
        jobEnded: () => {},
        putOff: (_, jobs) => putOff.push(...jobs.map(({ recipients }) => addresses(recipients))),
      });
      const passes = new Map([["remote", { dying }]]);
      const both = { id: 2, sender: "joe@localhost", passes } as unknown as Message;
      deliveries.add("remote", jobsOf(message, "remote", [recipient("a@busy")], byDomain));
      deliveries.add("remote", jobsOf(both, "remote", ["a@x", "b@y"].map(recipient), () => "one way"));
      deliveries.pause("y");
      return { deliveries, spawned, putOff };
    }

    it("are put off, to be cut anew", async () => {
      using _log = captureLog();
      const { deliveries, spawned, putOff } = waiting(false);
      await Promise.resolve();
      assertEquals([putOff, spawned, deliveries.destinations(9).map(({ waiting }) => waiting)], [
        [["a@x", "b@y"]],
        [["a@busy"]],
        [0, 0],
      ]);
    });

    it("stay with the others in a last attempt, which would fail for all of them", async () => {
      using _log = captureLog();
      const { deliveries, putOff } = waiting(true);
      await Promise.resolve();
      const views = deliveries.destinations(9).map(({ name, waiting }) => `${name} ${waiting}`);
      assertEquals([putOff, views], [[], ["busy 0", "x 1", "y 0"]]);
    });
  });

  it("part what travelled together where it has gone to several relays", async () => {
    using _log = captureLog();
    const relays: Record<string, string> = { x: "old:25", y: "old:25" };
    let ended = Promise.withResolvers<void>();
    const deliveries: Deliveries = new Deliveries({ local: 1, remote: 20 }, {
      spawn: ({ recipients }) => {
        const reports = recipients.map(({ address }) => {
          const relay = relays[address.slice(2)]!;
          return {
            verdict: "K",
            text: "ok\n",
            next: { site: "s", relay, host: "s", ip: "192.0.2.1", tls: "", code: 250 },
          };
        });
        return Promise.resolve({ lost: false, reports: reports as DeliveryReport[] });
      },
      settle: () => undefined,
      breathe: () => Promise.resolve(),
      jobEnded: () => deliveries.running.remote === 0 && ended.resolve(),
      putOff: () => {},
    });
    const send = async () => {
      ended = Promise.withResolvers<void>();
      const recipients = ["a@x", "b@y"].map(recipient);
      const jobs = jobsOf(message, "remote", recipients, (domain) => deliveries.wayOf(domain));
      deliveries.add("remote", jobs);
      await ended.promise;
      return jobs.length;
    };
    assertEquals([await send(), await send()], [2, 1]);
    relays["y"] = "new:25";
    assertEquals([await send(), await send()], [1, 2]);
  });

  it("to many are not made faster than what they did is written down, while others have mail", async () => {
    using _log = captureLog();
    const bulk = { ...message, id: 2 } as Message;
    const breaths: (() => void)[] = [];
    let [begun, written] = [0, 0];
    const deliveries = new Deliveries({ local: 1, remote: 20 }, {
      spawn: ({ recipients }) => {
        if (recipients.length > 1) begun++;
        return Promise.resolve({ lost: false, reports: recipients.map(() => ({ verdict: "K", text: "ok\n" })) });
      },
      settle: (settled) => {
        if (settled === bulk) written++;
        return undefined;
      },
      breathe: () => new Promise((resolve) => breaths.push(resolve)),
      jobEnded: () => {},
      putOff: () => {},
    });
    const many = Array.from({ length: 5000 }, (_, n) => recipient(`r${n}@x`));
    deliveries.add("remote", jobsOf(bulk, "remote", many, byDomain));
    for (let turn = 0; written < 50; turn++) {
      deliveries.add("remote", jobsOf(message, "remote", [recipient(`fresh@y${turn}`)], byDomain));
      // Whatever settles without a turn of its own.
      await microtasks(100);
      assert(begun - written <= 15, `${begun} begun, ${written} written down`);
      assert(turn < 60, "no end");
      breaths.splice(0).forEach((resolve) => resolve());
    }
  });

  it("that are given up by the thousand let others have their turn in between", async () => {
    using _log = captureLog();
    const dying = { ...message, id: 2, passes: new Map([["remote", { dying: true }]]) } as unknown as Message;
    const breaths: (() => void)[] = [];
    let written = 0;
    const deliveries = new Deliveries({ local: 1, remote: 1 }, {
      spawn: () => new Promise(() => {}),
      settle: () => void written++,
      breathe: () => new Promise((resolve) => breaths.push(resolve)),
      jobEnded: () => {},
      putOff: () => {},
    });
    deliveries.add("remote", jobsOf(message, "remote", [recipient("a@busy")], byDomain));
    deliveries.pause("x");
    // Ten deliveries to a paused domain may wait in memory.
    const many = Array.from({ length: 3000 }, (_, n) => recipient(`r${n}@x`));
    deliveries.add("remote", jobsOf(dying, "remote", many, byDomain));
    for (let turn = 0; turn <= 20; turn++) {
      // Whatever settles without a turn of its own.
      await microtasks(100);
      assertEquals([written, breaths.length], [turn, turn < 20 ? 1 : 0]);
      breaths.splice(0).forEach((resolve) => resolve());
    }
  });

  it("say once for a delivery what protected it, before what came of it, and where TLS had no part nothing", async () => {
    using log = captureLog();
    const tls = "TLSv1.3 TLS_AES_256_GCM_SHA384, dane";
    const ended = Promise.withResolvers<void>();
    let left = 2;
    const deliveries = new Deliveries({ local: 1, remote: 20 }, {
      spawn: ({ destination, recipients }) => {
        const next = { site: "s", host: "mx.s", ip: "192.0.2.1", tls: destination === "safe" ? tls : "", code: 250 };
        return Promise.resolve({ lost: false, reports: recipients.map(() => ({ verdict: "K", text: "ok\n", next })) });
      },
      settle: () => undefined,
      breathe: () => Promise.resolve(),
      jobEnded: () => --left === 0 && ended.resolve(),
      putOff: () => {},
    });
    deliveries.add("remote", jobsOf(message, "remote", ["a@safe", "b@safe", "c@bare"].map(recipient), byDomain));
    await ended.promise;
    assertEquals(log.lines().filter((line) => !line.startsWith("st")), [
      `tls delivery 1: ${tls}`,
      "delivery 1: success: ok/",
      "delivery 2: success: ok/",
      "delivery 3: success: ok/",
    ]);
  });
});
