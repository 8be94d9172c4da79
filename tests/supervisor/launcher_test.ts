import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatLauncher } from "../../components/supervisor/launcher.ts";
import { homeAt } from "../../config/home.ts";

const bash = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});
const missing = bash === undefined ? " (skipped: bash is not installed)" : "";

/** What bash runs or prints because of its environment; whoever may start a launcher chooses that. */
const hostile = {
  "BASH_FUNC_umask%%": "() { echo taken over; }",
  "BASH_FUNC_exec%%": "() { echo taken over; }",
  BASH_ENV: "/dev/stdin",
  ENV: "/dev/stdin",
  SHELLOPTS: "xtrace",
  PS4: "$(echo taken over)",
};

describe("a launcher", () => {
  it(`takes nothing from its caller's environment, also where /bin/sh is bash${missing}`, {
    ignore: bash === undefined,
  }, () => {
    const dir = Deno.makeTempDirSync({ dir: "/tmp", prefix: "dq-" });
    try {
      const home = homeAt(dir);
      Deno.mkdirSync(home.libexec("grants"), { recursive: true });
      Deno.symlinkSync(bash!, `${dir}/sh`);
      Deno.writeTextFileSync(home.libexec("grants", "x"), 'umask 022\necho granted "$@"\n');
      Deno.writeTextFileSync(`${dir}/x`, formatLauncher("x", home).replaceAll("/bin/sh", `${dir}/sh`));
      Deno.chmodSync(`${dir}/x`, 0o755);
      const { stdout, stderr } = new Deno.Command(`${dir}/x`, { args: ["a b", "--c"], env: hostile, stdin: "null" })
        .outputSync();
      const decoder = new TextDecoder();
      assertEquals([decoder.decode(stdout), decoder.decode(stderr)], ["granted a b --c\n", ""]);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
