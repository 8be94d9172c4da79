/** `deno task admin token`, and what a start does about the token. */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { isToken, parseTokenFile } from "../../components/lib/admin_token/token_file.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { prepareAdminToken } from "../../scripts/home/admin_token.ts";
import { makeBaseDir } from "../support/system.ts";
import { runTask } from "../support/task.ts";

describe("the admin page's token", () => {
  let base: string;
  let home: Home;

  beforeEach(() => {
    base = makeBaseDir();
    home = homeAt(`${base}/h`);
    Deno.mkdirSync(home.control(""), { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "mail.a.example\n");
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  const file = () => Deno.readTextFileSync(home.control("admintoken"));
  function opens(token: string): boolean {
    const read = parseTokenFile(file());
    return read.ok && isToken(token, read.value);
  }
  const page = { listeners: [{ service: "admin", host: "127.0.0.1", port: 8025 }] as const, mode: "full" as const };

  it("is made once by the start, and kept as a hash for few to read", () => {
    const token = prepareAdminToken(home, page);
    assert(token !== undefined && opens(token) && !file().includes(token));
    assertEquals((Deno.statSync(home.control("admintoken")).mode ?? 0) & 0o007, 0);
    assertEquals(prepareAdminToken(home, page), undefined);
    assert(opens(token));
  });

  it("is not made where there is no page, or by an empty file nobody is to log in", () => {
    assertEquals(prepareAdminToken(home, { ...page, listeners: [] }), undefined);
    assertEquals(prepareAdminToken(home, { ...page, mode: "mini" }), undefined);
    assert(!existsSync(home.control("admintoken")));
    Deno.writeTextFileSync(home.control("admintoken"), "");
    assertEquals([prepareAdminToken(home, page), file()], [undefined, ""]);
  });

  it("is told of, and made anew, by the task", async () => {
    const ask = (...args: readonly string[]) => runTask("admin", ["token", "--home", home.dir, ...args]);
    assertStringIncludes((await ask()).stdout, "no token is set");
    const { code, stdout } = await ask("--new");
    assertEquals(code, 0);
    const token = stdout.trim();
    assertMatch(token, /^dqa_[\w-]{32}$/);
    assert(opens(token));
    assertEquals(JSON.parse((await ask("--json")).stdout), { set: true });
    const { token: other } = JSON.parse((await ask("--new", "--json")).stdout);
    assert(opens(other) && !opens(token));
  });

  it("is nothing the task makes in a folder that is no home, or for another word", async () => {
    assertEquals((await runTask("admin", ["token", "--new", "--home", base])).code, 100);
    assert(!existsSync(`${base}/control`));
    for (const args of [["page"], ["token", "more"], ["token", "--old"]]) {
      assertEquals((await runTask("admin", ["--home", home.dir, ...args])).code, 100, args.join(" "));
    }
  });
});
