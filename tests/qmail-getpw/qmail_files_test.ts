import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { findQmailFile } from "../../components/qmail-getpw/qmail_files.ts";
import { tempDir } from "../support/temp_dir.ts";

const isRoot = Deno.uid() === 0;
const module = new URL("../../components/qmail-getpw/qmail_files.ts", import.meta.url).href;
const config = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** The answer of a process with the grant it is given. */
async function askOther(home: string, ...flags: readonly string[]): Promise<string> {
  const code = `import { findQmailFile } from ${JSON.stringify(module)};
    console.log(findQmailFile(${JSON.stringify(home)}, "-", "x"));`;
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--config",
      config,
      ...flags,
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(output.stdout).trim() || new TextDecoder().decode(output.stderr);
}

describe("findQmailFile()", () => {
  it("is unsure of a home that is not there", () => {
    using dir = tempDir();
    assertEquals(findQmailFile(join(dir.path, "none"), "-", "x"), "unsure");
    assertEquals(findQmailFile(dir.path, "-", "x"), "none");
  });

  it("takes a file through a symlink, and no dangling one", () => {
    using dir = tempDir();
    Deno.symlinkSync(join(dir.path, "real"), join(dir.path, ".qmail-x"));
    assertEquals(findQmailFile(dir.path, "-", "x"), "none");
    Deno.writeTextFileSync(join(dir.path, "real"), "");
    assertEquals(findQmailFile(dir.path, "-", "X"), "exists");
    Deno.symlinkSync(".qmail-loop", join(dir.path, ".qmail-loop"));
    assertEquals(findQmailFile(dir.path, "-", "loop"), "none");
  });

  it("cannot say in a home outside of its grant: a mailbox is possible", async () => {
    using dir = tempDir();
    assertEquals(await askOther(dir.path, `--allow-read=${join(dir.path, "other")}`), "possible");
    assertEquals(await askOther(dir.path, `--allow-read=${dir.path}`), "none");
  });

  it(
    `cannot say in a home that others may not enter${isRoot ? "" : " (skipped: not root)"}`,
    { ignore: !isRoot },
    async () => {
      using dir = tempDir();
      Deno.chmodSync(dir.path, 0o755);
      const home = join(dir.path, "closed");
      Deno.mkdirSync(home);
      Deno.writeTextFileSync(join(home, ".qmail-x"), "");
      // Its cache and the checkout may be closed to others as well: the process gives root up itself.
      const code = `import process from "node:process"; import { findQmailFile } from ${JSON.stringify(module)};
        process.setgid(65534); process.setuid(65534);
        console.log(findQmailFile(${JSON.stringify(home)}, "-", "x"));`;
      const run = async () => {
        const { stdout } = await new Deno.Command(Deno.execPath(), {
          args: ["eval", "--quiet", "--config", config, code],
          env: { NO_COLOR: "1" },
        }).output();
        return new TextDecoder().decode(stdout).trim();
      };
      Deno.chmodSync(home, 0o700);
      assertEquals(await run(), "possible");
      Deno.chmodSync(home, 0o711);
      assertEquals(await run(), "exists");
    },
  );
});
