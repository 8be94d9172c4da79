import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { findProgram, outputOf } from "../../../../scripts/bench/peers/programs.ts";

describe("findProgram()", () => {
  it("takes the first that is there", () => {
    assertEquals(findProgram(["/nonexistent", "/bin/sh"], "It", "install it"), "/bin/sh");
  });

  it("says where it looked, and what installs it, where none is", () => {
    const says = 'Cannot start It: neither /no/a nor /no/b is there. Install it with "get it"';
    assertStringIncludes(String(assertThrows(() => findProgram(["/no/a", "/no/b"], "It", "get it"))), says);
  });
});

describe("outputOf()", () => {
  it("is what a program says, without the line's end", () => assertEquals(outputOf("/bin/echo", ["a b"]), "a b"));
  it("throws where it does not succeed", () =>
    assertStringIncludes(String(assertThrows(() => outputOf("/bin/false", []))), "Cannot run /bin/false"));
});
