import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  type Answer,
  type Ask,
  beginLookup,
  continueLookup,
  type Exchanged,
  type Step,
  temporaryAnswer,
} from "../../components/resolver/lookup.ts";
import type { ResourceRecord, Response } from "../../components/resolver/packet.ts";

const one = { host: "192.0.2.1", port: 53 };
const two = { host: "192.0.2.2", port: 53 };
const silent: Exchanged = { kind: "silent" };
const failed: Exchanged = { kind: "failed", why: "no route" };
const truncated: Exchanged = { kind: "truncated" };

function response(answers: readonly ResourceRecord[], more: Partial<Response> = {}): Exchanged {
  const bits = { rcode: 0, authoritative: false, recursionAvailable: true, authenticated: true };
  return { kind: "response", response: { ...bits, negativeSeconds: undefined, answers, ...more } };
}

function a(owner: string, value: string, ttlSeconds = 300): ResourceRecord {
  return { owner, type: "A", ttlSeconds, record: { value } };
}

function cname(owner: string, value: string, ttlSeconds = 300): ResourceRecord {
  return { owner, type: "CNAME", ttlSeconds, record: { value } };
}

const code = (rcode: number) => response([], { rcode });

/** Plays a lookup of "b.example A"; `takesMs` says how long each try takes. */
function play(
  events: readonly Exchanged[],
  { servers = [one], takesMs = () => 0, believes = () => true }: {
    servers?: (typeof one)[];
    takesMs?: (ask: Ask) => number;
    believes?: (server: typeof one) => boolean;
  } = {},
): { asks: string[]; answer: Answer | undefined } {
  const asks: string[] = [];
  let now = 0;
  let step: Step = beginLookup({ name: "b.example", type: "A" }, { servers, believes, sinceMs: now });
  const left = [...events];
  while (step.kind === "ask") {
    const { ask } = step;
    asks.push(`${ask.server.host.slice(-1)} ${ask.over}${ask.edns ? "" : " plain"} ${ask.question.name}`);
    const event = left.shift();
    if (event === undefined) return { asks, answer: undefined };
    now += takesMs(ask);
    step = continueLookup(step.lookup, event, now);
  }
  return { asks, answer: step.answer };
}

const alias = (canonical: string | undefined) => canonical === undefined ? {} : { canonical };
const found = (value: string, ttlSeconds = 300, canonical?: string): Answer => ({
  reply: { status: "ok", authenticated: true, records: [{ value }], ...alias(canonical) },
  ttlSeconds,
});
const none = (status: "nodata" | "nxdomain", ttlSeconds: number, canonical?: string): Answer => ({
  reply: { status, authenticated: true, records: [], ...alias(canonical) },
  ttlSeconds,
});

describe("a lookup's answer", () => {
  const long = Array.from(
    { length: 9 },
    (_, at) => cname(at === 0 ? "b.example" : `c${at}.example`, `c${at + 1}.example`),
  );
  const rows: { claim: string; event: Exchanged; want: Answer | undefined }[] = [
    { claim: "is the records of the name", event: response([a("b.example", "192.0.2.9")]), want: found("192.0.2.9") },
    {
      claim: "leaves out records of other names and types",
      event: response([
        a("victim.example", "192.0.2.66"),
        { ...a("b.example", "x"), type: "TXT" },
        a("b.example", "192.0.2.9"),
      ]),
      want: found("192.0.2.9"),
    },
    {
      claim: "has the least TTL on the way",
      event: response([cname("b.example", "c.example", 60), a("c.example", "192.0.2.9", 300)]),
      want: found("192.0.2.9", 60, "c.example"),
    },
    {
      claim: "follows aliases in any order",
      event: response([a("d.example", "192.0.2.9"), cname("c.example", "d.example"), cname("b.example", "c.example")]),
      want: found("192.0.2.9", 300, "d.example"),
    },
    {
      claim: "goes through eight aliases",
      event: response([...long.slice(0, 8), a("c8.example", "192.0.2.9")]),
      want: found("192.0.2.9", 300, "c8.example"),
    },
    {
      claim: "is temporary behind nine aliases",
      event: response([...long, a("c9.example", "192.0.2.9")]),
      want: temporaryAnswer,
    },
    {
      claim: "is temporary in a loop of aliases",
      event: response([cname("b.example", "c.example"), cname("c.example", "b.example")]),
      want: temporaryAnswer,
    },
    {
      claim: "is temporary for an alias of itself",
      event: response([cname("b.example", "b.example")]),
      want: temporaryAnswer,
    },
    {
      claim: "is temporary when no record may be used",
      event: response([{ ...a("b.example", ""), record: undefined }]),
      want: temporaryAnswer,
    },
    {
      claim: "leaves out the records that may not be used",
      event: response([{ ...a("b.example", ""), record: undefined }, a("b.example", "192.0.2.9")]),
      want: found("192.0.2.9"),
    },
    {
      claim: "is NXDOMAIN for the SOA's time",
      event: response([], { rcode: 3, negativeSeconds: 60 }),
      want: none("nxdomain", 60),
    },
    {
      claim: "is NXDOMAIN for five seconds without a SOA",
      event: response([], { rcode: 3 }),
      want: none("nxdomain", 5),
    },
    { claim: "is NODATA for the SOA's time", event: response([], { negativeSeconds: 60 }), want: none("nodata", 60) },
    { claim: "is NODATA for five seconds without a SOA", event: response([]), want: none("nodata", 5) },
    {
      claim: "is NXDOMAIN when an alias leads nowhere",
      event: response([cname("b.example", "c.example", 30)], { rcode: 3, negativeSeconds: 60 }),
      want: none("nxdomain", 30, "c.example"),
    },
    {
      claim: "is NODATA when an alias has no such records",
      event: response([cname("b.example", "c.example")], { negativeSeconds: 60 }),
      want: none("nodata", 60, "c.example"),
    },
  ];
  for (const { claim, event, want } of rows) {
    it(claim, () => assertEquals(play([event]).answer, want));
  }

  it("has at most a hundred records", () => {
    const many = Array.from({ length: 150 }, (_, at) => a("b.example", `192.0.2.${at}`));
    assertEquals(play([response(many)]).answer?.reply.records.length, 100);
  });

  it("is authenticated only if every part of it is", () => {
    const part = response([cname("b.example", "c.example")], { authenticated: false });
    assertEquals(play([part, response([a("c.example", "192.0.2.9")])]).answer?.reply.authenticated, false);
  });
});

describe("the AD bit", () => {
  const good = response([a("b.example", "192.0.2.9")]);
  const authenticated = (events: readonly Exchanged[], believes: (server: typeof one) => boolean) =>
    play(events, { servers: [one, two], believes }).answer?.reply.authenticated;

  it("counts only where it comes from a server that is believed", () => {
    assertEquals(authenticated([good], () => true), true);
    assertEquals(authenticated([good], () => false), false);
    assertEquals(authenticated([good], (server) => server === one), true);
    assertEquals(authenticated([failed, good], (server) => server === one), false);
  });

  it("counts for an alias and its end only where both servers are believed", () => {
    const part = response([cname("b.example", "c.example")]);
    const end = response([a("c.example", "192.0.2.9")]);
    assertEquals(authenticated([part, end], () => true), true);
    assertEquals(authenticated([part, failed, end], (server) => server === one), false);
  });

  it("counts for absence as for records", () => {
    const absent = response([], { rcode: 3, negativeSeconds: 60 });
    assertEquals(authenticated([absent], () => true), true);
    assertEquals(authenticated([absent], () => false), false);
  });
});

describe("a lookup of the alias itself", () => {
  it("ends at it", () => {
    const options = { servers: [one], believes: () => true, sinceMs: 0 };
    const step = beginLookup({ name: "b.example", type: "CNAME" }, options);
    if (step.kind !== "ask") throw new Error("expected a question");
    const done = continueLookup(step.lookup, response([cname("b.example", "c.example")]), 0);
    assertEquals(done.kind === "done" ? done.answer.reply : undefined, {
      status: "ok",
      authenticated: true,
      records: [{ value: "c.example" }],
    });
  });
});

describe("a lookup asks", () => {
  const good = response([a("b.example", "192.0.2.9")]);
  const rows: {
    claim: string;
    events: Exchanged[];
    servers?: (typeof one)[];
    asks: string[];
    want: Answer | undefined;
  }[] = [
    {
      claim: "once over TCP when the answer was cut",
      events: [truncated, good],
      asks: ["1 udp b.example", "1 tcp b.example"],
      want: found("192.0.2.9"),
    },
    {
      claim: "another server when TCP does not help",
      events: [truncated, truncated, good],
      servers: [one, two],
      asks: ["1 udp b.example", "1 tcp b.example", "2 udp b.example"],
      want: found("192.0.2.9"),
    },
    {
      claim: "without EDNS where a server does not know it",
      events: [code(1), good],
      asks: ["1 udp b.example", "1 udp plain b.example"],
      want: found("192.0.2.9"),
    },
    {
      claim: "no third time after two FORMERR",
      events: [code(1), code(1)],
      asks: ["1 udp b.example", "1 udp plain b.example"],
      want: temporaryAnswer,
    },
    {
      claim: "each server once when all answer SERVFAIL or REFUSED",
      events: [code(2), code(5)],
      servers: [one, two],
      asks: ["1 udp b.example", "2 udp b.example"],
      want: temporaryAnswer,
    },
    {
      claim: "another server when one is lame",
      events: [response([], { recursionAvailable: false }), good],
      servers: [one, two],
      asks: ["1 udp b.example", "2 udp b.example"],
      want: found("192.0.2.9"),
    },
    {
      claim: "servers in turn while they are silent, and none again that failed",
      events: [silent, failed, silent, good],
      servers: [one, two],
      asks: ["1 udp b.example", "2 udp b.example", "1 udp b.example", "1 udp b.example"],
      want: found("192.0.2.9"),
    },
    {
      claim: "for an alias that the answer does not follow, from all servers anew",
      events: [
        code(2),
        response([cname("b.example", "c.example", 40)]),
        silent,
        response([a("c.example", "192.0.2.9")]),
      ],
      servers: [one, two],
      asks: ["1 udp b.example", "2 udp b.example", "2 udp c.example", "1 udp c.example"],
      want: found("192.0.2.9", 40, "c.example"),
    },
    {
      claim: "no more for a loop of aliases over several answers",
      events: [response([cname("b.example", "c.example")]), response([cname("c.example", "b.example")])],
      asks: ["1 udp b.example", "1 udp c.example"],
      want: temporaryAnswer,
    },
  ];
  for (const { claim, events, servers = [one], asks, want } of rows) {
    it(claim, () => assertEquals(play(events, { servers }), { asks, answer: want }));
  }

  it("for at most eight aliases over several answers", () => {
    const chain = Array.from(
      { length: 20 },
      (_, at) => response([cname(at === 0 ? "b.example" : `c${at}.example`, `c${at + 1}.example`)]),
    );
    const { asks, answer } = play(chain);
    assertEquals(answer, temporaryAnswer);
    assertEquals(asks.length, 9);
  });

  it("for two seconds a try and ten in all", () => {
    const tries: number[] = [];
    const takesMs = (ask: Ask) => (tries.push(ask.timeoutMs), ask.timeoutMs);
    const { answer } = play(Array.from({ length: 20 }, () => silent), { servers: [one, two], takesMs });
    assertEquals(tries, [2000, 2000, 2000, 2000, 2000]);
    assertEquals(answer, temporaryAnswer);
  });

  it("no longer than is left of the ten seconds", () => {
    const tries: number[] = [];
    const takesMs = (ask: Ask) => (tries.push(ask.timeoutMs), Math.min(ask.timeoutMs, 1500));
    play(Array.from({ length: 20 }, () => silent), { takesMs });
    assertEquals(tries, [2000, 2000, 2000, 2000, 2000, 2000, 1000]);
  });

  it("nobody when the wait for its turn took the ten seconds", () => {
    const options = { servers: [one], believes: () => true, sinceMs: 0, nowMs: 10_000 };
    assertEquals(beginLookup({ name: "b.example", type: "A" }, options), {
      kind: "done",
      answer: temporaryAnswer,
    });
  });
});
