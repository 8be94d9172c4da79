/** What a filter does with the requests of one connection, in any order: nothing twice, nothing kept, nothing half done. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { Verdict } from "../../../components/lib/filters/filter.ts";
import { FilterIntake, type Judged } from "../../../components/lib/filters/intake.ts";
import { Room } from "../../../components/lib/filters/room.ts";
import { type Arrived, usualLimits } from "../../../components/lib/filters/route.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import type { EnvelopeFields, QueueReply } from "../../../components/lib/wire/queue_protocol.ts";

const envelope: EnvelopeFields = { origin: "network", uid: 1, sender: "s", recipients: ["r"] };
const arrived: Arrived = { client: undefined, chain: [], onTrouble: "451", ...usualLimits };

/** An intake over a room, and what left it. */
function intakeOver(room: Room, judge: (content: Uint8Array) => Judged) {
  const left: { bytes: number; end: "committed" | "aborted" | undefined }[] = [];
  const intake = new FilterIntake({
    room,
    judge: ({ content }) => Promise.resolve(judge(content)),
    leave: () => {
      const one: typeof left[number] = { bytes: 0, end: undefined };
      left.push(one);
      return {
        write: (content) => {
          assertEquals(one.end, undefined);
          one.bytes += content.length;
          return Promise.resolve();
        },
        commit: () => {
          one.end = "committed";
          return Promise.resolve({ code: 0, qp: 1 });
        },
        abort: () => void (one.end = "aborted"),
      };
    },
    unjudgedField: () => toOctets("X\n"),
    onUnjudged: () => {},
    onJudged: () => {},
  });
  return { intake, left };
}

const op = fc.record({
  op: fc.constantFrom("message", "open", "data", "data", "data", "close", "abort"),
  id: fc.integer({ min: 1, max: 3 }),
  bytes: fc.integer({ min: 0, max: 40 }),
  large: fc.constantFrom("pass", "refuse"),
  onTrouble: fc.constantFrom("pass", "451"),
});
const verdicts = fc.constantFrom<Judged>(
  { kind: "pass" },
  { kind: "discard" },
  { kind: "refuse", code: 31, text: "Dno" },
  { kind: "failed", reason: "bug" },
);

describe("FilterIntake", () => {
  it("answers each message once, hands on each at most once, and holds nothing in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 30 }), fc.array(verdicts, { minLength: 1 }), async (ops, says) => {
        const room = new Room(100);
        let asked = 0;
        const { intake, left } = intakeOver(room, (content) => {
          assert(content.length <= 60);
          return says[asked++ % says.length]!;
        });
        const replies: Promise<QueueReply>[] = [];
        let due = 0;
        for (const { op, id, bytes, large, onTrouble } of ops) {
          const content = new Uint8Array(bytes);
          const route = { ...arrived, largestBytes: 60, large, onTrouble } as const;
          if (op === "message" || op === "close") due++;
          const { room: wait, reply } = op === "message"
            ? intake.take({ op, id, envelope, content }, route)
            : op === "open"
            ? intake.take({ op, id, origin: "network", uid: 1 }, route)
            : op === "close"
            ? intake.take({ op, id, envelope }, undefined)
            : intake.take({ op, id, content } as never, undefined);
          if (reply !== undefined) replies.push(reply);
          await wait;
          assert(room.bytes <= 100);
        }
        const codes = (await Promise.all(replies)).map(({ code }) => code);
        intake.end();
        assertEquals(codes.length, due);
        assertEquals(room.bytes, 0);
        assert(left.every(({ end }) => end !== undefined));
        // An acceptance without a commit is a discard.
        assert(left.filter(({ end }) => end === "committed").length <= codes.filter((code) => code === 0).length);
      }),
    );
  });

  it("gives the judge the same, however the content is cut into frames", async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), async (pieces) => {
      const seen: Uint8Array[] = [];
      const { intake } = intakeOver(new Room(1000), (content) => {
        seen.push(content.slice());
        return { kind: "pass" } satisfies Verdict;
      });
      const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
      const one = intake.take({ op: "message", id: 1, envelope, content: whole }, arrived);
      intake.take({ op: "open", id: 2, origin: "network", uid: 1 }, arrived);
      for (const content of pieces) intake.take({ op: "data", id: 2, content }, undefined);
      const other = intake.take({ op: "close", id: 2, envelope }, undefined);
      assertEquals((await one.reply)!.code, 0);
      assertEquals((await other.reply)!.code, 0);
      assertEquals(seen, [whole, whole]);
    }));
  });

  it("answers a close of nothing, as qmail-queue does", async () => {
    const { intake } = intakeOver(new Room(10), () => ({ kind: "pass" }));
    assertEquals(await intake.take({ op: "close", id: 9, envelope }, undefined).reply, { code: 81, qp: 0 });
  });

  it("takes no more than a thousand at once from one connection", async () => {
    const { intake } = intakeOver(new Room(10), () => ({ kind: "pass" }));
    for (let id = 1; id <= 1001; id++) intake.take({ op: "open", id, origin: "network", uid: 1 }, arrived);
    assertEquals((await intake.take({ op: "close", id: 1001, envelope }, undefined).reply)!.code, 71);
    assertEquals((await intake.take({ op: "close", id: 1000, envelope }, undefined).reply)!.code, 0);
  });
});
