import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

/** Runs a script of this project. */
async function run(script: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = fromFileUrl(new URL(`../../../../scripts/${script}`, import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", path, ...args],
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

const small = ["--load", "20", "--sessions", "2", "--rounds", "1", "--limit", "60"];

describe("bench backlog", () => {
  it("measures two starts on a queue it keeps, whose files are as they should be, and measures that once more", async () => {
    const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "dq-" });
    Deno.chmodSync(dir, 0o755); // a start by root wants its home where other users can reach it
    try {
      const kept = `${dir}/h`;
      const made = await run("bench.ts", "backlog", "--messages", "60", "--keep-home", kept, ...small, "--json");
      assertEquals([made.code, made.stderr.includes("is kept in")], [0, true], made.stderr);
      const report = JSON.parse(made.stdout);
      assertEquals([report.complete, report.messages, report.stop.killed], [true, 60, false]);
      assert(report.first.scan.seconds >= 0 && report.second.firstMailMs !== undefined);
      assert(report.memory.afterScan.qmailSend.peakRssKib > 0 && report.memory.atEnd.all.processes > 5);
      const check = await run("queue.ts", "check", "--home", kept);
      assertEquals(check.code, 0, check.stdout);
      const again = await run("bench.ts", "backlog", "--home", kept, ...small);
      assertEquals(again.code, 0, again.stderr);
      for (const text of ["60 messages that wait", "scan, from then on", "begun during the scan", "qmail-send PSS"]) {
        assertStringIncludes(again.stdout, text);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
