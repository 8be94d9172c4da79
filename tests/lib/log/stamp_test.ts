import { assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

describe("stampLog()", () => {
  it("puts the time in front of every line", () => {
    const log = new URL("../../../components/lib/log/log.ts", import.meta.url).href;
    const code = `import { flushLog, log, stampLog } from ${
      JSON.stringify(log)
    }; stampLog(); log("a b"); log("c"); flushLog();`;
    const { stderr } = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", "--no-lock", code],
      stdin: "null",
    }).outputSync();
    const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
    assertMatch(new TextDecoder().decode(stderr), new RegExp(`^${time} a b\\n${time} c\\n$`));
  });
});
