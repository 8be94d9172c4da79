import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { idsFrom } from "../../../components/lib/process/ids_args.ts";

describe("idsFrom()", () => {
  it("takes both ids, or none", () => {
    assertEquals(idsFrom(["--home", "/x", "--setuid", "7", "--setgid=8", "--supervised"]), { uid: 7, gid: 8 });
    assertEquals(idsFrom(["--home", "/x"]), undefined);
  });
  for (
    const args of [["--setuid", "7"], ["--setgid", "7"], ["--setuid", "0", "--setgid", "7"], [
      "--setuid",
      "x",
      "--setgid",
      "7",
    ], ["--setuid", "-1", "--setgid", "7"]]
  ) {
    it(`refuses ${args.join(" ")}`, () => {
      assertThrows(() => idsFrom(args));
    });
  }
});
