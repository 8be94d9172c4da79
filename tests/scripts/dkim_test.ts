/** `deno task dkim` on a home that does not run. */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Home, homeAt } from "../../config/home.ts";
import { readKeys, signersOf } from "../../components/sign/key_files.ts";
import { parseDkimDomains } from "../../components/lib/dkim/dkim_file.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { tempDir } from "../support/temp_dir.ts";

describe("deno task dkim", () => {
  let dir: ReturnType<typeof tempDir>;
  let home: Home;

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(`${dir.path}/h`);
    Deno.mkdirSync(home.control(""), { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "mx.example.org\n");
  });
  afterEach(() => dir[Symbol.dispose]());

  const dkim = (...args: readonly string[]): Promise<TaskResult> => runTask("dkim", [...args, "--home", home.dir]);
  const line = () => Deno.readTextFileSync(home.control("dkim"));
  const list = async () => {
    const { stdout } = await dkim("list", "--json");
    return stdout.trim().split("\n").map((text) => JSON.parse(text) as Record<string, unknown>);
  };

  it("makes keys of both kinds for nobody else to read, and prints records that go with them", async () => {
    const { code, stdout } = await dkim("keygen", "Example.ORG");
    assertEquals(code, 0);
    assertMatch(line(), /^example\.org: r[0-9]{8} e[0-9]{8}\n$/);
    assertEquals((Deno.statSync(home.dkim()).mode ?? 0) & 0o777, 0o700);
    for (const { name } of Deno.readDirSync(home.dkim("example.org"))) {
      assertEquals((Deno.statSync(home.dkim("example.org", name)).mode ?? 0) & 0o777, 0o600);
    }
    assertMatch(stdout, /^r[0-9]{8}\._domainkey\.example\.org\. IN TXT "v=DKIM1; k=rsa; p=[^"]{200,}" "[^"]+"$/m);
    assertMatch(stdout, /^e[0-9]{8}\._domainkey\.example\.org\. IN TXT "v=DKIM1; k=ed25519; p=.{44}"$/m);
    assertStringIncludes(stdout, "control/filters");

    const domains = parseDkimDomains(line());
    assert(domains.ok);
    const keys = readKeys(home, domains.value);
    assert(keys.ok);
    const signers = await signersOf(keys.value);
    const algorithms = signers.forAuthor("example.org", Date.now() / 1000).map(({ algorithm }) => algorithm);
    assertEquals(algorithms, ["rsa-sha256", "ed25519-sha256"]);
  });

  it("hands over to the next keys, and removes those that are done, while comments stay", async () => {
    await dkim("keygen", "example.org");
    Deno.writeTextFileSync(home.control("dkim"), `# mine\n${line()}`);
    const names = (await list()).map(({ selector }) => String(selector));
    const { code, stdout } = await dkim("rotate", "example.org", "--days", "3");
    assertEquals(code, 0);
    assertMatch(stdout, /They sign from [0-9-]{10} on/);
    assertEquals((await list()).map(({ kind }) => kind), ["signs", "signs", "waits", "waits"]);
    assertEquals((await dkim("rotate", "example.org")).code, 100);

    // As if that had been years ago.
    Deno.writeTextFileSync(home.control("dkim"), line().replaceAll(/@[0-9-]{10}/g, "@2020-01-01"));
    assertEquals((await list()).map(({ kind }) => kind), ["done", "done", "signs", "signs"]);
    const again = await dkim("rotate", "example.org", "--days", "0");
    for (const name of names) {
      assertStringIncludes(again.stdout, `${name}._domainkey.example.org.`);
      assert(!line().includes(`${name} `));
    }
    assertEquals((await list()).map(({ kind }) => kind), ["signed", "signed", "signs", "signs"]);
    assert(line().startsWith("# mine\n"));
    assertEquals(Array.from(Deno.readDirSync(home.dkim("example.org"))).length, 4);
  });

  const refused = [
    ["keygen"],
    ["keygen", "../../etc"],
    ["keygen", "example.org", "b.example"],
    ["keygen", "example.org", "--bits", "512"],
    ["keygen", "example.org", "--from", "2026-02-30"],
    ["rotate", "example.org"],
    ["rotate"],
    ["sign", "example.org"],
    ["list", "--other"],
  ];
  it("refuses what makes no sense, and leaves nothing behind", async () => {
    for (const args of refused) assertEquals((await dkim(...args)).code, 100, args.join(" "));
    assertEquals((await dkim("list")).stdout, "no keys\n");
  });

  it("makes no second first keys", async () => {
    await dkim("keygen", "example.org");
    const before = line();
    const { code, stderr } = await dkim("keygen", "example.org");
    assertEquals(code, 100);
    assertStringIncludes(stderr, "rotate");
    assertEquals(line(), before);
  });

  it("follows no link in the place of a key folder", async () => {
    Deno.mkdirSync(home.dkim(), { recursive: true });
    Deno.mkdirSync(`${dir.path}/other`, { mode: 0o755 });
    Deno.symlinkSync(`${dir.path}/other`, home.dkim("example.org"));
    assertEquals((await dkim("keygen", "example.org")).code, 100);
    assertEquals((Deno.statSync(`${dir.path}/other`).mode ?? 0) & 0o777, 0o755);
    assertEquals(Array.from(Deno.readDirSync(`${dir.path}/other`)), []);
  });
});
