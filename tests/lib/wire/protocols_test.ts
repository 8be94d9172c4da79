import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as clean from "../../../components/lib/wire/clean_protocol.ts";
import * as delivery from "../../../components/lib/wire/delivery_protocol.ts";
import * as field from "../../../components/lib/wire/fields.ts";
import type { Frame } from "../../../components/lib/wire/frame.ts";
import * as getpw from "../../../components/lib/wire/getpw_protocol.ts";
import * as queue from "../../../components/lib/wire/queue_protocol.ts";
import * as dial from "../../../components/lib/wire/dial_protocol.ts";
import * as resolver from "../../../components/lib/wire/resolver_protocol.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";

const body = new Uint8Array([1, 2, 3]);
/** A frame whose head went through JSON, as one from a socket did. */
const frame = (head: object): Frame => ({ head: JSON.parse(JSON.stringify(head)), body });

const envelope = { origin: "network", uid: 7, sender: "amy@a.example", recipients: ["bob@b.example", "\xff\n@c"] };
const local = {
  isVirtual: false,
  domain: "",
  user: "joe",
  uid: 1000,
  home: "/home/joe",
  dash: "-",
  extension: "x",
  hostName: "h",
  defaultDelivery: "./Maildir/\n",
  programSeconds: 60,
};
const deliver = { op: "deliver", id: 1, sizeBytes: 9, sender: "", recipients: ["bob@b.example"] };
const remote = {
  ...deliver,
  ...{ domain: "b.example", port: 25, helo: "me", connectTimeoutMs: 1, timeoutMs: 2, privateAddresses: false },
  ...{ protocol: "smtp", mxps: false, ipv6: true, localAddresses: ["192.0.2.1"] },
  tls: { level: "verify", implicit: false, names: ["mx.b.example"], fingerprints: [], isDefault: false },
};

interface Row {
  readonly parse: (frame: Frame) => unknown;
  readonly name: string;
  /** A head that parses, and what from it; default: the head itself. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly want?: object;
  /** Fields that may be absent. */
  readonly optional?: readonly string[];
}

const options = "dqo1\nENVID=QQ+0A\nRCPT 0 bob@b.example NOTIFY=NEVER\n";
const never = { never: true, success: false, failure: false, delay: false };
const parsedOptions = {
  envid: "QQ\n",
  recipients: new Map([[0, { address: "bob@b.example", notify: never }]]),
};

const { parseQueueRequest, parseQueueReply, parseQueueNotice, parseSendRequest } = queue;
const place = { serial: 1795333684000001, segment: 1, offset: 48, bytes: 400 };
const journalMessage = {
  ...{ id: 1001, place, birthSeconds: 1795333684, sizeBytes: 300, qp: 4896, uid: 7, sender: "amy@a.example" },
  recipients: ["bob@b.example"],
};
const rows: readonly Row[] = [
  {
    name: "a message",
    parse: parseQueueRequest,
    head: { op: "message", id: 1, ...envelope },
    want: { op: "message", id: 1, envelope, content: body },
  },
  {
    name: "a message with options",
    parse: parseQueueRequest,
    head: { op: "message", id: 1, ...envelope, options },
    want: { op: "message", id: 1, envelope: { ...envelope, options }, content: body },
    optional: ["options"],
  },
  { name: "an open", parse: parseQueueRequest, head: { op: "open", id: 1, origin: "bounce", uid: 0 } },
  { name: "a data", parse: parseQueueRequest, head: { op: "data", id: 1 }, want: { op: "data", id: 1, content: body } },
  {
    name: "a close",
    parse: parseQueueRequest,
    head: { op: "close", id: 1, ...envelope },
    want: { op: "close", id: 1, envelope },
  },
  { name: "an abort", parse: parseQueueRequest, head: { op: "abort", id: 1 } },
  { name: "a queue reply", parse: parseQueueReply, head: { code: 53, qp: 4896 } },
  { name: "a todo notice", parse: parseQueueNotice, head: { op: "todo", messages: [1, 2] } },
  { name: "an answer to `writing`", parse: parseQueueNotice, head: { op: "abandoned", messages: [] } },
  {
    name: "a journal notice",
    parse: parseQueueNotice,
    head: { op: "journal", entries: [journalMessage] },
    want: { op: "journal", entries: [{ serial: place.serial, ...journalMessage }] },
  },
  {
    name: "a journal notice with options",
    parse: parseQueueNotice,
    head: { op: "journal", entries: [{ ...journalMessage, options }] },
    want: { op: "journal", entries: [{ serial: place.serial, ...journalMessage, options }] },
  },
  { name: "an answer to `done`", parse: parseQueueNotice, head: { op: "settled", serials: [place.serial] } },
  { name: "an answer to `move`", parse: parseQueueNotice, head: { op: "moved", serial: place.serial, ok: false } },
  {
    name: "a vacate notice",
    parse: parseQueueNotice,
    head: { op: "vacate", serials: [place.serial], messages: [1001] },
  },
  { name: "a question who writes", parse: parseSendRequest, head: { op: "writing", messages: [1, 2] } },
  { name: "a done", parse: parseSendRequest, head: { op: "done", serials: [place.serial] } },
  { name: "a move", parse: parseSendRequest, head: { op: "move", serial: place.serial, message: 1001 } },
  { name: "an accepting", parse: parseSendRequest, head: { op: "accepting", accepting: false } },
  {
    name: "a spawn request for a message of the journal",
    parse: delivery.parseSpawnRequest,
    head: { op: "deliver", id: 1, message: 2, place, sender: "", recipients: ["b@b.example"] },
    want: { id: 1, message: 2, place, sender: "", recipients: ["b@b.example"] },
    optional: ["place"],
  },
  {
    name: "a spawn request",
    parse: delivery.parseSpawnRequest,
    head: { op: "deliver", id: 1, message: 2, sender: "", recipients: ["b@b.example"] },
    want: { id: 1, message: 2, place: undefined, sender: "", recipients: ["b@b.example"] },
  },
  {
    name: "a spawn request with options",
    parse: delivery.parseSpawnRequest,
    head: { op: "deliver", id: 1, message: 2, sender: "", recipients: ["b@b.example"], options },
    want: { id: 1, message: 2, place: undefined, sender: "", recipients: ["b@b.example"], options: parsedOptions },
    optional: ["options"],
  },
  {
    name: "a spawn reply of a host that reports by itself",
    parse: (reply) => delivery.parseSpawnReply(reply, 1),
    head: { lost: false, reports: [{ verdict: "K", text: "x\n", dsn: true }] },
  },
  {
    name: "a spawn reply",
    parse: (reply) => delivery.parseSpawnReply(reply, 1),
    head: { lost: false, reports: [{ verdict: "K", text: "did 1+0+0\n" }] },
  },
  {
    name: "a spawn reply that says one thing of several",
    parse: (reply) => delivery.parseSpawnReply(reply, 3),
    head: { lost: false, reports: [{ verdict: "K", text: "x\n" }, { verdict: "D", text: "y\n" }], of: [1, 0, 1] },
    want: {
      lost: false,
      reports: [{ verdict: "D", text: "y\n" }, { verdict: "K", text: "x\n" }, { verdict: "D", text: "y\n" }],
    },
  },
  {
    name: "a local delivery",
    parse: delivery.parseLocalRequest,
    head: { ...deliver, ...local },
    want: { id: 1, sizeBytes: 9, sender: "", recipients: ["bob@b.example"], ...local },
  },
  {
    name: "a remote delivery",
    parse: delivery.parseRemoteRequest,
    head: { ...remote, relayHost: "relay" },
    want: { ...remote, op: undefined, relayHost: "relay" },
    optional: ["relayHost"],
  },
  {
    name: "a remote delivery with a login",
    parse: delivery.parseRemoteRequest,
    head: { ...remote, relayHost: "relay", login: { user: "u", password: "p" } },
    want: { ...remote, op: undefined, relayHost: "relay", login: { user: "u", password: "p" } },
    optional: ["relayHost", "login"],
  },
  {
    name: "a remote delivery by an operator who knows better which addresses are this host's",
    parse: delivery.parseRemoteRequest,
    head: { ...remote, own: { more: ["192.0.2.1"], fewer: [] } },
    want: { ...remote, op: undefined, relayHost: undefined, own: { more: ["192.0.2.1"], fewer: [] } },
    optional: ["own"],
  },
  {
    name: "a remote delivery with options",
    parse: delivery.parseRemoteRequest,
    head: { ...remote, options },
    want: { ...remote, op: undefined, relayHost: undefined, options: parsedOptions },
    optional: ["options"],
  },
  { name: "a clean request", parse: clean.parseCleanRequest, head: { op: "foop", id: 1, messages: [] } },
  { name: "a clean reply", parse: clean.parseCleanReply, head: { failed: [3] } },
  { name: "a getpw request", parse: getpw.parseGetpwRequest, head: { op: "find", id: 1, address: "amy@a.example" } },
  {
    name: "an account",
    parse: getpw.parseGetpwReply,
    head: {
      kind: "account",
      isVirtual: true,
      domain: "a.example",
      user: "amy",
      uid: 1,
      gid: 2,
      home: "/m",
      dash: "-",
      extension: "x",
    },
  },
  { name: "no mailbox", parse: getpw.parseGetpwReply, head: { kind: "none" } },
  { name: "perhaps a mailbox", parse: getpw.parseGetpwReply, head: { kind: "possible" } },
  {
    name: "a question for the resolver",
    parse: resolver.parseResolveRequest,
    head: { op: "resolve", id: 1, name: "a.example", type: "MX" },
    want: { id: 1, name: "a.example", type: "MX" },
  },
  {
    name: "the resolver's answer",
    parse: resolver.parseResolveReply,
    head: { status: "ok", authenticated: true, records: [{ value: "mx", preference: 10 }, { value: "x" }] },
  },
  {
    name: "the resolver's answer about an alias",
    parse: resolver.parseResolveReply,
    head: { status: "ok", authenticated: true, records: [{ value: "192.0.2.1" }], canonical: "mx.a.example" },
    optional: ["canonical"],
  },
  {
    name: "a connection over IPv6",
    parse: dial.parseDialRequest,
    head: { op: "dial", address: "2001:db8::1", port: 25, localAddress: "2001:db8::2" },
    want: { address: "2001:db8::1", port: 25, localAddress: "2001:db8::2" },
    optional: ["localAddress"],
  },
];

/** A head with one field replaced by anything, or left out, or with hostile names beside it. */
const hostileNames = fc.constantFrom("__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "op", "id");
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(-1, 1.5, 2 ** 53, "\0", "\u{1f600}", "x".repeat(5000), [null]),
);

function parsesOrRefuses(parse: (frame: Frame) => unknown, head: object): void {
  try {
    parse(frame(head));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

for (const { name, parse, head, want, optional } of rows) {
  describe(`the parser of ${name}`, () => {
    it("takes it as it is", () => {
      const { op: _op, ...fields } = { op: undefined, ...(want ?? head) } as Record<string, unknown>;
      const { op: _parsedOp, ...parsed } = { op: undefined, ...parse(frame(head)) as Record<string, unknown> };
      assertEquals(parsed, fields);
    });

    for (const missing of Object.keys(head).filter((field) => !(optional ?? []).includes(field))) {
      it(`refuses it without "${missing}"`, () => {
        const { [missing]: _, ...rest } = head;
        assert(assertThrows(() => parse(frame(rest))) instanceof ProtocolError);
      });
    }

    it("parses or throws ProtocolError on any JSON, nothing else", () => {
      fc.assert(fc.property(fc.dictionary(fc.string(), anyValue), (any) => parsesOrRefuses(parse, any)));
      const anyField = fc.constantFrom(...Object.keys(head));
      fc.assert(fc.property(anyField, anyValue, (field, value) => parsesOrRefuses(parse, { ...head, [field]: value })));
    });

    it("is not taken in by fields such as __proto__", () => {
      fc.assert(fc.property(hostileNames, anyValue, (hostile, value) => {
        // As text, for in a literal __proto__ would not be a field.
        const text = `{${JSON.stringify(hostile)}:${JSON.stringify(value)}}`;
        parsesOrRefuses(parse, JSON.parse(text));
        const inherited = JSON.parse(`{"__proto__":${JSON.stringify(head)}}`);
        assert(assertThrows(() => parse({ head: inherited, body })) instanceof ProtocolError);
      }));
    });
  });
}

describe("addresses in a frame", () => {
  const parse = (address: unknown) => {
    const request = getpw.parseGetpwRequest(frame({ op: "find", id: 1, address }));
    return request.op === "forward" ? undefined : request.address;
  };
  const table: { address: unknown; why: string; ok: boolean }[] = [
    { address: "", why: "the empty one", ok: true },
    { address: "\x01\n\x80\xff", why: "any octet but NUL", ok: true },
    { address: `${"p".repeat(300)}-${"a".repeat(1002)}`, why: "the queue's longest with a prefix", ok: true },
    { address: "__proto__@constructor", why: "names of an object's own", ok: true },
    { address: "a\0b", why: "NUL", ok: false },
    { address: "\u0100", why: "what is no octet", ok: false },
    { address: "a".repeat(4097), why: "one of 4097 octets", ok: false },
    { address: ["a"], why: "a list", ok: false },
    { address: null, why: "null", ok: false },
  ];
  for (const { address, why, ok } of table) {
    it(`${ok ? "may be" : "may not be"} ${why}`, () => {
      if (ok) assertEquals(parse(address), address as string);
      else assert(assertThrows(() => parse(address)) instanceof ProtocolError);
    });
  }
});

describe("a message of the journal", () => {
  const parse = (entry: unknown) => parseQueueNotice(frame({ op: "journal", entries: [entry] }));

  for (const missing of Object.keys(journalMessage)) {
    it(`is refused without "${missing}"`, () => {
      assert(assertThrows(() => parse({ ...journalMessage, [missing]: undefined })) instanceof ProtocolError);
    });
  }

  for (const missing of Object.keys(place)) {
    it(`is refused without "${missing}" in its place`, () => {
      const entry = { ...journalMessage, place: { ...place, [missing]: undefined } };
      assert(assertThrows(() => parse(entry)) instanceof ProtocolError);
    });
  }

  it("takes its serial from its place alone", () => {
    const parsed = parse({ ...journalMessage, serial: 5 });
    assert(parsed.op === "journal");
    assertEquals(parsed.entries.map(({ serial }) => serial), [place.serial]);
  });
});

describe("options in a frame", () => {
  for (const wrong of ["", "dqo2\n", "dqo1", "dqo1\nENVID=\n\n", 1, {}, [], null]) {
    it(`may not be ${JSON.stringify(wrong)}`, () => {
      const request = { op: "message", id: 1, ...envelope, options: wrong };
      assert(assertThrows(() => parseQueueRequest(frame(request))) instanceof ProtocolError);
      const spawn = { op: "deliver", id: 1, message: 2, sender: "", recipients: [], options: wrong };
      assert(assertThrows(() => delivery.parseSpawnRequest(frame(spawn))) instanceof ProtocolError);
    });
  }
});

describe("object() and objects()", () => {
  const head = (value: unknown) => ({ a: value }) as Frame["head"];

  it("take objects and lists of them, and do not look into them", () => {
    assertEquals(field.object(head({ b: [1] }), "a"), { b: [1] });
    assertEquals(field.objects(head([{ b: 1 }, {}]), "a"), [{ b: 1 }, {}]);
    assertEquals(field.objects(head([]), "a"), []);
  });

  for (const value of [undefined, null, 1, "x", true, [{}], []]) {
    it(`refuses ${JSON.stringify(value)} as an object, alone and in a list`, () => {
      assert(assertThrows(() => field.object(head(value), "a")) instanceof ProtocolError);
      assert(assertThrows(() => field.objects(head([{}, value]), "a")) instanceof ProtocolError);
    });
  }

  for (const value of [undefined, null, 1, "x", {}, { length: 1, 0: {} }]) {
    it(`refuses ${JSON.stringify(value)} as a list of objects`, () => {
      assert(assertThrows(() => field.objects(head(value), "a")) instanceof ProtocolError);
    });
  }
});

describe("parseSpawnReply()", () => {
  const reply = (reports: unknown, recipients = 1) =>
    delivery.parseSpawnReply(frame({ lost: false, reports }), recipients).reports;

  it("refuses another number of reports than there are recipients", () => {
    for (const count of [0, 2]) {
      assert(assertThrows(() => reply([{ verdict: "K", text: "" }], count)) instanceof ProtocolError);
    }
  });

  it("cuts a report at 10,000 octets", () => {
    assertEquals(reply([{ verdict: "Z", text: "x".repeat(20_000) }])[0]?.text.length, 10_000);
  });

  it("lets no character become a line end or NUL when it is written as octets", () => {
    assertEquals(reply([{ verdict: "D", text: "a\u010a\u010a\0\xff\n" }])[0]?.text, "a???\xff\n");
  });
});
