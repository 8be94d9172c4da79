import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { longestShownError } from "../../components/lib/wire/control_protocol.ts";
import { LastErrors, mostErrors, mostMessages, mostOfMessage } from "../../components/qmail-send/last_errors.ts";

describe("LastErrors", () => {
  it("keeps the last one of each recipient, and how many there were", () => {
    const errors = new LastErrors();
    errors.note(7, "bob@b.example", "first\n", 1);
    errors.note(7, "bob@b.example", "second\n", 5);
    errors.note(7, "__proto__", "x".repeat(1000), 6);
    assertEquals(errors.of(7)!.get("bob@b.example"), { attempts: 2, atSeconds: 5, text: "second" });
    assertEquals(errors.of(7)!.get("__proto__")!.text.length, longestShownError);
    assertEquals([errors.of(8), errors.size], [undefined, 2]);
  });

  it("forgets a message that ended, whose number will be another's", () => {
    const errors = new LastErrors();
    errors.note(7, "bob@b.example", "x", 1);
    errors.forget(7);
    errors.forget(7);
    assertEquals([errors.of(7), errors.size], [undefined, 0]);
  });

  it("keeps the latest ones, within its bounds", () => {
    const errors = new LastErrors();
    for (let n = 0; n < 3 * mostOfMessage; n++) errors.note(1, `r${n}@b.example`, "x", 1);
    assertEquals(errors.size, mostOfMessage);
    for (let id = 2; id < 3 * mostMessages; id++) {
      for (let n = 0; n < 4; n++) errors.note(id, `r${n}@b.example`, "x", 1);
      assert(errors.size <= mostErrors);
    }
    assertEquals([errors.of(1), errors.of(3 * mostMessages - 1)?.size], [undefined, 4]);
    for (let id = 3 * mostMessages; id < 6 * mostMessages; id++) errors.note(id, "r@b.example", "x", 1);
    assert(errors.size <= mostMessages + mostOfMessage, `${errors.size}`);
  });
});
