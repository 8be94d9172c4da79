import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { homeAt } from "../../../../config/home.ts";
import { journalSegment } from "../../../../components/lib/queue/layout.ts";
import { JournalReader } from "../../../../components/lib/queue/journal/reader.ts";
import { putRecord, recordBytes } from "../../../../components/lib/queue/journal/record.ts";
import { toOctets } from "../../../../components/lib/octets.ts";
import { putLarge } from "../../../support/journal_segment.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const content = Uint8Array.from(toOctets("Subject: a\n\nhello\n"));
const envelope = toOctets("u0\0p1\0F\0Tamy@a.example\0");
const bytes = recordBytes(envelope, [content]);

/** Writes segment 1 with one record at 100. */
function write(path: string, serial: number): void {
  const octets = new Uint8Array(4096);
  putRecord(octets, 100, { generation: serial, serial, id: 1000, birthSeconds: 0 }, envelope, [content]);
  Deno.writeFileSync(path, octets);
}

/** A home whose journal has segment 1, and a reader of it. */
function place() {
  const dir = tempDir();
  const home = homeAt(dir.path);
  Deno.mkdirSync(home.queue("journal"), { recursive: true });
  const path = journalSegment(home, 1);
  write(path, 7);
  const reader = new JournalReader(home);
  const end = () => {
    reader.close();
    dir[Symbol.dispose]();
  };
  return { path, reader, [Symbol.dispose]: end };
}

const at = (fields: object = {}) => ({ serial: 7, segment: 1, offset: 100, bytes, ...fields });

describe("JournalReader", () => {
  it("reads a message's content at its place, again and again", () => {
    using here = place();
    for (let times = 0; times < 3; times++) assertEquals(here.reader.read(at()), content);
  });

  it("leaves the text of one that stands in mess to who reads that", () => {
    using dir = tempDir();
    const home = homeAt(dir.path);
    const place = putLarge(home, 1000, content);
    assertEquals(new JournalReader(home).read(place), undefined);
  });

  const absent = [
    { claim: "another serial stands there", place: at({ serial: 8 }) },
    { claim: "no record begins there", place: at({ offset: 99 }) },
    { claim: "the place ends too soon", place: at({ bytes: bytes - 1 }) },
    { claim: "the place is behind the segment's end", place: at({ offset: 5000 }) },
    { claim: "there is no such segment", place: at({ segment: 2 }) },
    { claim: "the place is longer than any record", place: at({ bytes: 2 ** 40 }) },
  ];
  for (const { claim, place: where } of absent) {
    it(`finds nothing where ${claim}`, () => {
      using here = place();
      assertEquals(here.reader.read(where), undefined);
    });
  }

  it("finds nothing where the record was overwritten since", () => {
    using here = place();
    here.reader.read(at());
    write(here.path, 9);
    assertEquals(here.reader.read(at()), undefined);
    assertEquals(here.reader.read(at({ serial: 9 })), content);
  });

  it("finds what stands in a segment that was made anew since it was opened", () => {
    using here = place();
    here.reader.read(at());
    Deno.removeSync(here.path);
    write(here.path, 9);
    assertEquals(here.reader.read(at({ serial: 9 })), content);
  });
});
