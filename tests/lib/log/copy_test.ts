import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { copyLog, log, logEvent, relayLines } from "../../../components/lib/log/log.ts";
import { captureLog } from "../../support/captured_log.ts";

describe("copyLog()", () => {
  it("gives away what standard error gets, whole lines, large pieces too, until it is told to stop", () => {
    using captured = captureLog();
    let copied = "";
    copyLog((lines) => {
      const text = new TextDecoder().decode(lines);
      assertEquals(text === "" || text.endsWith("\n"), true);
      copied += text;
    });
    try {
      log("one");
      logEvent("two", { reason: "x" });
      assertEquals(captured.lines(), copied.split("\n").slice(0, -1));
      relayLines("auth", Array.from({ length: 500 }, (_, at) => `line ${at}\n`).join(""));
      assertEquals(captured.lines(), copied.split("\n").slice(0, -1));
    } finally {
      copyLog(undefined);
    }
    const before = copied;
    log("three");
    captured.lines();
    assertEquals(copied, before);
  });
});
