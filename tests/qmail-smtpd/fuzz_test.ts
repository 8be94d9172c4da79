import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fuzz } from "../fuzz/smtpd.ts";

describe("random sessions", () => {
  it("stay in step with a client that knows only the rules (tests/fuzz/smtpd.ts runs more of them)", async () => {
    const totals = await fuzz({ sessions: 1500, minutes: 0, seed: 20261122 });
    assert(totals.queued > 100, JSON.stringify(totals));
  });
});
