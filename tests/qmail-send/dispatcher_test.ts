import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  byDomain,
  Dispatcher,
  type Job,
  jobsOf,
  mostTogether,
  pendingRecipient as recipient,
  type Recipient,
} from "../../components/qmail-send/dispatcher.ts";
import type { Channel } from "../../components/lib/queue/layout.ts";

const addresses = <M>(job: Job<M>) => job.recipients.map(({ address }) => address);

describe("jobsOf()", () => {
  it("puts remote recipients of one domain together, whatever its case", () => {
    const recipients = ["a@R.example", "b@s.example", "c@r.EXAMPLE"].map(recipient);
    assertEquals(jobsOf("m", "remote", recipients, byDomain).map(addresses), [["a@R.example", "c@r.EXAMPLE"], [
      "b@s.example",
    ]]);
  });

  it("does not take other octets for a domain's letters in another case", () => {
    assertEquals(jobsOf("m", "remote", ["a@\xc0", "b@\xe0"].map(recipient), byDomain).length, 2);
  });

  it("tells the lower-cased domain of remote deliveries, together or not, and nothing of local ones", () => {
    const recipients = ["a@b@R.example", "nohost"].map(recipient);
    const destinations = (channel: Channel, together: boolean) =>
      jobsOf("m", channel, recipients, together ? byDomain : undefined).map(({ destination }) => destination);
    assertEquals(destinations("remote", true), ["r.example", "nohost"]);
    assertEquals(destinations("remote", false), ["r.example", "nohost"]);
    assertEquals(destinations("local", true), ["", ""]);
  });

  it("gives local recipients, and those of VERP, one delivery each", () => {
    const recipients = ["a@r.example", "b@r.example"].map(recipient);
    assertEquals(jobsOf("m", "local", recipients, byDomain).length, 2);
    assertEquals(jobsOf("m", "remote", recipients, undefined).length, 2);
  });

  it("puts every recipient into exactly one delivery, of at most a hundred", () => {
    const anyAddresses = fc.array(fc.constantFrom("a@x", "b@x", "c@y", "d@__proto__", "nohost"), { maxLength: 500 });
    fc.assert(fc.property(anyAddresses, fc.boolean(), (list, together) => {
      const recipients = list.map(recipient);
      const jobs = jobsOf("m", "remote", recipients, together ? byDomain : undefined);
      assertEquals(new Set(jobs.flatMap((job) => job.recipients)), new Set(recipients));
      assertEquals(jobs.flatMap((job) => job.recipients).length, recipients.length);
      assert(jobs.every((job) => job.recipients.length > 0 && job.recipients.length <= mostTogether));
    }));
  });
});

describe("Dispatcher.wayOf()", () => {
  const cut = (dispatcher: Dispatcher<string>) => {
    const recipients = ["a@x", "b@y", "c@X", "d@z"].map(recipient);
    return jobsOf("m", "remote", recipients, (domain) => dispatcher.wayOf(domain));
  };
  /** Has mail for these domains go to a relay, or by MX. */
  const deliver = (dispatcher: Dispatcher<string>, domains: readonly string[], relay?: string) => {
    dispatcher.add("remote", jobsOf("m", "remote", domains.map((domain) => recipient(`x@${domain}`)), byDomain));
    for (let job = dispatcher.next(); job !== undefined; job = dispatcher.next()) {
      dispatcher.ended(job, "answered", {
        site: "relay.example",
        code: 0,
        error: undefined,
        ...relay === undefined ? {} : { relay },
      });
    }
  };

  it("has mail of domains travel together whose mail went to one relay, paced as that relay's", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 20 });
    assertEquals(cut(dispatcher).map(addresses), [["a@x", "c@X"], ["b@y"], ["d@z"]]);
    deliver(dispatcher, ["x", "y"], "relay.example:25");
    assertEquals(cut(dispatcher).map(addresses), [["a@x", "b@y", "c@X", "d@z"]]);
    // Since not all mail goes there, nobody knows where a new domain's does.
    deliver(dispatcher, ["w"]);
    const jobs = cut(dispatcher);
    assertEquals(jobs.map(addresses), [["a@x", "b@y", "c@X"], ["d@z"]]);
    dispatcher.add("remote", jobs);
    assertEquals(dispatcher.destinations(9).map(({ name, site }) => [name, site]), [["relay.example", true], [
      "z",
      false,
    ]]);
  });

  it("parts those that went to different relays, or by MX since", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 20 });
    deliver(dispatcher, ["x"], "relay.example:25");
    deliver(dispatcher, ["y"], "relay.example:2525");
    deliver(dispatcher, ["z"], "relay.example:25");
    assertEquals(cut(dispatcher).map(addresses), [["a@x", "c@X", "d@z"], ["b@y"]]);
    deliver(dispatcher, ["z"]);
    assertEquals(cut(dispatcher).length, 3);
  });

  it("leaves a domain alone that an operator has paused", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 20 });
    deliver(dispatcher, ["x", "y", "z"], "relay.example:25");
    dispatcher.pause("y");
    assertEquals(cut(dispatcher).map(addresses), [["a@x", "c@X", "d@z"], ["b@y"]]);
    dispatcher.resume("y");
    assertEquals(cut(dispatcher).length, 1);
  });

  it("gives back what waits for a domain that is paused meanwhile with others' mail, and goes on with the rest", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 1 });
    deliver(dispatcher, ["x", "y", "z"], "relay.example:25");
    const add = (message: string, ...names: string[]) =>
      dispatcher.add("remote", jobsOf(message, "remote", names.map(recipient), (domain) => dispatcher.wayOf(domain)));
    add("first", "a@x");
    assertEquals(dispatcher.next()?.message, "first");
    add("both", "a@x", "b@y");
    add("y alone", "b@y");
    add("z alone", "c@z");
    const back = dispatcher.pause("y", 5);
    assertEquals(back.map(({ job, atMs }) => [job.message, atMs]).toSorted(), [["both", 5], ["y alone", 5]]);
    add("both", "a@x", "b@y");
    dispatcher.setLimits({ local: 1, remote: 9 });
    const started = Array.from({ length: 3 }, () => dispatcher.next()).map((job) =>
      job && [job.message, ...addresses(job)]
    );
    assertEquals(started, [["z alone", "c@z"], ["both", "a@x"], undefined]);
  });
});

describe("Dispatcher", () => {
  const localJobs = (message: string, count: number) =>
    jobsOf(message, "local", Array.from({ length: count }, (_, n) => recipient(`${n}`)), undefined);

  it("delays nobody by more than a turn for a message with 100,000 recipients", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 1 });
    dispatcher.add("local", localJobs("bulk", 100_000));
    const order: string[] = [];
    const step = () => {
      const job = dispatcher.next();
      if (job === undefined) return;
      order.push(job.message);
      dispatcher.ended(job, "answered");
    };
    for (let n = 0; n < 10; n++) step();
    dispatcher.add("local", localJobs("small", 3));
    dispatcher.add("local", localJobs("one", 1));
    for (let n = 0; n < 8; n++) step();
    const after = order.slice(10);
    assert(after.indexOf("small") <= 1 && after.indexOf("one") <= 2, after.join(" "));
    assertEquals(after.filter((message) => message === "small").length, 3);
    assert(after.lastIndexOf("small") <= 6, after.join(" "));
  });

  it("never holds one channel back for the other", () => {
    const dispatcher = new Dispatcher<string>({ local: 1, remote: 1 });
    dispatcher.add("local", localJobs("m", 2));
    dispatcher.add("remote", jobsOf("m", "remote", [recipient("a@b")], byDomain));
    assertEquals([dispatcher.next()?.channel, dispatcher.next()?.channel, dispatcher.next()], [
      "local",
      "remote",
      undefined,
    ]);
  });

  type Step = { kind: "add"; message: number; channel: Channel; count: number } | { kind: "next" | "end" } | {
    kind: "limit";
    local: number;
    remote: number;
  };
  const anyStep: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      message: fc.nat(5),
      channel: fc.constantFrom<Channel>("local", "remote"),
      count: fc.nat(7),
    }),
    { weight: 4, arbitrary: fc.constant({ kind: "next" as const }) },
    { weight: 3, arbitrary: fc.constant({ kind: "end" as const }) },
    fc.record({ kind: fc.constant("limit" as const), local: fc.nat(4), remote: fc.nat(4) }),
  );

  it("neither loses nor repeats a recipient, and never goes over a limit", () => {
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      const dispatcher = new Dispatcher<number>({ local: 2, remote: 2 });
      const added: Recipient[] = [];
      const taken: Recipient[] = [];
      const running: Job<number>[] = [];
      const next = () => {
        const before = { ...dispatcher.running };
        const job = dispatcher.next();
        if (job === undefined) return false;
        assert(before[job.channel] < dispatcher.limits[job.channel]);
        running.push(job);
        taken.push(...job.recipients);
        return true;
      };
      const end = () => {
        const job = running.shift();
        if (job !== undefined) dispatcher.ended(job, "answered");
      };
      for (const step of steps) {
        if (step.kind === "add") {
          const recipients = Array.from({ length: step.count }, (_, n) => recipient(`${n}@${step.message}`));
          added.push(...recipients);
          dispatcher.add(step.channel, jobsOf(step.message, step.channel, recipients, undefined));
        } else if (step.kind === "limit") dispatcher.setLimits(step);
        else if (step.kind === "next") next();
        else end();
      }
      dispatcher.setLimits({ local: 1, remote: 1 });
      do {
        while (running.length > 0) end();
      } while (next());
      assertEquals(taken.length, added.length);
      assertEquals(new Set(taken), new Set(added));
      assertEquals({ ...dispatcher.running }, { local: 0, remote: 0 });
    }));
  });
});
