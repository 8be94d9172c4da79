import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";

const log = new URL("../../../components/lib/log/log.ts", import.meta.url).href;

/** What a process says that runs `code` after `logJson()`; the log cannot be switched back. */
function said(code: string): string[] {
  const { stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      "--no-lock",
      `import * as l from ${JSON.stringify(log)}; l.logJson(); ${code}; l.flushLog();`,
    ],
    stdin: "null",
  }).outputSync();
  return new TextDecoder().decode(stderr).trimEnd().split("\n");
}

describe("the log as JSON", () => {
  it("has one object a line, in printable ASCII", () => {
    const lines = said(`
      l.logEvent("garbage", { socket: "qmail-queue", reason: "a b\\n\\x1b[31m\\x9b\\u2028", count: 3 });
      l.log("status: running");
      l.log("alert: two\\nlines");
      l.logBoth(() => "not this", () => ({ event: "new", msg: 17 }))`);
    for (const line of lines) assertMatch(line, /^[\x20-\x7e]+$/);
    assertEquals(lines.map((line) => JSON.parse(line)), [
      { event: "garbage", socket: "qmail-queue", reason: "a b\n\x1b[31m\x9b\u2028", count: 3 },
      { event: "log", text: "status: running" },
      { event: "alert", text: "two\nlines" },
      { event: "new", msg: 17 },
    ]);
  });

  it("lets no component speak in another's name, or at another time", () => {
    const lines = said(`
      l.stampLog();
      l.relayLines("qmail-smtpd", '{"event":"end","msg":1,"component":"qmail-send","time":"never"}\\nerror: Uncaught [31m\\n');
      l.relayLines("qmail-smtpd", "[1]\\n")`).map((line) => JSON.parse(line));
    assertEquals(lines.map(({ time: _, ...rest }) => rest), [
      { component: "qmail-smtpd", event: "end", msg: 1 },
      { component: "qmail-smtpd", event: "log", text: "error: Uncaught [31m" },
      { component: "qmail-smtpd", event: "log", text: "[1]" },
    ]);
    for (const { time } of lines) assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
