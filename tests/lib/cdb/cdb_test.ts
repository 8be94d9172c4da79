import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CdbFile, writeCdb } from "../../../components/lib/cdb/files.ts";
import { hashOf } from "../../../components/lib/cdb/hash.ts";
import { CdbMaker, type CdbRecord, CdbTooLarge } from "../../../components/lib/cdb/maker.ts";
import { cdbBytes, type CdbSource, findInCdb } from "../../../components/lib/cdb/reader.ts";
import { bytes, text } from "../octets.ts";
import { tempDir } from "../../support/temp_dir.ts";

type Pairs = readonly (readonly [key: string, data: string])[];

function recordsOf(pairs: Pairs): CdbRecord[] {
  return pairs.map(([key, data]) => ({ key: bytes(key), data: bytes(data) }));
}

function encode(pairs: Pairs): Uint8Array {
  const maker = new CdbMaker();
  const records = recordsOf(pairs).map((record) => maker.add(record));
  const { tables, header } = maker.finish();
  return bytes([header, ...records, ...tables].map(text).join(""));
}

function find(source: CdbSource, key: string): string | undefined {
  const found = findInCdb(source, bytes(key));
  if (!found.ok) throw new Error(found.error);
  return found.value && text(found.value);
}

/** Little-endian, as it stands in the file. */
function u32(...numbers: number[]): string {
  return numbers.map((number) => [0, 8, 16, 24].map((bits) => String.fromCharCode((number >>> bits) & 255)).join(""))
    .join("");
}

/** A file laid out by hand from the format's description: header pairs by table number, then the rest as it is. */
function byHand(
  pairs: ReadonlyMap<number, readonly [number, number]>,
  emptyPlaces: (table: number) => number,
  rest: string,
) {
  const header = Array.from({ length: 256 }, (_, table) => u32(...(pairs.get(table) ?? [emptyPlaces(table), 0])));
  return header.join("") + rest;
}

// The hashes, reckoned with pencil and paper from h = h * 33 xor octet: "" 5381, "a" (5381 * 33) ^ 97.
const emptyHash = 5381;
const aHash = 177_604;

describe("hashOf()", () => {
  it("is what the format says", () => {
    assertEquals(hashOf(bytes("")), emptyHash);
    assertEquals(hashOf(bytes("a")), aHash);
    // Over 32 bits it wraps around: reckoned without that, in whole numbers of any size.
    const key = "!joe.shmoe\0\xff\xfe and more of it";
    const want = bytes(key).reduce((hash, octet) => ((hash * 33n) & 0xffff_ffffn) ^ BigInt(octet), 5381n);
    assertEquals(hashOf(bytes(key)), Number(want));
  });
});

describe("CdbMaker", () => {
  it("with no record makes 256 empty tables behind the header", () => {
    assertEquals(text(encode([])), byHand(new Map(), () => 2048, ""));
  });

  it("with one record makes the file that the format's description gives", () => {
    // Record at 2048: 8 + 1 + 2 octets; the table of two slots at 2059, its number 177604 mod 256 = 196.
    const slot = (aHash >>> 8) % 2;
    const slots = [u32(0, 0), u32(0, 0)];
    slots[slot] = u32(aHash, 2048);
    const rest = `${u32(1, 2)}axy${slots.join("")}`;
    assertEquals(aHash & 255, 196);
    assertEquals(text(encode([["a", "xy"]])), byHand(new Map([[196, [2059, 2]]]), (n) => n < 196 ? 2059 : 2075, rest));
  });

  it("puts records of one key into slots that follow each other, around the end of the table", () => {
    const first = (aHash >>> 8) % 6;
    const slots = Array.from({ length: 6 }, () => u32(0, 0));
    for (let n = 0; n < 3; n++) slots[(first + n) % 6] = u32(aHash, 2048 + n * 10);
    const rest = `${u32(1, 1)}a1${u32(1, 1)}a2${u32(1, 1)}a3${slots.join("")}`;
    const want = byHand(new Map([[196, [2078, 6]]]), (n) => n < 196 ? 2078 : 2126, rest);
    assertEquals(text(encode([["a", "1"], ["a", "2"], ["a", "3"]])), want);
  });

  it("refuses to grow over what its numbers can say", () => {
    const maker = new CdbMaker();
    // Claims a length without having the octets.
    const data = Object.defineProperty(new Uint8Array(0), "length", { value: 0xffff_ffff }) as Uint8Array;
    const error = assertThrows(() => maker.add({ key: bytes("a"), data }));
    assert(error instanceof CdbTooLarge, String(error));
    assertEquals(text(maker.add({ key: bytes("a"), data: bytes("b") })), `${u32(1, 1)}ab`);
  });
});

const octets = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const anyPairs = fc.array(fc.tuple(fc.oneof(octets, fc.constantFrom("a", "b", "")), octets), { maxLength: 200 });

describe("findInCdb()", () => {
  it("finds what was written, of one key the first, and nothing else", () => {
    fc.assert(fc.property(anyPairs, octets, (pairs, other) => {
      const source = cdbBytes(encode(pairs));
      const firsts = new Map([...pairs].reverse());
      for (const [key, data] of firsts) assertEquals(find(source, key), data);
      assertEquals(find(source, other), firsts.get(other));
    }));
  });

  it("takes a file in pieces as one in memory", () => {
    using dir = tempDir();
    const pairs: Pairs = Array.from({ length: 300 }, (_, n) => [`key ${n}`, "x".repeat(n === 150 ? 70_000 : n)]);
    const path = `${dir.path}/f`;
    {
      using file = Deno.openSync(path, { write: true, createNew: true });
      writeCdb(file, recordsOf(pairs));
    }
    assertEquals(Deno.readFileSync(path), encode(pairs));
    using cdb = new CdbFile(path);
    for (const [key, data] of [pairs[0]!, pairs[150]!, pairs[299]!]) assertEquals(find(cdb, key), data);
    assertEquals(find(cdb, "key 300"), undefined);
  });

  const whole = text(encode([["a", "xy"]]));
  const corrupt: readonly { readonly why: string; readonly file: string; readonly error: string }[] = [
    { why: "an empty file", file: "", error: "the header ends early" },
    { why: "a header cut short", file: whole.slice(0, 196 * 8 + 7), error: "the header ends early" },
    { why: "a header cut short elsewhere", file: whole.slice(0, 2047), error: "the header ends early" },
    { why: "a table cut short", file: whole.slice(0, -1), error: "a table lies outside of the file" },
    {
      why: "a table in the header",
      file: whole.slice(0, 196 * 8) + u32(8, 2) + whole.slice(197 * 8),
      error: "a table lies outside of the file",
    },
    {
      why: "a table without end",
      file: whole.slice(0, 196 * 8) + u32(2059, 0xffff_ffff) + whole.slice(197 * 8),
      error: "a table lies outside of the file",
    },
    {
      why: "a record in the header",
      file: whole.replace(u32(aHash, 2048), u32(aHash, 16)),
      error: "a record lies outside of the file",
    },
    {
      why: "a record behind the end",
      file: whole.replace(u32(aHash, 2048), u32(aHash, 0xffff_fff0)),
      error: "a record lies outside of the file",
    },
    {
      why: "a key longer than the file",
      file: whole.slice(0, 2048) + u32(0xffff_ffff, 2) + whole.slice(2056),
      error: "a record is longer than the file",
    },
    {
      why: "data longer than the file",
      file: whole.slice(0, 2048) + u32(1, 0xffff_ffff) + whole.slice(2056),
      error: "a record is longer than the file",
    },
  ];
  for (const { why, file, error } of corrupt) {
    it(`says what is wrong, not that there is nothing: ${why}`, () => {
      assertEquals(findInCdb(cdbBytes(bytes(file)), bytes("a")), { ok: false, error });
    });
  }

  it("ends in a table that is full of other records", () => {
    const slots = u32(aHash, 2048).repeat(2);
    const file = `${whole.slice(0, 2048)}${u32(1, 2)}bxy${slots}`;
    assertEquals(findInCdb(cdbBytes(bytes(file)), bytes("a")), { ok: true, value: undefined });
  });

  it("says so when a file shrinks under it", () => {
    const source = { ...cdbBytes(bytes(whole).subarray(0, 2057)), sizeBytes: whole.length };
    assertEquals(findInCdb(source, bytes("a")), { ok: false, error: "a table ends early" });
  });

  it("throws for no octets, and reads no more than the file has", () => {
    const noise = fc.uint8Array({ maxLength: 4096 });
    const harmed = fc.tuple(anyPairs, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 })).map(
      ([pairs, harm]) => {
        const file = encode(pairs);
        for (const [at, octet] of harm) file[at % file.length] = octet;
        return file;
      },
    );
    fc.assert(fc.property(fc.oneof(noise, harmed), fc.oneof(octets, fc.constantFrom("a", "")), (file, key) => {
      findInCdb(cdbBytes(file), bytes(key));
    }));
  });
});
