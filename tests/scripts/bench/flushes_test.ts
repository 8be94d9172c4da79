import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { flushCount, majorMinor, parseFlushes } from "../../../scripts/bench/flushes.ts";

describe("majorMinor()", () => {
  const rows: { device: number; want: string }[] = [
    { device: 0x700, want: "7:0" },
    { device: 0xfe00, want: "254:0" },
    { device: 0x10301, want: "259:1" },
    { device: 0x100105, want: "1:261" },
  ];
  for (const { device, want } of rows) {
    it(`of 0x${device.toString(16)} is ${want}`, () => assertEquals(majorMinor(device), want));
  }
});

describe("parseFlushes()", () => {
  const fields = Array.from({ length: 17 }, (_, at) => at + 1);
  const rows: { name: string; text: string; want: number | undefined }[] = [
    { name: "the sixteenth field", text: `   ${fields.join("    ")}\n`, want: 16 },
    {
      name: "nothing in the text of a kernel that does not count them",
      text: fields.slice(0, 15).join(" "),
      want: undefined,
    },
    { name: "nothing in an empty text", text: "", want: undefined },
  ];
  for (const { name, text, want } of rows) it(`finds ${name}`, () => assertEquals(parseFlushes(text), want));
});

describe("flushCount()", () => {
  it("knows nothing of a folder that is on no device", () => assertEquals(flushCount("/proc"), undefined));
  it("knows nothing of a folder that is not there", () => assertEquals(flushCount("/nonexistent"), undefined));
});
