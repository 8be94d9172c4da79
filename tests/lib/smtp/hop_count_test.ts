import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HopCounter } from "../../../components/lib/smtp/hop_count.ts";
import { bytes, cut } from "../octets.ts";

function count(chunks: readonly Uint8Array[]): { count: number; ended: boolean } {
  const hops = new HopCounter();
  for (const chunk of chunks) hops.push(chunk);
  return { count: hops.count, ended: hops.ended };
}

describe("HopCounter", () => {
  const table: { input: string; want: number; ended: boolean; why: string }[] = [
    { input: "", want: 0, ended: false, why: "counts nothing in nothing" },
    { input: "Received: a\nReceived: b\n\n", want: 2, ended: true, why: "counts Received" },
    { input: "Delivered-To: a\n\n", want: 1, ended: true, why: "counts Delivered-To" },
    { input: "ReCeIvEd: a\nDELIVERED\n", want: 2, ended: false, why: "knows any case" },
    {
      input: "Received-SPF: pass\nreceivedxyz\n\n",
      want: 2,
      ended: true,
      why: "counts whatever the line goes on with",
    },
    {
      input: "X: received\n received: a\nreceive: a\n\n",
      want: 0,
      ended: true,
      why: "wants the word at the line's start",
    },
    { input: "\nReceived: a\n", want: 0, ended: true, why: "stops at an empty first line" },
    { input: "A: b\n\nReceived: a\n", want: 0, ended: true, why: "stops at the empty line" },
    { input: "A: b\n \nReceived: a\n", want: 1, ended: false, why: "does not stop at a blank line" },
    { input: "rec\nreceived", want: 1, ended: false, why: "starts again with each line" },
    { input: "2eceived: \x12eceived\nr\x05ceived\n", want: 0, ended: false, why: "compares letters only" },
    { input: "Received: a\n".repeat(100), want: 100, ended: false, why: "counts to a hundred" },
  ];
  for (const { input, want, ended, why } of table) {
    it(why, () => {
      assertEquals(count([bytes(input)]), { count: want, ended });
      assertEquals(count(Array.from(bytes(input), (octet) => Uint8Array.of(octet))), { count: want, ended });
    });
  }

  it("does not care where chunks are cut", () => {
    const unit = fc.constantFrom("received", "Deliver", "ed", ": ", "\n", "r", "\n\n");
    fc.assert(fc.property(fc.array(unit), fc.array(fc.nat(100)), (parts, places) => {
      const all = bytes(parts.join(""));
      assertEquals(count(cut(all, places)), count([all]));
      const header = `\n${parts.join("")}`.split("\n\n")[0]!;
      assertEquals(count([all]).count, header.split("\n").filter((line) => /^(received|delivered)/i.test(line)).length);
    }));
  });
});
