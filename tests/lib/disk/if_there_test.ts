import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { ifThere } from "../../../components/lib/disk/if_there.ts";

describe("ifThere()", () => {
  it("answers what there is", () => {
    assertEquals(ifThere(() => "here"), "here");
    assertEquals(ifThere(() => ""), "");
  });

  it("answers undefined where there is nothing of that name", () => {
    const missing = () => {
      throw new Deno.errors.NotFound("a");
    };
    assertEquals(ifThere(missing), undefined);
  });

  it("throws what else the system says", () => {
    const closed = () => {
      throw new Deno.errors.PermissionDenied("a");
    };
    assertEquals(assertThrows(() => ifThere(closed)) instanceof Deno.errors.PermissionDenied, true);
  });
});
