import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
// @ts-types="../../components/lib/dns/dns_packet.d.ts"
import dnsPacket, { type Answer, type Packet } from "dns-packet";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { encodeQuery, parseResponse, type Question, type Response } from "../../components/resolver/packet.ts";

const id = 4711;
const mx: Question = { name: "b.example", type: "MX" };
/** The question ends here; a name before it is at 12. */
const headerAndQuestion = 12 + 11 + 4;

function packet(more: Packet): Buffer {
  return dnsPacket.encode({ type: "response", id, flags: dnsPacket.RECURSION_AVAILABLE, questions: [mx], ...more });
}

/** A packet whose answer section is these octets. */
function raw(answers: number, ...octets: (number | string)[]): Buffer {
  const header = packet({});
  header.writeUInt16BE(answers, 6);
  return Buffer.concat([
    header,
    ...octets.map((part) => typeof part === "number" ? Buffer.from([part]) : Buffer.from(part, "latin1")),
  ]);
}

const owner = "\xc0\x0c";
const mxHead = `${owner}\x00\x0f\x00\x01\x00\x00\x01\x2c`;

function mxTo(name: string): string {
  const wire = name.split(".").map((label) => String.fromCharCode(label.length) + label).join("") + "\0";
  const length = wire.length + 2;
  return `${mxHead}${String.fromCharCode(length >> 8, length & 255)}\x00\x0a${wire}`;
}

function responseOf(octets: Uint8Array, question: Question = mx): Response {
  const parsed = parseResponse(octets, id, question);
  if (parsed.kind !== "response") throw new Error(`expected a response, got ${parsed.kind}`);
  return parsed.response;
}

function recordsOf(octets: Uint8Array, question: Question = mx): unknown[] {
  return responseOf(octets, question).answers.map((answer) => answer.record);
}

describe("encodeQuery()", () => {
  it("asks one question with recursion desired, the AD bit and EDNS for 1232 octets", () => {
    const decoded = dnsPacket.decode(encodeQuery(id, mx, true));
    assertEquals(decoded.id, id);
    assertEquals(decoded.flags, dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA);
    assertEquals(decoded.questions, [{ name: "b.example", type: "MX", class: "IN" }]);
    assertEquals(decoded.additionals.map((record) => [record.type, record.udpPayloadSize]), [["OPT", 1232]]);
  });

  it("leaves EDNS out where a server does not know it", () => {
    assertEquals(dnsPacket.decode(encodeQuery(id, mx, false)).additionals, []);
  });
});

describe("parseResponse() values", () => {
  const rows: { type: Question["type"]; data: unknown; want: unknown }[] = [
    { type: "A", data: "192.0.2.1", want: { value: "192.0.2.1" } },
    { type: "A", data: "0.0.0.0", want: { value: "0.0.0.0" } },
    { type: "AAAA", data: "2001:db8::1", want: { value: "2001:db8::1" } },
    { type: "AAAA", data: "::1", want: { value: "::1" } },
    { type: "MX", data: { preference: 10, exchange: "MX.B.Example" }, want: { value: "mx.b.example", preference: 10 } },
    { type: "MX", data: { preference: 0, exchange: "." }, want: { value: "", preference: 0 } },
    {
      type: "MX",
      data: { preference: 65_535, exchange: "localhost" },
      want: { value: "localhost", preference: 65_535 },
    },
    { type: "PTR", data: "Host.B.Example", want: { value: "host.b.example" } },
    { type: "TXT", data: [Buffer.from("v=spf1 "), Buffer.from("-all")], want: { value: "v=spf1 -all" } },
    { type: "TXT", data: [Buffer.from([0, 10, 195, 164, 255])], want: { value: "\0\n\u00c3\u00a4\u00ff" } },
    { type: "TXT", data: Array.from({ length: 10 }, () => Buffer.alloc(255, "x")), want: { value: "x".repeat(2550) } },
    { type: "TXT", data: [], want: { value: "" } },
    { type: "CNAME", data: "Other.B.Example", want: { value: "other.b.example" } },
    {
      type: "TLSA",
      data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from("00ABCDEF", "hex") },
      want: { value: "3 1 1 00abcdef" },
    },
    {
      type: "TLSA",
      data: { usage: 255, selector: 254, matchingType: 253, certificate: Buffer.from([255]) },
      want: { value: "255 254 253 ff" },
    },
  ];
  for (const { type, data, want } of rows) {
    it(`${type} ${JSON.stringify(want).slice(0, 60)}`, () => {
      const question: Question = { name: "b.example", type };
      const answers: Answer[] = [{ name: "b.example", type, ttl: 300, data }];
      assertEquals(recordsOf(packet({ questions: [question], answers }), question), [want]);
    });
  }

  it("gives the bits, the code and the TTLs", () => {
    const flags = dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.AUTHENTIC_DATA | 3;
    const answers = [{ name: "B.Example", type: "CNAME", ttl: 7, data: "0/25.Other.Example" }];
    assertEquals(responseOf(packet({ flags, answers })), {
      rcode: 3,
      authoritative: true,
      recursionAvailable: false,
      authenticated: true,
      answers: [{ owner: "b.example", type: "CNAME", ttlSeconds: 7, record: { value: "0/25.other.example" } }],
      negativeSeconds: undefined,
    });
  });

  for (const { ttl, minimum, want } of [{ ttl: 60, minimum: 900, want: 60 }, { ttl: 900, minimum: 60, want: 60 }]) {
    it(`takes ${want} s from a SOA of TTL ${ttl} and minimum ${minimum}`, () => {
      const data = { mname: "ns.example", rname: "root.example", minimum };
      assertEquals(
        responseOf(packet({ authorities: [{ name: "example", type: "SOA", ttl, data }] })).negativeSeconds,
        want,
      );
    });
  }

  it("takes a TTL with the sign bit as 0", () => {
    const octets = raw(1, mxTo("mx.example").replace("\x00\x00\x01\x2c", "\x80\x00\x00\x01"));
    assertEquals(responseOf(octets).answers[0]?.ttlSeconds, 0);
  });
});

describe("parseResponse() is not taken in by", () => {
  const other = (more: Packet) => packet(more);
  const isNoAnswer = [
    { claim: "nothing", octets: Buffer.alloc(0) },
    { claim: "half a header", octets: packet({}).subarray(0, 11) },
    { claim: "another id", octets: other({ id: id + 1 }) },
    { claim: "a query", octets: other({ type: "query" }) },
    { claim: "an answer to another opcode", octets: other({ flags: 4 << 11 }) },
    { claim: "an answer about another name", octets: other({ questions: [{ name: "c.example", type: "MX" }] }) },
    {
      claim: "an answer about a name with a dot more",
      octets: other({ questions: [{ name: "b.example.example", type: "MX" }] }),
    },
    { claim: "an answer about another type", octets: other({ questions: [{ name: "b.example", type: "A" }] }) },
    { claim: "an answer about another class", octets: other({ questions: [{ ...mx, class: "CH" }] }) },
    { claim: "an answer to two questions", octets: other({ questions: [mx, mx] }) },
    { claim: "NOERROR without a question", octets: other({ questions: [] }) },
    { claim: "NXDOMAIN without a question", octets: other({ questions: [], flags: 3 }) },
  ];
  for (const { claim, octets } of isNoAnswer) {
    it(claim, () => assertEquals(parseResponse(octets, id, mx), { kind: "other" }));
  }

  const malformed = [
    { claim: "a record that is announced and missing", octets: raw(1) },
    { claim: "a count of 65535 records", octets: raw(65_535) },
    { claim: "a question that ends early", octets: packet({}).subarray(0, headerAndQuestion - 5) },
    { claim: "a name that points to itself", octets: raw(1, 0xc0, headerAndQuestion) },
    { claim: "a name that points ahead", octets: raw(1, 0xc0, 0xff) },
    {
      claim: "two names that point to each other",
      octets: raw(1, 0xc0, headerAndQuestion + 2, 0xc0, headerAndQuestion),
    },
    { claim: "a label of a kind that was never defined", octets: raw(1, "\x41aaaa", mxHead) },
    { claim: "a name of 255 labels", octets: raw(1, "\x01a".repeat(255), mxTo("mx.example").slice(1)) },
    { claim: "a record longer than the packet", octets: raw(1, `${mxHead}\xff\xff\x00\x0a`) },
    { claim: "a header of a record that is cut", octets: raw(1, `${owner}\x00\x0f\x00`) },
  ];
  for (const { claim, octets } of malformed) {
    it(claim, () => assertEquals(parseResponse(octets, id, mx), { kind: "malformed" }));
  }

  const unusable = [
    { claim: "an exchange with a semicolon", octets: raw(1, mxTo("mx;rm.example")) },
    { claim: "an exchange with a blank", octets: raw(1, mxTo("mx .example")) },
    { claim: "an exchange with a NUL", octets: raw(1, mxTo("mx\0.example")) },
    { claim: "an exchange with a line end", octets: raw(1, mxTo("mx\r\n.example")) },
    { claim: "an exchange with octets over 127", octets: raw(1, mxTo("mx\xff.example")) },
    { claim: "an exchange with backslash and digits", octets: raw(1, mxTo("mx\\000.example")) },
    {
      claim: "an exchange whose rdata is longer than it",
      octets: raw(1, `${mxHead}\x00\x09\x00\x0a\x01a\0\xff\xff\xff\xff`),
    },
    {
      claim: "an exchange whose rdata is shorter than it",
      octets: raw(1, `${mxHead}\x00\x03\x00\x0a\x01a\0`.slice(0, -2)),
    },
    {
      claim: "an exchange that points to itself",
      octets: raw(1, `${mxHead}\x00\x04\x00\x0a\xc0${String.fromCharCode(headerAndQuestion + 14)}`),
    },
    { claim: "an empty rdata", octets: raw(1, `${mxHead}\x00\x00`) },
  ];
  for (const { claim, octets } of unusable) {
    it(claim, () => assertEquals(recordsOf(octets), [undefined]));
  }

  it("an A record of 12 octets, nor the record hidden in it", () => {
    const question: Question = { name: "b.example", type: "A" };
    const header = packet({ questions: [question] });
    header.writeUInt16BE(2, 6);
    const record = (length: string, data: string) =>
      Buffer.from(`${owner}\x00\x01\x00\x01\x00\x00\x00\x3c${length}${data}`, "latin1");
    const hidden = "\x7f\x00\x00\x01" + `${owner}\x00\x01\x00\x01\x00\x00`;
    const octets = Buffer.concat([
      header,
      record("\x00\x0c", hidden.slice(0, 12)),
      record("\x00\x04", "\xc0\x00\x02\x01"),
    ]);
    assertEquals(recordsOf(octets, question), [undefined, { value: "192.0.2.1" }]);
  });

  for (
    const { claim, rdata } of [
      { claim: "no rdata", rdata: "" },
      { claim: "one number", rdata: "\x03" },
      { claim: "no data", rdata: "\x03\x01\x01" },
      { claim: "more data than a certificate has", rdata: `\x03\x00\x00${"x".repeat(16_385)}` },
    ]
  ) {
    it(`a TLSA record with ${claim}, and reads the one behind it`, () => {
      const question: Question = { name: "b.example", type: "TLSA" };
      const header = packet({ questions: [question] });
      header.writeUInt16BE(2, 6);
      const record = (rdata: string) => {
        const length = String.fromCharCode(rdata.length >> 8, rdata.length & 255);
        return Buffer.from(`${owner}\x00\x34\x00\x01\x00\x00\x00\x3c${length}${rdata}`, "latin1");
      };
      const octets = Buffer.concat([header, record(rdata), record("\x03\x01\x01\xab")]);
      assertEquals(recordsOf(octets, question), [undefined, { value: "3 1 1 ab" }]);
    });
  }

  it("a TXT string longer than its record", () => {
    const question: Question = { name: "b.example", type: "TXT" };
    const header = packet({ questions: [question] });
    header.writeUInt16BE(1, 6);
    const record = Buffer.from(`${owner}\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x03\xffab`, "latin1");
    assertEquals(recordsOf(Buffer.concat([header, record]), question), [undefined]);
  });

  it("a record of another class, of an unknown type, or with an owner of odd octets", () => {
    const chaos = mxTo("mx.example").replace("\x00\x01\x00\x00", "\x00\x03\x00\x00");
    const unknown = mxTo("mx.example").replace("\x00\x0f", "\xff\x0f");
    // U+212A, the Kelvin sign, has a "k" as its lower case.
    const kelvin = `\x03\xe2\x84\xaa\x00${mxTo("mx.example").slice(2)}`;
    assertEquals(recordsOf(raw(3, chaos, unknown, kelvin)), []);
  });

  it("a thousand records: it looks at 256", () => {
    assertEquals(recordsOf(raw(1000, mxTo("mx.example").repeat(1000))).length, 256);
  });
});

describe("parseResponse() of short answers", () => {
  it("says that an answer was cut, whatever is left of it", () => {
    const octets = packet({ flags: dnsPacket.TRUNCATED_RESPONSE });
    octets.writeUInt16BE(3, 6);
    assertEquals(parseResponse(Buffer.concat([octets, Buffer.from(mxHead, "latin1")]), id, mx), { kind: "truncated" });
  });

  for (const rcode of [1, 2, 4, 5]) {
    it(`takes the bare header of code ${rcode}`, () => {
      assertEquals(responseOf(packet({ questions: [], flags: rcode })).rcode, rcode);
    });
  }
});

describe("parseResponse() property", () => {
  const whole = packet({
    answers: [{ name: "b.example", type: "MX", ttl: 1, data: { preference: 1, exchange: "mx.b.example" } }],
  });

  it("no octets make it throw", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
      parseResponse(octets, id, mx);
      parseResponse(Buffer.concat([whole, octets]), id, mx);
    }));
  });

  it("no octets behind header and question make it throw, nor yield a name that is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(20), (octets, answers) => {
        const header = packet({});
        header.writeUInt16BE(answers, 6);
        const parsed = parseResponse(Buffer.concat([header, octets]), id, mx);
        if (parsed.kind !== "response") return;
        for (const { record, type } of parsed.response.answers) {
          if (record !== undefined && type === "MX") assertEquals(/^[a-z0-9._-]*$/.test(record.value), true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("no octet changed or cut makes it throw", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, octet, length) => {
        const changed = Buffer.from(whole);
        changed[at] = octet;
        parseResponse(changed.subarray(0, length), id, mx);
      }),
      { numRuns: 1000 },
    );
  });
});
