import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import {
  mostPerSeconds,
  mostWaitSeconds,
  parseCountReply,
  parseGreylistReply,
  parseTallyRequest,
} from "../../../components/lib/wire/tally_protocol.ts";

/** A frame whose head went through JSON, as one from a socket did. */
const frame = (head: object): Frame => ({ head: JSON.parse(JSON.stringify(head)), body: new Uint8Array(0) });

const greylist = {
  ...{ op: "greylist", id: 1, ip: "192.0.2.1", sender: "amy\xff@a.example", recipient: "bob@b.example" },
  waitSeconds: 300,
};
const count = { op: "count", id: 2, key: "client 192.0.2.1", limit: 100, perSeconds: 3600, by: 3 };

interface Row {
  readonly name: string;
  readonly parse: (frame: Frame) => unknown;
  readonly head: Readonly<Record<string, unknown>>;
  /** What cannot be left out. */
  readonly needed: readonly string[];
  /** Values that are refused, by field. */
  readonly refused: Readonly<Record<string, readonly unknown[]>>;
}

const notNumbers = [-1, 1.5, "1", null, 2 ** 53, [1]];
const notAddresses = ["a\0b", "\u0100", "a".repeat(4097), null, 1, ["a"]];

const rows: readonly Row[] = [
  {
    name: "a question about a triplet",
    parse: parseTallyRequest,
    head: greylist,
    needed: Object.keys(greylist),
    refused: {
      op: ["grey", null],
      id: notNumbers,
      ip: ["1".repeat(65), 1, null],
      sender: notAddresses,
      recipient: notAddresses,
      waitSeconds: [...notNumbers, mostWaitSeconds + 1],
    },
  },
  {
    name: "a count",
    parse: parseTallyRequest,
    head: count,
    needed: ["op", "id", "key", "limit", "perSeconds"],
    refused: {
      key: notAddresses,
      limit: notNumbers,
      perSeconds: [...notNumbers, 0, mostPerSeconds + 1],
      by: [...notNumbers, 0],
    },
  },
  {
    name: "a wait",
    parse: parseGreylistReply,
    head: { kind: "wait", seconds: 3 },
    needed: ["kind", "seconds"],
    refused: { kind: ["within", null], seconds: notNumbers },
  },
  { name: "a pass", parse: parseGreylistReply, head: { kind: "pass" }, needed: ["kind"], refused: {} },
  {
    name: "a refusal",
    parse: parseCountReply,
    head: { kind: "over", retrySeconds: 3 },
    needed: ["kind", "retrySeconds"],
    refused: { kind: ["pass", null], retrySeconds: notNumbers },
  },
  { name: "a leave", parse: parseCountReply, head: { kind: "within" }, needed: ["kind"], refused: {} },
];

for (const { name, parse, head, needed, refused } of rows) {
  describe(`tally's parser of ${name}`, () => {
    it("takes it as it is", () => assertEquals(parse(frame(head)), head));

    for (const field of needed) {
      it(`refuses it without "${field}"`, () => {
        const { [field]: _, ...rest } = head;
        assert(assertThrows(() => parse(frame(rest))) instanceof ProtocolError);
      });
    }

    for (const [field, values] of Object.entries(refused)) {
      it(`refuses what is no "${field}"`, () => {
        for (const value of values) {
          assert(assertThrows(() => parse(frame({ ...head, [field]: value }))) instanceof ProtocolError, `${value}`);
        }
      });
    }

    it("parses or throws ProtocolError on any JSON, nothing else, and is not taken in by __proto__", () => {
      const field = fc.constantFrom(...Object.keys(head), "__proto__", "constructor");
      fc.assert(fc.property(field, fc.jsonValue(), (field, value) => {
        const text = `{${JSON.stringify(field)}:${JSON.stringify(value)},${JSON.stringify(head).slice(1)}`;
        for (const any of [JSON.parse(text), JSON.parse(`{"__proto__":${JSON.stringify(head)}}`), value]) {
          try {
            parse({ head: any ?? {}, body: new Uint8Array(0) });
          } catch (error) {
            assert(error instanceof ProtocolError, String(error));
          }
        }
      }));
      const inherited = JSON.parse(`{"__proto__":${JSON.stringify(head)}}`);
      assert(assertThrows(() => parse({ head: inherited, body: new Uint8Array(0) })) instanceof ProtocolError);
    });
  });
}

describe("a count without an amount", () => {
  it("is one of one", () => {
    const { by: _, ...rest } = count;
    assertEquals(parseTallyRequest(frame(rest)), { ...count, by: 1 } as ReturnType<typeof parseTallyRequest>);
  });
});
