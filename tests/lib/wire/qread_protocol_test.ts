import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import {
  parseContentReply,
  parseListReply,
  parseQreadRequest,
  parseQreadTrouble,
} from "../../../components/lib/wire/qread_protocol.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";

/** A frame whose head went through JSON, as one from a socket did. */
const frame = (head: object): Frame => ({ head: JSON.parse(JSON.stringify(head)), body: new Uint8Array() });

const list = { op: "list", id: 1, sort: "next", order: "descending", count: 200 };
const none = { sender: undefined, recipient: undefined, domain: undefined, state: undefined, text: undefined };
const row = {
  ...{ id: 7, sender: "z\xff@a.example", birthSeconds: 1, sizeBytes: 2 },
  ...{ local: { left: 0, done: 0 }, remote: { left: 1, done: 2 }, recipients: ["bob@b.example"] },
  ...{ nextSeconds: 9, state: "waiting", journal: false, bouncing: true },
};
const page = { rows: [row], place: 0, next: "7:9", matching: 1, total: 3, indexed: 2, whole: false, unsearched: 0 };
const content = {
  ...{ message: 7, sizeBytes: 9, readBytes: 8, fields: [{ name: "Subject", value: "\u00e4" }], kind: "plain" },
  ...{ text: "x\n", textIsCut: false, attachments: [{ name: "a", type: "image/png", sizeBytes: 1 }] },
};

const rows: readonly { name: string; parse: (frame: Frame) => unknown; head: object; want?: unknown }[] = [
  {
    name: "a list of all",
    parse: parseQreadRequest,
    head: list,
    want: { ...list, filter: none, after: undefined },
  },
  {
    name: "a filtered list",
    parse: parseQreadRequest,
    head: { ...list, filter: { sender: "", domain: "b\xff", state: "held" }, after: "7:9" },
    want: { ...list, filter: { ...none, sender: "", domain: "b\xff", state: "held" }, after: "7:9" },
  },
  { name: "a message's content", parse: parseQreadRequest, head: { op: "content", id: 1, message: 7 } },
  { name: "a page", parse: parseListReply, head: page },
  {
    name: "the last page",
    parse: parseListReply,
    head: { ...page, next: undefined, rows: [{ ...row, nextSeconds: undefined }] },
    want: { ...page, next: undefined, rows: [{ ...row, nextSeconds: undefined }] },
  },
  { name: "content", parse: parseContentReply, head: { found: content }, want: content },
  { name: "no message", parse: parseContentReply, head: {}, want: undefined },
  { name: "trouble", parse: parseQreadTrouble, head: { trouble: "no" }, want: "no" },
  { name: "no trouble", parse: parseQreadTrouble, head: {}, want: undefined },
];

describe("qread's protocol", () => {
  for (const { name, parse, head, ...row } of rows) {
    it(`takes ${name} as it was sent`, () => assertEquals(parse(frame(head)), "want" in row ? row.want : head));
  }

  const refused: readonly [string, object][] = [
    ["an unknown request", { op: "delete", id: 1 }],
    ["no row", { ...list, count: 0 }],
    ["more rows than an answer has", { ...list, count: 201 }],
    ["another order", { ...list, sort: "subject" }],
    ["another state", { ...list, filter: { state: "lost" } }],
    ["a word with NUL", { ...list, filter: { text: "a\0b" } }],
    ["a word that is no octets", { ...list, filter: { text: "\u20ac" } }],
    ["a word without end", { ...list, filter: { sender: "a".repeat(2000) } }],
    ["a cursor without end", { ...list, after: "a".repeat(3000) }],
    ["no number", { op: "content", id: 1, message: "7" }],
  ];
  for (const [name, head] of refused) {
    it(`refuses ${name}`, () => {
      assert(assertThrows(() => parseQreadRequest(frame(head))) instanceof ProtocolError);
    });
  }

  it("refuses what it does not know with a ProtocolError, whatever it is", () =>
    fc.assert(fc.property(fc.object({ values: [fc.jsonValue()] }), fc.jsonValue(), (head, value) => {
      for (const { parse, head: good } of rows) {
        for (const key of Object.keys(good)) {
          try {
            parse(frame({ ...good, ...head, [key]: value }));
          } catch (error) {
            assert(error instanceof ProtocolError, `${error}`);
          }
        }
      }
    })));
});
