/**
 * qmail-newu, qmail-pw2u, qmail-getpw and qmail-newmrh as the scripts of bin/, in a home of their own.
 * @module
 */
import { afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CdbFile } from "../../components/lib/cdb/files.ts";
import { findInCdb } from "../../components/lib/cdb/reader.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { findAssigned } from "../../components/lib/users/assign.ts";
import { homeOwner } from "../../components/lib/users/home_owner.ts";
import { parseSystemPasswd } from "../../components/lib/users/system_passwd.ts";
import { tools } from "../../components/tools/permissions.ts";
import { formatGetpw, getpw } from "../../components/tools/qmail-getpw.ts";
import { compileMorercpthosts } from "../../components/tools/qmail-newmrh.ts";
import { parsePw2uOptions } from "../../components/tools/qmail-pw2u.ts";
import type { Runtime } from "../../components/supervisor/launcher.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { formatTool } from "../../scripts/home/tools.ts";
import { bytes, text } from "../lib/octets.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { checkout, makeBaseDir } from "../support/system.ts";

describe("getpw()", () => {
  const accounts = parseSystemPasswd("alias:x:1:2::/a:\njoe:x:3:4::/home/jo\xc3\xa9:\n");

  it("answers the user, else alias, in six fields of octets", () => {
    const format = (local: string, owner: number) => {
      const found = getpw(local, accounts, () => owner);
      return found.ok ? formatGetpw(found.value) : found.error;
    };
    assertEquals(format("Joe", 3), "joe\x003\x004\0/home/jo\xc3\xa9\0\0\0");
    assertEquals(format("joe-A\xff", 3), "joe\x003\x004\0/home/jo\xc3\xa9\0-\0A\xff\0");
    assertEquals(format("joe-A", 0), "alias\x001\x002\0/a\0-\0joe-A\0");
  });

  it("answers qmail's exit codes for a home in trouble and for no alias", () => {
    assertEquals(getpw("joe", accounts, () => "unsure"), { ok: false, error: 115 });
    assertEquals(getpw("joe", new Map(), () => 1), { ok: false, error: 116 });
  });
});

describe("parsePw2uOptions()", () => {
  const rows: readonly { readonly args: readonly string[]; readonly want: string | undefined }[] = [
    { args: [], want: "owned false - -" },
    { args: ["-h"], want: "present false - -" },
    { args: ["-Hu", "-o"], want: "owned true - -" },
    { args: ["-uU"], want: "owned false - -" },
    { args: ["-c", "+"], want: "owned false + -" },
    { args: ["-c+more", "-/"], want: "owned false + -/" },
    { args: ["-Hc-C"], want: "any false - -" },
    { args: ["-C"], want: "owned false  -" },
    { args: ["--", "-x"], want: "owned false - -" },
    { args: ["-c"], want: undefined },
    { args: ["-x"], want: undefined },
    { args: ["--home"], want: undefined },
  ];
  for (const { args, want } of rows) {
    it(`[${args.join(" ")}]: ${want ?? "refused"}`, () => {
      const options = parsePw2uOptions(args);
      assertEquals(options && [options.homes, options.capitals, options.delimiter, options.dash].join(" "), want);
    });
  }
});

describe("compileMorercpthosts()", () => {
  it("takes what a list of qmail's has, in lower case", () => {
    const records = compileMorercpthosts("A.Example \t\n# c\n\n.b.example\n  c\nlast");
    assertEquals(records.map(({ key, data }) => [text(key), data.length]), [
      ["a.example", 0],
      [".b.example", 0],
      ["  c", 0],
      ["last", 0],
    ]);
  });
});

describe("the programs", () => {
  let base: string;
  let home: Home;
  let runtime: Runtime;

  const tool = (name: string) => tools.find((each) => each.name === name)!;
  const run = async (name: string, args: readonly string[] = [], { input = "", audit = false } = {}) => {
    const script = formatTool(tool(name), home, runtime);
    const path = join(base, name);
    const audited = ` DENO_AUDIT_PERMISSIONS=${base}/${name}.jsonl NO_COLOR=1 `;
    Deno.writeTextFileSync(path, audit ? script.replace(" NO_COLOR=1 ", audited) : script);
    Deno.chmodSync(path, 0o755);
    const child = new Deno.Command(path, {
      args: [...args],
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // One that does not read may have ended.
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: fromOctets(stdout), stderr: fromOctets(stderr) };
  };
  const silent = { code: 0, stdout: "", stderr: "" };
  const assertGrantIsExact = (name: string) => {
    const rights = rightsOf(tool(name).permissions(home), home);
    const asked = readAudit(base, name);
    assertEquals([outside(asked, rights), unused(asked, rights)], [[], []]);
  };
  const whose = (local: string): string | undefined => {
    using cdb = new CdbFile(home.users("cdb"));
    const found = findAssigned(cdb, local);
    assert(found.ok);
    return found.value?.user;
  };

  beforeAll(async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: checkout }).output();
    const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
    runtime = { deno: Deno.execPath(), denoDir, code: checkout, audit: undefined };
  });
  beforeEach(() => {
    base = makeBaseDir();
    home = homeAt(join(base, "h"));
    for (const dir of [home.control(""), home.users(""), join(home.dir, "alias")]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  it("qmail-newu makes users/cdb, readable by all, with its grant and no more", async () => {
    Deno.writeTextFileSync(home.users("assign"), "=joe:joe:1:1:/j:::\n+:alias:2:2:/a:-::\n.\n");
    assertEquals(await run("qmail-newu", [], { audit: true }), silent);
    assertEquals([whose("JOE"), whose("x")], ["joe", "alias"]);
    assertEquals((Deno.statSync(home.users("cdb")).mode ?? 0) & 0o777, 0o644);
    assertEquals(Array.from(Deno.readDirSync(home.users("")), ({ name }) => name).toSorted(), ["assign", "cdb"]);
    assertGrantIsExact("qmail-newu");
  });

  it("qmail-newu says what is wrong in qmail's words, with 111, and leaves the old file in force", async () => {
    const missing = await run("qmail-newu");
    assertEquals([missing.code, missing.stdout], [111, ""]);
    assertStringIncludes(missing.stderr, "\nqmail-newu: fatal: unable to open users/assign\n");
    Deno.writeTextFileSync(home.users("assign"), "=joe:joe:1:1:/j:::\n.\n");
    assertEquals(await run("qmail-newu"), silent);
    Deno.writeTextFileSync(home.users("assign"), "=joe:other:1:1:/j:::\n=bob:bob:1:1:/b\n.\n");
    assertEquals(await run("qmail-newu"), {
      code: 111,
      stdout: "",
      stderr:
        "qmail-newu: warning: users/assign: line 2: expected user:uid:gid:home:dash:extension: behind the local " +
        "part\nqmail-newu: fatal: bad format in users/assign\n",
    });
    assertEquals(whose("joe"), "joe");
    Deno.writeTextFileSync(home.users("assign"), "=joe:other:1:1:/j:::\n.\n");
    Deno.mkdirSync(home.users("cdb.tmp"));
    Deno.mkdirSync(join(home.users("cdb.tmp"), "full"));
    const opening = await run("qmail-newu");
    assertEquals(opening.code, 111);
    assertStringIncludes(opening.stderr, "\nqmail-newu: fatal: unable to open users/cdb.tmp\n");
    Deno.removeSync(home.users("cdb.tmp"), { recursive: true });
    Deno.removeSync(home.users("cdb"));
    Deno.mkdirSync(home.users("cdb"));
    const moving = await run("qmail-newu");
    assertEquals(moving.code, 111);
    assertStringIncludes(moving.stderr, "\nqmail-newu: fatal: unable to move users/cdb.tmp to users/cdb\n");
  });

  it("qmail-newu writes through no link that stands in its place, and two at once make one whole file", async () => {
    Deno.writeTextFileSync(join(base, "victim"), "precious");
    Deno.symlinkSync(join(base, "victim"), home.users("cdb.tmp"));
    const many = Array.from({ length: 20_000 }, (_, n) => `=u${n}:u${n}:1:1:/j:::\n`).join("");
    Deno.writeTextFileSync(home.users("assign"), `${many}.\n`);
    assertEquals(await Promise.all([run("qmail-newu"), run("qmail-newu"), run("qmail-newu")]), [
      silent,
      silent,
      silent,
    ]);
    assertEquals(Deno.readTextFileSync(join(base, "victim")), "precious");
    for (let n = 0; n < 20_000; n += 997) assertEquals(whose(`u${n}`), `u${n}`);
  });

  it("qmail-newu that cannot write all of it, or dies over it, leaves the old file in force", async () => {
    Deno.writeTextFileSync(home.users("assign"), "=joe:joe:1:1:/j:::\n.\n");
    assertEquals(await run("qmail-newu"), silent);
    const many = Array.from({ length: 20_000 }, (_, n) => `=u${n}:u${n}:1:1:/j:::\n`).join("");
    Deno.writeTextFileSync(home.users("assign"), `${many}.\n`);
    // No file of more than 256 KiB: the system says no to the write, or ends the process for it.
    const limited = ["-c", `ulimit -f 512; exec "$0"`, join(base, "qmail-newu")];
    const { code } = await new Deno.Command("/bin/sh", { args: limited, stdin: "null", stderr: "null" }).output();
    assert(code !== 0);
    assertEquals([whose("joe"), whose("u1")], ["joe", undefined]);
    assertEquals(await run("qmail-newu"), silent);
    assertEquals([whose("joe"), whose("u1")], [undefined, "u1"]);
  });

  it("qmail-newmrh makes morercpthosts.cdb, with its grant and no more; or says why not", async () => {
    const missing = await run("qmail-newmrh");
    assertEquals(missing.code, 111);
    assertStringIncludes(missing.stderr, "\nqmail-newmrh: fatal: unable to read control/morercpthosts\n");
    Deno.writeTextFileSync(home.control("morercpthosts"), "# more\nExample.ORG\n.example.net\n");
    assertEquals(await run("qmail-newmrh", [], { audit: true }), silent);
    assertGrantIsExact("qmail-newmrh");
    using cdb = new CdbFile(home.control("morercpthosts.cdb"));
    for (const [key, want] of [["example.org", true], [".example.net", true], ["# more", false]] as const) {
      const found = findInCdb(cdb, bytes(key));
      assertEquals(found.ok && found.value !== undefined, want, key);
    }
  });

  it("qmail-pw2u prints users/assign, with its grant and no more", async () => {
    const joe = join(base, "homes", "joe");
    Deno.mkdirSync(joe, { recursive: true });
    Deno.chownSync(joe, Deno.uid() || 503, Deno.gid() || 78);
    const { uid } = Deno.statSync(joe);
    Deno.writeTextFileSync(home.control("userhomes"), `${join(base, "homes")}\n`);
    Deno.writeTextFileSync(home.users("append"), "=x:joe:1:1:/j:::\n");
    const passwd = `alias:x:7790:2108::${join(home.dir, "alias")}:/bin/true\njoe:x:${uid}:78::${joe}:/bin/sh\n` +
      "far:x:504:78::/srv/far:/bin/sh\n";
    Deno.chownSync(join(home.dir, "alias"), Deno.uid() === 0 ? 7790 : Deno.uid()!, null);
    const input = Deno.uid() === 0 ? passwd : passwd.replace(":7790:", `:${Deno.uid()}:`);
    const aliasMiddle = `alias:${Deno.uid() === 0 ? 7790 : Deno.uid()}:2108:${join(home.dir, "alias")}`;
    const { code, stdout, stderr } = await run("qmail-pw2u", ["-o"], { input, audit: true });
    assertEquals({ code, stderr }, {
      code: 0,
      stderr: "qmail-pw2u: warning: /srv/far is in no folder of control/userhomes: taken for missing\n",
    });
    assertEquals(
      stdout,
      `+:${aliasMiddle}:-::\n=alias:${aliasMiddle}:::\n+alias-:${aliasMiddle}:-::\n` +
        `=joe:joe:${uid}:78:${joe}:::\n+joe-:joe:${uid}:78:${joe}:-::\n=x:joe:1:1:/j:::\n.\n`,
    );
    const rights = rightsOf(tool("qmail-pw2u").permissions(home, { userHomes: [join(base, "homes")] }), home);
    const asked = readAudit(base, "qmail-pw2u").filter(({ value }) => value !== "/srv/far");
    assertEquals([outside(asked, rights), unused(asked, rights)], [[], []]);
  });

  it("qmail-pw2u says 100 for what is no option, 111 without alias", async () => {
    assertEquals(await run("qmail-pw2u", ["-x"]), {
      code: 100,
      stdout: "",
      stderr: "qmail-pw2u: usage: qmail-pw2u [ -/ohHuUC ] [ -c char ]\n",
    });
    assertEquals(await run("qmail-pw2u"), {
      code: 111,
      stdout: "",
      stderr: "qmail-pw2u: fatal: unable to find alias user\n",
    });
  });

  it("qmail-getpw prints whose mail it is, whatever octets the local part has", async () => {
    const accounts = parseSystemPasswd(fromOctets(Deno.readFileSync("/etc/passwd")));
    assertEquals(await run("qmail-getpw"), { ...silent, code: 100 });
    const some = [...accounts.values()].find(({ user, uid, home }) =>
      /^[a-z]+$/.test(user) && uid !== 0 && homeOwner(home) === uid
    );
    if (some === undefined) return console.log("skipped: no account in /etc/passwd owns its home");
    Deno.writeTextFileSync(home.control("userhomes"), `${some.home}\n`);
    const fields = `${some.user}\0${some.uid}\0${some.gid}\0${some.home}\0`;
    assertEquals(await run("qmail-getpw", [some.user], { audit: true }), { ...silent, stdout: `${fields}\0\0` });
    for (const extension of ["A.b", "--home", "'\"$(touch /)`\n\\", "\u00e9"]) {
      const want = `${fields}-\0${text(new TextEncoder().encode(extension))}\0`;
      assertEquals(await run("qmail-getpw", [`${some.user}-${extension}`]), { ...silent, stdout: want });
    }
    for (const nobody of ["--home", "-x", "root", "no-one/../x"]) {
      const alias = accounts.get("alias");
      const { code, stdout } = await run("qmail-getpw", [nobody]);
      assertEquals(code, alias === undefined ? 116 : 0);
      if (alias !== undefined) assertStringIncludes(stdout, `\0-\0${nobody}\0`);
    }
    const rights = rightsOf(tool("qmail-getpw").permissions(home, { userHomes: [some.home] }), home);
    const asked = readAudit(base, "qmail-getpw");
    assertEquals([outside(asked, rights), unused(asked, rights)], [[], []]);
  });
});
