/** A filter between a server and qmail-queue: what gets through, and what becomes of it when something hangs or dies. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { FilterMessage, Judge, Verdict } from "../../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { captureLog } from "../../support/captured_log.ts";
import { waitFor } from "../../support/wait.ts";
import { qp } from "../../qmail-smtpd/fake_queue.ts";
import { envelope, impatience, note, passes, world } from "./world.ts";

const temporary = { code: 71, qp: 0 };
const text = "Subject: x\n\nbody\n";
const mebibyte = 1024 * 1024;

function says(verdict: Verdict): Judge {
  return () => Promise.resolve(verdict);
}

/** A judge that settles only by `end`, whatever its signal says. */
function stuck() {
  const verdict = Promise.withResolvers<Verdict>();
  const asked = Promise.withResolvers<AbortSignal>();
  const judge: Judge = (_, signal) => {
    asked.resolve(signal);
    return verdict.promise;
  };
  return { judge, asked: asked.promise, end: verdict.resolve };
}

describe("serveFilter()", () => {
  it("gives the judge the message, its envelope and who brought it, and hands it on", async () => {
    await using w = world();
    const seen: FilterMessage[] = [];
    w.filter("verify", (message) => {
      seen.push(message);
      return passes(message, new AbortController().signal);
    });
    assertEquals(await w.send([text], { chain: ["verify"], client: note }), { code: 0, qp });
    assertEquals(seen.map(({ content, ...rest }) => ({ ...rest, content: fromOctets(content) })), [
      { client: note, origin: "network", ...envelope, content: text },
    ]);
    assertEquals(w.queue.messages, [{ envelope: { ...envelope, origin: "network", uid: 7 }, content: text }]);
  });

  const verdicts: readonly { name: string; verdict: Verdict; queued: object | undefined; reply: object }[] = [
    {
      name: "a header in front",
      verdict: { kind: "pass", header: toOctets("X: y\n") },
      queued: { content: `X: y\n${text}` },
      reply: { code: 0, qp },
    },
    {
      name: "a header without its line end, which it gets",
      verdict: { kind: "pass", header: toOctets("X: y") },
      queued: { content: `X: y\n${text}` },
      reply: { code: 0, qp },
    },
    {
      name: "other content, sender and recipients",
      verdict: { kind: "pass", content: toOctets("z\n"), sender: "", recipients: ["b@b.example", "c@c.example"] },
      queued: {
        content: "z\n",
        envelope: { sender: "", recipients: ["b@b.example", "c@c.example"], origin: "network", uid: 7 },
      },
      reply: { code: 0, qp },
    },
    {
      name: "no recipients left",
      verdict: { kind: "pass", recipients: [] },
      queued: undefined,
      reply: { code: 0, qp: 0 },
    },
    { name: "discard", verdict: { kind: "discard" }, queued: undefined, reply: { code: 0, qp: 0 } },
    {
      name: "refuse",
      verdict: { kind: "refuse", code: 31, text: "Dno (#5.7.1)" },
      queued: undefined,
      reply: { code: 31, qp: 0, text: "Dno (#5.7.1)" },
    },
    {
      name: "a text that would end the line",
      verdict: { kind: "refuse", code: 71, text: "Zlater\r\n250 ok" },
      queued: undefined,
      reply: { code: 71, qp: 0, text: "Zlater??250 ok" },
    },
    {
      name: "a text too long for the protocol, and so none",
      verdict: { kind: "refuse", code: 31, text: `D${"x".repeat(300)}` },
      queued: undefined,
      reply: { code: 31, qp: 0 },
    },
    {
      name: "a refusal with the code of an acceptance",
      verdict: { kind: "refuse", code: 0, text: "Dno" },
      queued: undefined,
      reply: { code: 71, qp: 0, text: "Dno" },
    },
    {
      name: "an address that would end the next one's connection",
      verdict: { kind: "pass", recipients: ["a\0b"] },
      queued: undefined,
      reply: temporary,
    },
  ];
  for (const { name, verdict, queued, reply } of verdicts) {
    it(`carries out ${name}`, async () => {
      using _log = captureLog();
      await using w = world();
      w.filter("verify", says(verdict));
      assertEquals(await w.send([text], { chain: ["verify"] }), reply as typeof temporary);
      const got = w.queue.messages.map((message) =>
        queued !== undefined && !("envelope" in queued) ? { content: message.content } : message
      );
      assertEquals<unknown>(got, queued === undefined ? [] : [queued]);
    });
  }

  it("keeps what the client asked for each recipient that is left", async () => {
    await using w = world();
    w.filter("verify", says({ kind: "pass", recipients: ["n@n.example", "b@b.example"] }));
    const notify = { never: true, success: false, failure: false, delay: false };
    const options = { requireTls: true, recipients: new Map([[0, { orcpt: "rfc822;x" }], [1, { notify }]]) };
    await w.send([text], { chain: ["verify"], envelope: { ...envelope, options } });
    assertEquals(w.queue.messages[0]!.envelope.options, "dqo1\nREQUIRETLS\nRCPT 1 b@b.example NOTIFY=NEVER\n");
  });

  it("hands from one to the next in the order of the chain", async () => {
    await using w = world();
    for (const name of ["verify", "rspamd", "custom"] as const) {
      w.filter(
        name,
        ({ client }) =>
          says({ kind: "pass", header: toOctets(`X: ${name} ${client?.ip}\n`) })(
            {} as FilterMessage,
            new AbortController().signal,
          ),
      );
    }
    assertEquals((await w.send([text], { chain: ["verify", "rspamd=pass", "custom"], client: note })).code, 0);
    assertEquals(
      w.queue.messages[0]!.content,
      `X: custom 192.0.2.1\nX: rspamd 192.0.2.1\nX: verify 192.0.2.1\n${text}`,
    );
  });

  it("says what a filter behind it says", async () => {
    using _log = captureLog();
    await using w = world();
    w.filter("verify", passes);
    w.filter("clamd", says({ kind: "refuse", code: 31, text: "Da virus (#5.7.1)" }));
    assertEquals(await w.send([text], { chain: ["verify", "clamd"] }), { code: 31, qp: 0, text: "Da virus (#5.7.1)" });
  });

  it("makes the same of a message however it is cut into pieces", async () => {
    await using w = world();
    w.filter("verify", says({ kind: "pass", header: toOctets("X: y\n") }));
    w.filter("rspamd", passes);
    const content = new Uint8Array(700_000).map((_, at) => at % 251);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: content.length }), { maxLength: 6 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), content.length];
        const pieces = at.slice(1).map((end, index) => content.subarray(at[index]!, end));
        w.queue.messages.length = 0;
        assertEquals((await w.send(pieces, { chain: ["verify", "rspamd"] })).code, 0);
        assert(w.queue.messages[0]!.content === `X: y\n${fromOctets(content)}`);
      }),
      { numRuns: 25 },
    );
  });
});

describe("a filter in trouble", () => {
  for (const [name, judge] of [["throws", () => Promise.reject(new Error("bug"))], ["hangs", stuck().judge]] as const) {
    it(`that ${name}: the client is to try again`, async () => {
      using log = captureLog();
      await using w = world();
      w.filter("rspamd", judge, { budgetMs: 20 });
      assertEquals(await w.send([text], { chain: ["rspamd"] }), temporary);
      assertEquals(w.queue.messages, []);
      assert(log.lines().some((line) => /^unjudged filter=rspamd sender=s@s\.example .* went=back$/.test(line)));
    });

    it(`that ${name}: with =pass the message goes on with a field that says so`, async () => {
      using log = captureLog();
      await using w = world();
      w.filter("rspamd", judge, { budgetMs: 20 });
      assertEquals((await w.send([text], { chain: ["rspamd=pass"] })).code, 0);
      assertEquals(
        w.queue.messages[0]!.content,
        `X-Unfiltered: rspamd; ${name === "hangs" ? "too slow" : "failed"}\n${text}`,
      );
      assert(log.lines().some((line) => line.endsWith("went=on")));
    });
  }

  it("that is not there: 74 without =pass, the next one with it", async () => {
    await using w = world();
    w.filter("verify", passes);
    assertEquals(await w.send([text], { chain: ["rspamd"] }), { code: 74, qp: 0 });
    assertEquals((await w.send([text], { chain: ["rspamd=pass", "verify"] })).code, 0);
    assertEquals((await w.send([text, new Uint8Array(mebibyte)], { chain: ["rspamd=pass"] })).code, 0);
    assertEquals(w.passedOver, ["rspamd: no answer", "rspamd: away"]);
    assertEquals(w.queue.messages.length, 2);
  });

  it("that is a program while hooks is away: the same", async () => {
    await using w = world();
    assertEquals(await w.send([text], { chain: ["/bin/scanner"] }), { code: 74, qp: 0 });
    assertEquals((await w.send([text], { chain: ["/bin/scanner=pass"], client: note })).code, 0);
    assertEquals(w.passedOver, ["/bin/scanner: no answer"]);
  });

  it("that is not there behind another one is that one's to tell, as 71", async () => {
    await using w = world();
    w.filter("verify", passes);
    assertEquals(await w.send([text], { chain: ["verify=pass", "rspamd"] }), temporary);
    assertEquals(w.passedOver, []);
  });

  it("that dies over a message: nothing is queued, and the client hears of it", async () => {
    await using w = world();
    const { judge, asked } = stuck();
    const filter = w.filter("rspamd", judge);
    const sent = w.send([text], { chain: ["rspamd"] });
    await asked;
    await Promise.all([filter.stop(), sent]);
    assertEquals(await sent, { code: 74, qp: 0 });
    assertEquals(w.queue.messages, []);
  });

  it("that dies in the middle of a large message: nothing stays in the queue", async () => {
    await using w = world();
    w.filter("verify", passes);
    const second = w.deaf("rspamd");
    const submission = w.begin({ chain: ["verify", "rspamd"] });
    for (let count = 0; count < 8; count++) await submission.write(new Uint8Array(256 * 1024));
    const sent = submission.commit(envelope);
    await waitFor(() => second.frames() > 2, "the first pieces");
    second.end();
    assertEquals(await sent, temporary);
    assertEquals(w.queue.messages, []);
  });

  it("that takes everything and answers nothing is given up after its time, small message or large", async () => {
    const patience = { ...impatience, pieceMs: 50, queueMs: 20, filterMs: 20 };
    await using w = world(patience);
    w.deaf("rspamd");
    assertEquals(await w.send([text], { chain: ["rspamd"] }), { code: 74, qp: 0 });
    assertEquals(await w.send([new Uint8Array(mebibyte)], { chain: ["rspamd"] }), { code: 74, qp: 0 });
    assertEquals((await w.send([text], { chain: ["rspamd=pass"] })).code, 0);
    assertEquals(w.passedOver, ["rspamd: no answer"]);
  });

  it("drops what a client drops, and does not hand on what nobody waits for any more", async () => {
    await using w = world();
    const { judge, asked, end } = stuck();
    const filter = w.filter("verify", judge);
    const dropped = w.begin({ chain: ["verify"] });
    await dropped.write(new Uint8Array(mebibyte));
    await waitFor(() => filter.heldBytes > 0, "the pieces");
    dropped.abort();
    await waitFor(() => filter.heldBytes === 0, "the room to come free");
    void w.send([text], { chain: ["verify"] });
    const signal = await asked;
    w.hops.client("verify").pipe!.close();
    await waitFor(() => signal.aborted, "the judge to be told");
    end({ kind: "pass" });
    await waitFor(() => filter.heldBytes === 0, "the room to come free");
    assertEquals(w.queue.messages, []);
  });
});

describe("qmail-queue in trouble behind a filter", () => {
  it("that refuses: its code is passed on", async () => {
    await using w = world();
    w.filter("verify", passes);
    w.queue.code = 53;
    assertEquals(await w.send([text], { chain: ["verify"] }), { code: 53, qp });
  });

  it("that is away, or dies before its answer: 71, which is 451 for the client", async () => {
    await using w = world();
    w.filter("verify", passes);
    w.queue.hold = true;
    const sent = w.send([text], { chain: ["verify"] });
    await w.queue.until(() => w.queue.messages.length === 1);
    w.queue.stop();
    assertEquals(await sent, temporary);
    assertEquals(await w.send([text], { chain: ["verify"] }), temporary);
    w.queue.start();
    w.queue.hold = false;
    assertEquals((await w.send([text], { chain: ["verify"] })).code, 0);
  });

  it("that hangs is given up after its time", async () => {
    await using w = world({ ...impatience, queueMs: 30 });
    w.filter("verify", passes);
    w.queue.hold = true;
    assertEquals(await w.send([text], { chain: ["verify"] }), temporary);
  });
});

describe("the memory of a filter", () => {
  const large = (bytes: number) => Array.from({ length: bytes / mebibyte }, () => new Uint8Array(mebibyte));

  it("is not taken by a message over the limit: it goes by with a field, and whole", async () => {
    using log = captureLog();
    await using w = world();
    w.queue.keep = false;
    let most = 0;
    const filter = w.filter("rspamd", () => {
      throw new Error("never asked");
    });
    const submission = w.begin({ chain: ["rspamd"], largestBytes: 4 * mebibyte });
    for (const piece of large(50 * mebibyte)) {
      await submission.write(piece);
      most = Math.max(most, filter.heldBytes);
    }
    assertEquals((await submission.commit(envelope)).code, 0);
    assert(most <= 4 * mebibyte, `${most}`);
    assertEquals(w.queue.bytes, 50 * mebibyte + "X-Unfiltered: rspamd; too large\n".length);
    assertEquals(filter.heldBytes, 0);
    assert(log.lines().includes("unjudged filter=rspamd sender=s@s.example reason=too_large went=on"));
  });

  it("is not taken by such a message where control/filterlarge refuses it: 31, nothing queued", async () => {
    using _log = captureLog();
    await using w = world();
    w.filter("rspamd", passes);
    const reply = await w.send(large(6 * mebibyte), { chain: ["rspamd"], largestBytes: 4 * mebibyte, large: "refuse" });
    assertEquals(reply, { code: 31, qp: 0, text: "Dsorry, that message is too large to be checked here (#5.3.4)" });
    assertEquals(w.queue.opened, 0);
  });

  it("is bounded over many messages at once: who finds no room is to try again, or goes by with =pass", async () => {
    using _log = captureLog();
    await using w = world();
    w.queue.keep = false;
    const { judge, end } = stuck();
    const roomBytes = 8 * mebibyte;
    const filter = w.filter("rspamd", judge, { roomBytes });
    let most = 0;
    const sendOne = async (chain: string) => {
      const submission = w.begin({ chain: [chain] });
      for (const piece of large(3 * mebibyte)) {
        await submission.write(piece);
        most = Math.max(most, filter.heldBytes);
      }
      return await submission.commit(envelope);
    };
    const back = Array.from({ length: 20 }, () => sendOne("rspamd"));
    const by = Array.from({ length: 5 }, () => sendOne("rspamd=pass"));
    assertEquals((await Promise.all(by)).map(({ code }) => code), [0, 0, 0, 0, 0]);
    end({ kind: "pass" });
    const codes = (await Promise.all(back)).map(({ code }) => code);
    assert(codes.every((code) => code === 0 || code === 71), codes.join());
    assert(codes.includes(71), codes.join());
    assert(most > 0 && most <= roomBytes, `${most}`);
    assertEquals(filter.heldBytes, 0);
  });
});
