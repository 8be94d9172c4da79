import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatChannel,
  formatInfo,
  formatTodo,
  parseChannel,
  parseInfo,
  parseTodo,
} from "../../../components/lib/queue/envelope.ts";
import { bytes, text } from "../octets.ts";

/** Addresses as the queue may hold them: any octets but NUL. */
const anyAddress = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });

describe("the todo file", () => {
  it("is qmail's to the byte", () => {
    const octets = formatTodo({ uid: 0, qp: 27488, sender: "joe@localhost", recipients: ["joe@localhost", "noat"] });
    assertEquals(text(octets), "u0\0p27488\0Fjoe@localhost\0Tjoe@localhost\0Tnoat\0");
  });

  it("may have no recipient and the null reverse-path", () => {
    const envelope = { uid: 10, qp: 1, sender: "", recipients: [] };
    assertEquals(text(formatTodo(envelope)), "u10\0p1\0F\0");
    assertEquals(parseTodo(bytes("u10\0p1\0F\0")), { ok: true, value: envelope });
  });

  it("holds any address and gives it back", () => {
    const anyEnvelope = fc.record({
      uid: fc.nat(),
      qp: fc.nat(),
      sender: anyAddress,
      recipients: fc.array(anyAddress, { maxLength: 5 }),
    }, { noNullPrototype: true });
    fc.assert(fc.property(anyEnvelope, (envelope) => {
      assertEquals(parseTodo(formatTodo(envelope)), { ok: true, value: envelope });
    }));
  });

  const hostile = ["a\nTeve@e.example", "a b=c", "#@[]", "__proto__@constructor", "<>", "Tx", "\xff\x01@b"];
  for (const address of hostile) {
    it(`holds ${JSON.stringify(address)} as one address`, () => {
      const envelope = { uid: 1, qp: 2, sender: address, recipients: [address, address] };
      assertEquals(parseTodo(formatTodo(envelope)), { ok: true, value: envelope });
    });
  }

  const refusals = [
    { octets: "", error: "no sender" },
    { octets: "u0\0p1\0Ta\0", error: "no sender" },
    { octets: "u0\0p1\0Fa\0Tb", error: "the last record is not ended" },
    { octets: "u0\0p1\0Fa\0\0", error: 'unknown record type ""' },
    { octets: "u0\0p1\0Fa\0Xb\0", error: 'unknown record type "X"' },
    { octets: "ux\0p1\0Fa\0", error: 'not a number: "x"' },
    { octets: "u0\0p\0Fa\0", error: 'not a number: ""' },
    { octets: "u-1\0p1\0Fa\0", error: 'not a number: "-1"' },
  ];
  for (const { octets, error } of refusals) {
    it(`refuses ${JSON.stringify(octets)}`, () => assertEquals(parseTodo(bytes(octets)), { ok: false, error }));
  }

  it("cut anywhere is refused or has fewer recipients, never another one", () => {
    const whole = formatTodo({
      uid: 1,
      qp: 2,
      sender: "amy@a.example",
      recipients: ["bob@b.example", "eve@e.example"],
    });
    for (let end = 0; end < whole.length; end++) {
      const parsed = parseTodo(whole.subarray(0, end));
      if (!parsed.ok) continue;
      assertEquals(parsed.value.recipients, ["bob@b.example"].slice(0, parsed.value.recipients.length));
    }
  });

  it("of any octets parses or is refused, and never throws", () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => assert(typeof parseTodo(octets).ok === "boolean")));
  });
});

describe("the info file", () => {
  it("is one F record", () => {
    assertEquals(text(formatInfo("joe@localhost")), "Fjoe@localhost\0");
    fc.assert(fc.property(anyAddress, (sender) => {
      assertEquals(parseInfo(formatInfo(sender)), { ok: true, value: sender });
    }));
  });

  for (const octets of ["", "F", "Fa", "Ta\0", "Fa\0Fb\0", "Fa\0b", "\0"]) {
    it(`is refused when it is ${JSON.stringify(octets)}`, () => {
      assertEquals(parseInfo(bytes(octets)), { ok: false, error: "not one F record" });
    });
  }
});

describe("the local and remote files", () => {
  it("are T and D records, with the place of each letter", () => {
    const { octets, records } = formatChannel([
      { address: "joe@localhost", done: true },
      { address: "games-virt-info@virt.example", done: false },
    ]);
    assertEquals(text(octets), "Djoe@localhost\0Tgames-virt-info@virt.example\0");
    assertEquals(records.map(({ offset }) => offset), [0, 15]);
  });

  it("give back their records, each offset at its letter", () => {
    const anyRecords = fc.array(
      fc.record({ address: anyAddress, done: fc.boolean() }, { noNullPrototype: true }),
    );
    fc.assert(fc.property(anyRecords, (records) => {
      const formatted = formatChannel(records);
      assertEquals(parseChannel(formatted.octets), { ok: true, value: formatted.records });
      assertEquals(formatted.records.map(({ address, done }) => ({ address, done })), records);
      for (const { done, offset } of formatted.records) assertEquals(text(formatted.octets)[offset], done ? "D" : "T");
    }));
  });

  const refusals = [
    { octets: "Ta", error: "the last record is not ended" },
    { octets: "Ta\0\0", error: 'unknown record type "\\u0000"' },
    { octets: "Fa\0", error: 'unknown record type "F"' },
  ];
  for (const { octets, error } of refusals) {
    it(`are refused when they are ${JSON.stringify(octets)}`, () => {
      assertEquals(parseChannel(bytes(octets)), { ok: false, error });
    });
  }
});
