import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseRedeemReply, parseRedeemRequest } from "../../../components/lib/wire/auth_protocol.ts";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import {
  longestLine,
  parseOpenReply,
  parseOwnersReply,
  parseOwnersRequest,
  parsePiece,
  parsePop3Request,
} from "../../../components/lib/wire/pop3_protocol.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";

const body = new Uint8Array([83, 84]);
const frame = (head: object, octets = body): Frame => ({ head: { ...head }, body: octets });

const good = [
  { parse: parsePop3Request, head: { op: "open", id: 1, ticket: "t" }, want: { op: "open", id: 1, ticket: "t" } },
  { parse: parsePop3Request, head: { op: "command", id: 2 }, want: { op: "command", id: 2, line: body } },
  { parse: parsePop3Request, head: { op: "more", id: 3 }, want: { op: "more", id: 3 } },
  { parse: parseOpenReply, head: { kind: "opened", count: 1, bytes: 2 }, want: { kind: "opened", count: 1, bytes: 2 } },
  {
    parse: parseOpenReply,
    head: { kind: "refused", reason: "absent" },
    want: { kind: "refused", reason: "absent" },
  },
  {
    parse: parsePiece,
    head: { kind: "piece", last: true, ends: false },
    want: { octets: body, last: true, ends: false },
  },
  { parse: parseOpenReply, head: { kind: "elsewhere" }, want: { kind: "elsewhere" } },
  {
    parse: parseOwnersRequest,
    head: { op: "open", id: 1, session: 2, login: "a@b", home: "/home/a" },
    want: { op: "open", id: 1, session: 2, login: "a@b", home: "/home/a" },
  },
  {
    parse: parseOwnersRequest,
    head: { op: "command", id: 1, session: 2 },
    want: { op: "command", id: 1, session: 2, line: body },
  },
  { parse: parseOwnersRequest, head: { op: "more", id: 1, session: 2 }, want: { op: "more", id: 1, session: 2 } },
  { parse: parseOwnersRequest, head: { op: "close", session: 2 }, want: { op: "close", session: 2 } },
  { parse: parseOwnersReply, head: { kind: "piece", session: 2 }, want: { session: 2, closed: false } },
  { parse: parseOwnersReply, head: { kind: "closed", session: 2 }, want: { session: 2, closed: true } },
  {
    parse: parseRedeemRequest,
    head: { op: "redeem", id: 1, ticket: "t" },
    want: { op: "redeem", id: 1, ticket: "t" },
  },
  { parse: parseRedeemRequest, head: { op: "whose", id: 1, ticket: "t" }, want: { op: "whose", id: 1, ticket: "t" } },
  { parse: parseRedeemReply, head: { kind: "login", login: "a@b" }, want: { kind: "login", login: "a@b" } },
  { parse: parseRedeemReply, head: { kind: "none" }, want: { kind: "none" } },
] as const;

const bad = [
  { parse: parsePop3Request, head: { op: "delete", id: 1 } },
  { parse: parsePop3Request, head: { op: "open", id: 1, ticket: "t".repeat(65) } },
  { parse: parsePop3Request, head: { op: "open", ticket: "t" } },
  { parse: parsePop3Request, head: { op: "command" } },
  { parse: parseOpenReply, head: { kind: "refused", reason: "else" } },
  { parse: parseOwnersRequest, head: { op: "open", id: 1, session: 2, login: "a@b" } },
  { parse: parseOwnersRequest, head: { op: "command", id: 1 } },
  { parse: parseOwnersRequest, head: { op: "read", id: 1, session: 1 } },
  { parse: parseOwnersReply, head: { kind: "piece" } },
  { parse: parseOpenReply, head: { kind: "opened", count: -1, bytes: 0 } },
  { parse: parsePiece, head: { kind: "piece", last: 1, ends: false } },
  { parse: parseRedeemReply, head: { kind: "login", login: "\0" } },
] as const;

describe("the protocol of qmail-pop3d, and of tickets", () => {
  for (const { parse, head, want } of good) {
    it(`reads ${JSON.stringify(head)}`, () => assertEquals<unknown>(parse(frame(head)), want));
  }
  for (const { parse, head } of bad) {
    it(`refuses ${JSON.stringify(head)}`, () => {
      assert(assertThrows(() => parse(frame(head))) instanceof ProtocolError);
    });
  }

  it("refuses a line longer than any command", () => {
    const line = new Uint8Array(longestLine + 1);
    assert(assertThrows(() => parsePop3Request(frame({ op: "command", id: 1 }, line))) instanceof ProtocolError);
  });

  it("throws nothing but ProtocolError, whatever a head is", () => {
    const parsers = [
      ...[parsePop3Request, parseOpenReply, parsePiece, parseRedeemRequest, parseRedeemReply],
      ...[parseOwnersRequest, parseOwnersReply],
    ];
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(...parsers), (head, parse) => {
      try {
        parse(frame(head));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }));
  });
});
