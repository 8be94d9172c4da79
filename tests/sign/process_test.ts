/** The real sign, with its grant and no other right: keys from the disk, messages over its sockets. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { parseFilters } from "../../components/lib/filters/chain.ts";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { manifest } from "../../components/sign/permissions.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { makePem } from "../lib/dkim/keys.ts";
import { note, type World, world } from "../lib/filters/world.ts";
import { waitFor } from "../support/wait.ts";

const root = (path: string) => fromFileUrl(new URL(`../../${path}`, import.meta.url));
const text = "From: amy@example.org\nSubject: a\n\nhello\n";

function prepare({ home }: World): void {
  Deno.mkdirSync(home.control(""), { recursive: true });
  Deno.mkdirSync(home.dkim("example.org"), { recursive: true });
  Deno.writeTextFileSync(home.control("me"), "mx.example.org\n");
  Deno.writeTextFileSync(home.control("dkim"), "example.org: r1 e1\n");
  Deno.writeTextFileSync(home.control("arcseal"), "example.org\n");
  Deno.writeTextFileSync(home.dkim("example.org", "r1.pem"), makePem("rsa"));
  Deno.writeTextFileSync(home.dkim("example.org", "e1.pem"), makePem("ed25519"));
}

function start({ home }: World, extra: readonly string[] = []): Deno.ChildProcess {
  const filters = parseFilters("smtp: verify\nsubmission: sign\nforward: arcseal\n");
  assert(filters.ok);
  const grant = manifest.permissions(defaultConfig(home, 0, { filters: filters.value }));
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", root("deno.json"), ...flagsOf(grant, home)],
      ...[root("components/sign/main.ts"), "--home", home.dir, ...extra],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function end(child: Deno.ChildProcess): Promise<string> {
  child.kill("SIGTERM");
  return new TextDecoder().decode((await child.output()).stderr);
}

describe("sign, as a process", () => {
  it("signs over one socket and seals over the other, reads new keys at a reload, and keeps the old ones over a bad file", async () => {
    await using w = world();
    prepare(w);
    const child = start(w);
    const content = () => w.queue.messages.at(-1)?.content ?? "";
    const send = (chain: string, message = text) => w.send([message], { chain: [chain], client: note });
    await waitFor(async () => (await send("sign")).code === 0, "sign to be there");
    assertEquals(content().match(/^DKIM-Signature: /gm)?.length, 2);
    assertStringIncludes(content(), text);

    const results = "Authentication-Results: mx.example.org; spf=pass\n";
    assertEquals((await send("arcseal", results + text)).code, 0);
    assertStringIncludes(content(), "ARC-Seal: i=1; a=rsa-sha256;");

    Deno.writeTextFileSync(w.home.control("dkim"), "example.org: r1 e1 e2\n");
    child.kill("SIGHUP");
    await send("sign");
    assertStringIncludes(content(), "s=e1;");
    Deno.writeTextFileSync(w.home.dkim("example.org", "e2.pem"), makePem("ed25519"));
    child.kill("SIGHUP");
    await waitFor(async () => (await send("sign")).code === 0 && content().includes("s=e2;"), "the new key");
    assertStringIncludes(await end(child), "e2.pem");
  });

  it("does not start without a key that control/dkim names, and says which", async () => {
    await using w = world();
    prepare(w);
    Deno.removeSync(w.home.dkim("example.org", "e1.pem"));
    const { code, stderr } = await start(w).output();
    assertEquals(code, 100);
    assertStringIncludes(new TextDecoder().decode(stderr), w.home.dkim("example.org", "e1.pem"));
  });

  it("may read its keys and control files, and nothing else", async () => {
    await using w = world();
    const filters = parseFilters("submission: sign\n");
    assert(filters.ok);
    const grant = manifest.permissions(defaultConfig(w.home, 0, { filters: filters.value }));
    assertEquals(grant.read, [
      ...["me", "arcseal", "authservid", "dkim"].map((file) => w.home.control(file)),
      w.home.dkim(),
    ]);
    assertEquals([grant.write, grant.listen, grant.connect, grant.run], [undefined, undefined, undefined, undefined]);
    assertEquals([grant.serves, grant.calls], [["sign", "arcseal"], ["qmail-queue"]]);
    assertEquals(dirname(w.home.dkim()), w.home.dir);
  });

  it("is a mistake to seal where verify does not look at what strangers bring", () => {
    const defectsOf = (text: string) => {
      const filters = parseFilters(text);
      assert(filters.ok);
      return manifest.defects!({ ...defaultConfig({} as World["home"], 0, { filters: filters.value }) });
    };
    assertEquals(defectsOf("smtp: verify\nforward: arcseal\n"), []);
    assertEquals(defectsOf("forward: arcseal\n").length, 1);
    assertEquals(defectsOf("submission: sign\n"), []);
  });
});
