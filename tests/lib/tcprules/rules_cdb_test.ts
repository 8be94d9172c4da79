import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CdbMaker } from "../../../components/lib/cdb/maker.ts";
import { cdbBytes, findInCdb } from "../../../components/lib/cdb/reader.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { type KeyedRule, parseRules } from "../../../components/lib/tcprules/parse_rules.ts";
import { readRules, ruleRecords } from "../../../components/lib/tcprules/rules_cdb.ts";
import { concat } from "../../../components/lib/wire/frame.ts";

function fileOf(rules: readonly KeyedRule[]): Uint8Array {
  const maker = new CdbMaker();
  const records = [...ruleRecords(rules)].map((record) => maker.add(record));
  const { tables, header } = maker.finish();
  const pieces = [header, ...records, ...tables];
  return concat(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0));
}

function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** Three tables' places are what can differ; the others are empty and stand where the one before ends. */
const known = {
  text: '127.:allow,RELAYCLIENT=""\n10.0.0.3-4:deny\n:allow,A="1",B="2"\n',
  bytes: 2192,
  sha256: "2625898404a8d7620ea7480c4baff10fd1befe23a27d3665b7f1d961b99cfe4a",
  behindHeader: "040000000e0000003132372e2b52454c4159434c49454e543d00" +
    "080000000200000031302e302e302e334400" +
    "080000000200000031302e302e302e344400" +
    "000000000a0000002b413d31002b423d3200" +
    "00000000000000000515" + "00003e080000" +
    "000000000000000079d5a1611a080000" +
    "00000000000000007ed5a1612c080000" +
    "df06547c000800000000000000000000",
};

const rule: fc.Arbitrary<KeyedRule> = fc.record({
  key: fc.string({ unit: "binary-ascii", maxLength: 20 }),
  deny: fc.boolean(),
  variables: fc.array(
    fc.tuple(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/), fc.string({ unit: "binary-ascii" }))
      .filter(([, value]) => !/[\0\n]/.test(value)),
    { maxLength: 4 },
  ),
}, { noNullPrototype: true });

describe("rules as a cdb file", () => {
  it("are octet for octet what tcprules makes of them", async () => {
    const rules = parseRules(known.text);
    assert(rules.ok);
    const file = fileOf(rules.value);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(file)));
    assertEquals(hex(file.subarray(2048)), known.behindHeader);
    assertEquals([file.length, hex(digest)], [known.bytes, known.sha256]);
  });

  it("are found under their keys by whoever reads cdb files", () => {
    const rules = parseRules(known.text);
    assert(rules.ok);
    const found = findInCdb(cdbBytes(fileOf(rules.value)), toOctets("10.0.0.4"));
    assertEquals(found.ok && found.value !== undefined && fromOctets(found.value), "D\0");
  });

  it("come back as they were", () => {
    fc.assert(fc.property(fc.array(rule), (rules) => {
      const read = readRules(fileOf(rules));
      assert(read.ok);
      assertEquals(read.value, rules as readonly KeyedRule[]);
    }));
  });

  it("are refused with a name or a value that no environment can hold", () => {
    for (const variable of ["A=b\nc", "=x", "A B=x", "A"]) {
      const maker = new CdbMaker();
      const record = maker.add({ key: toOctets("1."), data: toOctets(`+${variable}\0`) });
      const { tables, header } = maker.finish();
      const pieces = [header, record, ...tables];
      const read = readRules(concat(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0)));
      assertEquals(read.ok, false, variable);
    }
  });

  it("are an error where the file is none, cut or damaged, never a crash", () => {
    const rules = parseRules(known.text);
    assert(rules.ok);
    const file = fileOf(rules.value);
    for (const bytes of [0, 1, 2047, 2049, 2060, 2100]) {
      assertEquals(readRules(file.subarray(0, bytes)).ok, false);
    }
    assertEquals(readRules(toOctets("x".repeat(3000))).ok, false);
    const place = fc.nat(file.length - 1);
    fc.assert(fc.property(fc.array(fc.tuple(place, fc.nat(255))), (changes) => {
      const damaged = file.slice();
      for (const [at, octet] of changes) damaged[at] = octet;
      const read = readRules(damaged);
      return read.ok || read.error.startsWith("expected ");
    }));
  });

  it("of an empty file are none", () => assertEquals(readRules(fileOf([])), { ok: true, value: [] }));
});
