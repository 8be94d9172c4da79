import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import {
  parseAddressTrace,
  parseMessageTrace,
  parseRates,
  parseTail,
  parseTraceRequest,
} from "../../../components/lib/wire/trace_protocol.ts";

/** A frame whose head went through JSON, as one from a socket did. */
const frame = (head: object): Frame => ({ head: JSON.parse(JSON.stringify(head)), body: new Uint8Array() });

const event = {
  ...{ atMs: 1, component: "qmail-send", kind: "deferral", text: "x", tie: "number", message: 7, qp: 1, delivery: 2 },
  ...{ channel: "remote", sender: "", recipient: "b@b", bytes: 3, reply: 450, nextMs: 9, tls: "t", ip: "::1" },
  ...{ helo: "h", login: "l", rule: "r" },
};
const least = { atMs: 1, component: "verify", kind: "filter", text: "x", tie: "likely" };
const life = {
  ...{ message: 7, life: 1, qp: 1, sender: "", recipients: ["b@b"], recipientCount: 2, bytes: 3, firstMs: 1 },
  ...{ lastMs: 2, ended: true, delivered: 1, deferred: 1, failed: 0 },
};
const looked = { whole: true, oldestMs: 0 };
const minute = { startMs: 0, accepted: 1, delivered: 2, deferred: 3, failed: 4, bounced: 5, refused: 6 };

const rows: readonly { name: string; parse: (frame: Frame) => unknown; head: object; want?: unknown }[] = [
  {
    name: "a message's number",
    parse: parseTraceRequest,
    head: { op: "trace", id: 1, message: 7 },
    want: { op: "trace message", id: 1, message: 7, life: 1 },
  },
  {
    name: "one of its lives",
    parse: parseTraceRequest,
    head: { op: "trace", id: 1, message: 7, life: 0 },
    want: { op: "trace message", id: 1, message: 7, life: 1 },
  },
  {
    name: "an address",
    parse: parseTraceRequest,
    head: { op: "trace", id: 1, address: "a@\xff", count: 10_000 },
    want: { op: "trace address", id: 1, address: "a@\xff", count: 100 },
  },
  { name: "tail", parse: parseTraceRequest, head: { op: "tail", id: 1, count: 9 } },
  {
    name: "a narrow tail",
    parse: parseTraceRequest,
    head: { op: "tail", id: 1, count: 9, component: "auth", contains: "x", after: "1.2" },
  },
  { name: "rates", parse: parseTraceRequest, head: { op: "rates", id: 1 } },
  {
    name: "a message's trace",
    parse: parseMessageTrace,
    head: { ...looked, message: 7, life: 1, lives: 2, events: [event, least], cut: false },
  },
  { name: "an address's trace", parse: parseAddressTrace, head: { ...looked, lives: [life], refusals: [event] } },
  {
    name: "lines",
    parse: parseTail,
    head: { ...looked, lines: [{ atMs: 1, component: "auth", text: "x" }], cursor: "1.2" },
  },
  { name: "minutes", parse: parseRates, head: { sinceMs: 1, minutes: [minute] } },
];

describe("the trace protocol", () => {
  for (const { name, parse, head, ...row } of rows) {
    it(`takes ${name}`, () => assertEquals(parse(frame(head)), "want" in row ? row.want : head));
  }

  it("refuses everything else, and nothing but with a ProtocolError", () => {
    for (const head of [{}, { op: "trace", id: 1 }, { op: "tail", id: 1 }, { op: "trace", id: 1, address: "a\0" }]) {
      assert(assertThrows(() => parseTraceRequest(frame(head))) instanceof ProtocolError);
    }
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.dictionary(fc.string(), fc.jsonValue()), ({ parse, head }, change) => {
        try {
          parse(frame({ ...head, ...change }));
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
    );
  });
});
