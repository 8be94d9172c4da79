/** Looking for a `.qmail`: one that is replaced meanwhile, by another process and as fast as that can; one out of sight. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findQmailFile } from "../../components/qmail-local/qmail_files.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Puts the home's own file, a symlink to somebody else's, and nothing in the place of `.qmail`, in turn. */
const replacing = (home: string, rounds: number) => `
  const [fresh, place] = ${JSON.stringify([`${home}/.fresh`, `${home}/.qmail`])};
  for (let round = 0; round < ${rounds}; round++) {
    Deno.symlinkSync(${JSON.stringify(`${home}/../theirs`)}, fresh);
    Deno.renameSync(fresh, place);
    Deno.writeTextFileSync(fresh, "mine\\n", { mode: 0o600 });
    Deno.renameSync(fresh, place);
    if (round % 3 === 0) Deno.removeSync(place);
  }`;

describe("findQmailFile()", () => {
  for (const followLinks of [false, true]) {
    const what = followLinks
      ? "reads one of the two files whole where an account's symlink is followed"
      : "never reads what a symlink names for a virtual mailbox";
    it(`${what}, however fast it changes`, async () => {
      using dir = tempDir();
      const home = `${dir.path}/home`;
      Deno.mkdirSync(home);
      Deno.writeTextFileSync(`${dir.path}/theirs`, "theirs\n", { mode: 0o600 });
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-config", replacing(home, 3000)],
        stdout: "null",
        stderr: "inherit",
      }).spawn();
      let code: number | undefined;
      const ended = child.status.then((status) => code = status.code);
      const seen = new Map<string, number>();
      try {
        // Until the other is done, which has its rounds counted.
        while (code === undefined) {
          for (let looks = 0; looks < 50; looks++) {
            const lookup = findQmailFile({ home, dash: "", extension: "", followLinks });
            const outcome = lookup.kind === "found"
              ? lookup.text
              : lookup.kind === "report"
              ? lookup.report.verdict
              : "";
            seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
          }
          await new Promise((resolve) => setTimeout(resolve));
        }
      } finally {
        await ended;
      }
      assertEquals(code, 0);
      // A file that is gone between two looks is a deferral at most.
      const allowed = ["mine\n", "", "Z", ...followLinks ? ["theirs\n"] : []];
      assertEquals([...seen.keys()].filter((outcome) => !allowed.includes(outcome)), []);
      assert((seen.get("mine\n") ?? 0) > 0, "the home's own file was never seen");
    });
  }

  it("does not take a file that it may not see for one that is not there", { ignore: Deno.uid() === 0 }, () => {
    using dir = tempDir();
    const home = `${dir.path}/home`;
    Deno.mkdirSync(home);
    Deno.writeTextFileSync(`${home}/.qmail`, "mine\n", { mode: 0o600 });
    Deno.chmodSync(home, 0o600);
    try {
      assertEquals(findQmailFile({ home, dash: "", extension: "", followLinks: true }).kind, "report");
    } finally {
      Deno.chmodSync(home, 0o700);
    }
  });
});
