/** ClamAV's clamd, with a database of one signature. */
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "@std/fs";
import { assert, assertEquals } from "@std/assert";
import { clamdJudge } from "../../components/clamd/judge.ts";
import { captureLog } from "../support/captured_log.ts";
import { filterMessage } from "../support/filter_message.ts";
import { findProgram, needs } from "../support/program.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

const need = needs(["clamd"]);
const virus = "X-OWN-VIRUS-TEST";

describe(`ClamAV${need.note}`, { ignore: need.ignore }, () => {
  it("finds what it knows, passes what it does not, and says what is too large", async () => {
    using _log = captureLog();
    using dir = tempDir();
    const path = `${dir.path}/s`;
    const hex = Array.from(virus, (char) => char.charCodeAt(0).toString(16)).join("");
    Deno.mkdirSync(`${dir.path}/db`);
    Deno.writeTextFileSync(`${dir.path}/db/own.ndb`, `Own.Test:0:*:${hex}\n`);
    const conf = ["Foreground yes", `LocalSocket ${path}`, `DatabaseDirectory ${dir.path}/db`, "StreamMaxLength 1M"];
    Deno.writeTextFileSync(`${dir.path}/conf`, `${conf.join("\n")}\n`);
    const child = new Deno.Command(findProgram("clamd")!, {
      args: ["-c", `${dir.path}/conf`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await waitFor(() => existsSync(path), "clamd's socket", 30_000);
      const judge = clamdJudge(() => ({ address: { kind: "unix", path }, whenTooLarge: "pass" }));
      const ask = (content: string) => judge(filterMessage(content), new AbortController().signal);
      assertEquals(await ask("Subject: hi\n\nhello\n"), { kind: "pass" });
      assertEquals(await ask(`Subject: hi\n\n${virus}\n`), {
        kind: "refuse",
        code: 31,
        text: "Dmessage contains Own.Test.UNOFFICIAL (#5.7.1)",
      });
      assertEquals((await ask(`\n${"x".repeat(900_000)}\n${virus}\n`)).kind, "refuse");
      const large = await ask(`\n${"x".repeat(4 * 1024 * 1024)}\n`);
      assert(large.kind === "pass" && large.header !== undefined);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  });
});
