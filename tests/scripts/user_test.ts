/**
 * `deno task user` on a home that does not run: passwords at a terminal, several at once, hostile folders.
 * @module
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { argon2Verify } from "hash-wasm";
import { deriveScramSecret, formatScramSecret, parseScramSecret } from "../../components/lib/sasl/scram_secret.ts";
import { parsePasswdFile, type PasswdFile } from "../../components/lib/users/passwd_file.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { prepareFolders } from "../../scripts/home/prepare.ts";
import { checkout, makeBaseDir } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { within } from "../support/wait.ts";

const python = await new Deno.Command("python3", { args: ["-c", "import pty"] }).output()
  .then(({ success }) => success, () => false);
const noPython = python ? "" : " (skipped: no python3)";

/** A terminal in which a command runs: answers each prompt, prints all that was shown, ends with the command's code. */
const terminal = `
import os, pty, sys
answers = sys.argv[1].split("|")
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
asked = 0
while True:
    try:
        data = os.read(fd, 1024)
    except OSError:
        break
    if not data:
        break
    shown += data
    if data.endswith(b": ") and asked < len(answers):
        os.write(fd, answers[asked].encode())
        asked += 1
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describe("deno task user, on a home at rest", () => {
  let base: string;
  let home: Home;

  const user = (args: readonly string[], input = ""): Promise<TaskResult> =>
    runTask("user", [...args, "--home", home.dir], { input });
  const entries = (): PasswdFile => {
    const parsed = parsePasswdFile(Deno.readTextFileSync(home.users("passwd")));
    assert(parsed.ok);
    return parsed.value;
  };
  const atTerminal = async (args: readonly string[], ...answers: readonly string[]): Promise<TaskResult> => {
    const script = join(checkout, "scripts", "user.ts");
    const command = [Deno.execPath(), "run", "-q", "-A", "--config", join(checkout, "deno.json"), script, ...args];
    const child = new Deno.Command("python3", {
      args: ["-c", terminal, answers.join("|"), ...command, "--home", home.dir],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { code, stdout, stderr } = await within(child.output(), 20_000, () => "the end of the terminal")
      .catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
    const [out, err] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
    return { code, stdout: out!, stderr: err! };
  };

  beforeEach(() => {
    base = makeBaseDir();
    home = homeAt(join(base, "h"));
    prepareFolders(home);
    Deno.writeTextFileSync(home.control("me"), "localhost\n");
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  it(`asks for the password twice and shows neither${noPython}`, { ignore: !python }, async () => {
    const { code, stdout } = await atTerminal(["add", "amy@localhost"], "s3cr\u00ea\x7f\u00eat\r", "s3cr\u00eat\r");
    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, "Password (empty: nobody can log in): ");
    assertStringIncludes(stdout, "The same once more: ");
    assert(!stdout.includes("s3cr") && !stdout.includes("\u00eat"), stdout);
    const { password } = entries().get("amy@localhost")!;
    const hash = password.replace(/^\{ARGON2ID\}/, "");
    assert(await argon2Verify({ password: "s3cr\u00eat", hash }));
  });

  it(`changes nothing for two that differ, nor for Ctrl-C${noPython}`, { ignore: !python }, async () => {
    const differ = await atTerminal(["add", "amy@localhost"], "one\r", "two\r");
    assertEquals(differ.code, 100);
    assertStringIncludes(differ.stdout, "that was not the same twice");
    assertEquals((await atTerminal(["add", "amy@localhost"], "one\x03")).code, 130);
    assert(!Deno.readTextFileSync(home.control("me")).includes("one"));
    assertEquals((await user(["list", "--json"])).stdout, "[]\n");
  });

  it("passwd without a terminal or --password-stdin locks nobody out", async () => {
    await user(["add", "amy@localhost", "--password-stdin"], "a\n");
    const before = Deno.readTextFileSync(home.users("passwd"));
    const { code, stderr } = await user(["passwd", "amy@localhost"]);
    assertEquals([code, stderr], [100, "standard input is no terminal: use --password-stdin\n"]);
    assertEquals(Deno.readTextFileSync(home.users("passwd")), before);
  });

  it("loses nothing where several change it at once, domains included", async () => {
    await user(["add", "gone@localhost"]);
    const added = Array.from({ length: 6 }, (_, n) => `u${n}@d${n}.example`);
    const results = await Promise.all([
      ...added.map((address) => user(["add", address])),
      user(["passwd", "gone@localhost", "--password-stdin"], "x\n"),
      // The same twice: one of the two is refused.
      user(["add", "twin@localhost"]),
      user(["add", "twin@localhost"]),
    ]);
    const codes = results.map(({ code }) => code);
    assertEquals(codes.slice(0, 7), [0, 0, 0, 0, 0, 0, 0]);
    assertEquals(codes.slice(7).toSorted(), [0, 100]);
    const found = entries();
    assertEquals([...found.keys()].toSorted(), ["gone@localhost", "twin@localhost", ...added].toSorted());
    assert(found.get("gone@localhost")!.password !== "");
    const domains = ["localhost", ...added.map((address) => address.split("@")[1]!)].toSorted();
    const listed = Deno.readTextFileSync(home.control("locals")).trim().split("\n").toSorted();
    assertEquals(listed, domains);
  });

  it("keeps comments, and the lines of other programs' fields, as they are", async () => {
    const lines = "# Dovecot reads this too\nold@localhost:{PLAIN}x:1:2:Old:/srv/old:/bin/false:quota=1\n";
    Deno.writeTextFileSync(home.users("passwd"), lines);
    assertEquals((await user(["add", "new@localhost"])).code, 0);
    assertStringIncludes(Deno.readTextFileSync(home.users("passwd")), lines);
    assertEquals((await user(["passwd", "OLD@localhost", "--password-stdin"])).code, 0);
    assertStringIncludes(
      Deno.readTextFileSync(home.users("passwd")),
      "old@localhost::1:2:Old:/srv/old:/bin/false:quota=1\n",
    );
  });

  it("keeps a secret for SCRAM beside the hash, changes both together and takes both away", async () => {
    const secretOf = async (name: string, password: string): Promise<boolean> => {
      const { scram, password: field } = entries().get(`${name}@localhost`)!;
      const secret = parseScramSecret(scram ?? "")!;
      const again = await deriveScramSecret(new TextEncoder().encode(password), secret.salt, secret.iterations);
      assert(await argon2Verify({ password, hash: field.replace(/^\{ARGON2ID\}/, "") }));
      return formatScramSecret(again) === scram;
    };
    await user(["add", "amy@localhost", "bob@localhost", "--password-stdin"], "s\u00eas\u00e4me\n");
    assert(await secretOf("amy", "s\u00eas\u00e4me") && await secretOf("bob", "s\u00eas\u00e4me"));
    const lines = Deno.readTextFileSync(home.users("passwd")).replace(/^(amy.*) ?$/m, "$1 quota_rule=*:storage=1G");
    Deno.writeTextFileSync(home.users("passwd"), lines);
    await user(["passwd", "amy@localhost", "--password-stdin"], "another\n");
    assert(await secretOf("amy", "another") && await secretOf("bob", "s\u00eas\u00e4me"));
    await user(["passwd", "amy@localhost", "--password-stdin"], "\n");
    const { password, scram } = entries().get("amy@localhost")!;
    assertEquals([password, scram], ["", undefined]);
    assertStringIncludes(Deno.readTextFileSync(home.users("passwd")), ":quota_rule=*:storage=1G\n");
  });

  it("sets no password that no server would take", async () => {
    for (const wrong of ["a\tb", "a\0b", "\x1b[0m", "x".repeat(256)]) {
      const { code, stderr } = await user(["add", "amy@localhost", "--password-stdin"], `${wrong}\n`);
      assertEquals([code, stderr], [100, "a password has at most 255 octets, and no control characters among them\n"]);
    }
    assertEquals((await user(["list", "--json"])).stdout, "[]\n");
  });

  it("writes through no link that the folders' owners could have put there", async () => {
    const victim = join(base, "victim");
    Deno.writeTextFileSync(victim, "precious\n");
    Deno.mkdirSync(join(base, "folder"));
    Deno.symlinkSync(victim, `${home.users("passwd")}.new`);
    assertEquals((await user(["add", "amy@localhost"])).code, 0);
    assertEquals(Deno.readTextFileSync(victim), "precious\n");
    Deno.symlinkSync(join(base, "folder"), home.mail("evil.example"));
    const { code, stderr } = await user(["add", "amy@evil.example"]);
    assert(code !== 0);
    assertStringIncludes(stderr, `${home.mail("evil.example")} is there and is no folder`);
    assertEquals([...Deno.readDirSync(join(base, "folder"))], []);
    assert(!entries().has("amy@evil.example"));
  });

  it("writes a control file that is a link in the place it leads to", async () => {
    const elsewhere = join(base, "locals");
    Deno.writeTextFileSync(elsewhere, "localhost");
    Deno.symlinkSync(elsewhere, home.control("locals"));
    assertEquals((await user(["add", "amy@new.example"])).code, 0);
    assertEquals(Deno.readTextFileSync(elsewhere), "localhost\nnew.example\n");
    assert(Deno.lstatSync(home.control("locals")).isSymlink);
    assert(!Array.from(Deno.readDirSync(dirname(elsewhere)), ({ name }) => name).includes("locals.new"));
  });
});
