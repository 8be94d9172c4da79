import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  actions,
  parseActionReply,
  parseControlRequest,
  parseDestinationsReply,
  parseDrainReply,
  parseFindReply,
  parsePauseReply,
  parseShowReply,
  parseTrouble,
} from "../../../components/lib/wire/control_protocol.ts";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";

/** A frame whose head went through JSON, as one from a socket did. */
const frame = (head: object): Frame => ({ head: JSON.parse(JSON.stringify(head)), body: new Uint8Array() });

const found = {
  ...{ message: 7, sender: "amy@\xff", birthSeconds: 1, sizeBytes: 2, journal: true, state: "new", failures: "<x>:\n" },
  channels: [
    {
      channel: "local",
      recipients: [{ address: "bob@b", done: false }],
      left: 1,
      done: 0,
      nextSeconds: 9,
      held: false,
    },
    { channel: "remote", recipients: [], left: 0, done: 0, held: true, heldSinceSeconds: 5 },
    {
      channel: "remote",
      recipients: [{ address: "x@y", done: false, attempts: 2, lastSeconds: 7, lastError: "no\xff" }],
      ...{ left: 1, done: 0, nextSeconds: 9, held: false },
    },
  ],
};
const unknown = { attempts: undefined, lastSeconds: undefined, lastError: undefined };
const result = { message: 7, done: true, gone: false, detail: "held" };

const rows: readonly { name: string; parse: (frame: Frame) => unknown; head: object; want?: unknown }[] = [
  ...actions.map((op) => ({ name: op, parse: parseControlRequest, head: { op, id: 1, messages: [7, 8] } })),
  {
    name: "find",
    parse: parseControlRequest,
    head: { op: "find", id: 1, part: 3, sender: "", domain: "b.example" },
    want: { op: "find", id: 1, part: 3, selection: { sender: "", domain: "b.example" } },
  },
  { name: "show", parse: parseControlRequest, head: { op: "show", id: 1, message: 7 } },
  { name: "drain", parse: parseControlRequest, head: { op: "drain", id: 1, undo: true } },
  {
    name: "pause",
    parse: parseControlRequest,
    head: { op: "pause", id: 1, destination: "B.Example" },
    want: { op: "pause", id: 1, destination: "b.example" },
  },
  { name: "resume", parse: parseControlRequest, head: { op: "resume", id: 1, destination: "\xfc.example" } },
  {
    name: "what became of a pause",
    parse: parsePauseReply,
    head: { destination: "b.example", changed: true, paused: ["b.example"] },
  },
  { name: "results", parse: parseActionReply, head: { results: [result] }, want: [result] },
  { name: "a part", parse: parseFindReply, head: { messages: [1], parts: 24 } },
  { name: "the journal's size", parse: parseDrainReply, head: { messages: 3 }, want: 3 },
  {
    name: "a message",
    parse: parseShowReply,
    head: { found },
    want: {
      ...found,
      channels: [
        {
          ...found.channels[0],
          recipients: [{ address: "bob@b", done: false, ...unknown }],
          heldSinceSeconds: undefined,
        },
        { ...found.channels[1], nextSeconds: undefined },
        { ...found.channels[2], heldSinceSeconds: undefined },
      ],
    },
  },
  { name: "trouble", parse: parseTrouble, head: { trouble: "no" }, want: "no" },
  { name: "no trouble", parse: parseTrouble, head: {}, want: undefined },
  { name: "no message", parse: parseShowReply, head: {}, want: undefined },
];

describe("the control protocol", () => {
  for (const { name, parse, head, ...row } of rows) {
    it(`takes ${name}`, () => assertEquals(parse(frame(head)), "want" in row ? row.want : head));
  }

  it("refuses everything else, and nothing but with a ProtocolError", () => {
    for (const head of [{}, { op: "empty", id: 1 }, { op: "hold", id: 1 }, { op: "hold", id: 1, messages: [-1] }]) {
      assert(assertThrows(() => parseControlRequest(frame(head))) instanceof ProtocolError);
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

describe("parseDestinationsReply()", () => {
  const destination = {
    ...{ name: "provider.example", site: true, running: 1, waiting: 2, window: 3, unreachable: false, paused: false },
    ...{ rate: "100/60s", pausedUntilMs: 1_795_333_684_000, lastCode: 421, lastError: "too many" },
  };

  it("takes what qmail-send tells", () => {
    assertEquals(parseDestinationsReply(frame({ destinations: [destination] })), [destination]);
    assertEquals(parseDestinationsReply(frame({ destinations: [] })), []);
  });

  it("refuses fields that are missing or wrong", () => {
    for (const name of Object.keys(destination)) {
      const wrong = { ...destination, [name]: null };
      assert(
        assertThrows(() => parseDestinationsReply(frame({ destinations: [wrong] }))) instanceof ProtocolError,
        name,
      );
    }
  });
});
