import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { readAt } from "../../../components/lib/disk/read_at.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { text } from "../octets.ts";

describe("readAt()", () => {
  for (
    const { offset, count, want } of [
      { offset: 0, count: 5, want: "hello" },
      { offset: 1, count: 3, want: "ell" },
      { offset: 2, count: 0, want: "" },
      { offset: 3, count: 5, want: "lo" },
      { offset: 5, count: 1, want: "" },
      { offset: 9, count: 1, want: "" },
    ]
  ) {
    it(`reads ${JSON.stringify(want)} where ${count} octets from ${offset} on are asked of "hello"`, () => {
      using dir = tempDir();
      Deno.writeTextFileSync(`${dir.path}/a`, "hello");
      using file = Deno.openSync(`${dir.path}/a`, { read: true });
      assertEquals(text(readAt(file, offset, count)), want);
    });
  }
});
