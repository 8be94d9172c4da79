/**
 * `dqmail config` on a home at rest.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Home, homeAt } from "../../../config/home.ts";
import { type ControlFile, type Row, schema } from "../../../config/schema.ts";
import { unreadFiles } from "../../../scripts/config/check.ts";
import { readControlValue } from "../../../scripts/config/control_value.ts";
import { sealedControls, setControl } from "../../../scripts/config/set.ts";
import { runTask, type TaskResult } from "../../support/task.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A home with nothing but control/. */
function makeHome(): Home & Disposable {
  const dir = tempDir();
  const home = homeAt(Deno.realPathSync(dir.path));
  Deno.mkdirSync(home.control(""));
  Deno.writeTextFileSync(home.control("me"), "mail.example.org\n");
  return { ...home, [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

function config(home: Home, args: readonly string[], input = ""): Promise<TaskResult> {
  return runTask("config", [...args, "--home", home.dir], { input });
}

function filesIn(home: Home): string[] {
  return Array.from(Deno.readDirSync(home.control("")), ({ name }) => name).toSorted();
}

describe("config set", () => {
  it("writes one file, keeps the one before as .old, and leaves nothing else", async () => {
    using home = makeHome();
    const first = await config(home, ["set", "databytes", "1000"]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertEquals(
      first.stdout,
      `wrote ${home.control("databytes")}; "deno task reload" brings it into force\n`,
    );
    const second = await config(home, ["set", "databytes", "2000", "--json"]);
    assertEquals(JSON.parse(second.stdout), {
      file: "databytes",
      path: home.control("databytes"),
      old: home.control("databytes.old"),
      dryRun: false,
    });
    assertEquals(filesIn(home), ["databytes", "databytes.old", "me"]);
    assertEquals(Deno.readTextFileSync(home.control("databytes")), "2000\n");
    assertEquals(Deno.readTextFileSync(home.control("databytes.old")), "1000\n");
  });

  it("writes a line for each value, and a whole file from standard input, octet for octet", async () => {
    using home = makeHome();
    assertEquals((await config(home, ["set", "locals", "a.example", "b.example"])).code, 0);
    assertEquals(Deno.readTextFileSync(home.control("locals")), "a.example\nb.example\n");
    const text = "# ours\nc.example\n";
    assertEquals((await config(home, ["set", "locals", "--stdin"], text)).code, 0);
    assertEquals(Deno.readTextFileSync(home.control("locals")), text);
  });

  it("refuses what a start would refuse, and changes nothing", async () => {
    using home = makeHome();
    const rows: readonly (readonly [readonly string[], string])[] = [
      [
        ["set", "databytes", "10MB"],
        'Cannot read control file "databytes": expected a whole number of bytes, got "10MB"',
      ],
      [["set", "me", "--default"], 'Cannot read control file "me": expected this host\'s name'],
      [["set", "databyte", "1"], "databyte is not known; did you mean databytes?"],
      [["set", "../me", "x"], "../me is not known"],
      [["set", "databytes"], "set: give the values, or --stdin, or --default"],
      [["set", "databytes", "1", "--default"], "set: give the values, or --stdin, or --default"],
      [["set"], "set: name a control file"],
      // Each is well-formed; together they would give a process more than it may have.
      [["set", "customfilter", "/etc"], "nothing was written"],
    ];
    const results = await Promise.all(rows.map(([args]) => config(home, args)));
    rows.forEach(([args, want], at) => {
      assertEquals([results[at]!.code, results[at]!.stdout], [100, ""], args.join(" "));
      assertStringIncludes(results[at]!.stderr, want);
    });
    assertEquals(filesIn(home), ["me"]);
  });

  it("checks without writing with --dry-run, and goes back to the default with --default", async () => {
    using home = makeHome();
    assertEquals((await config(home, ["set", "databytes", "7", "--dry-run"])).code, 0);
    assertEquals(filesIn(home), ["me"]);
    assertEquals((await config(home, ["set", "databytes", "7"])).code, 0);
    assertEquals((await config(home, ["set", "databytes", "--default"])).code, 0);
    assertEquals(filesIn(home), ["databytes.old", "me"]);
  });

  it("can mend one file while another is malformed", () => {
    using home = makeHome();
    Deno.writeTextFileSync(home.control("remoteport"), "smtp\n");
    const octets = new TextEncoder().encode("5\n");
    assert(setControl(home, { file: "databytes", octets, dryRun: false }).ok);
    assert(setControl(home, { file: "remoteport", octets, dryRun: false }).ok);
  });

  it("writes into the place that a link leads to, and keeps the file's mode", () => {
    using home = makeHome();
    const elsewhere = `${home.dir}/databytes`;
    Deno.writeTextFileSync(elsewhere, "1\n");
    Deno.chmodSync(elsewhere, 0o600);
    Deno.symlinkSync(elsewhere, home.control("databytes"));
    const octets = new TextEncoder().encode("2\n");
    const changed = setControl(home, { file: "databytes", octets, dryRun: false });
    assertEquals(changed, { ok: true, value: { path: elsewhere, old: `${elsewhere}.old` } });
    assert(Deno.lstatSync(home.control("databytes")).isSymlink);
    assertEquals([Deno.readTextFileSync(elsewhere), Deno.statSync(elsewhere).mode! & 0o777], ["2\n", 0o600]);
  });

  it("closes a file to others as soon as there is a secret in it, and shows it to nobody", async () => {
    using home = makeHome();
    const route = ":relay.example:587 user secret-word";
    assertEquals((await config(home, ["set", "smtproutes", ":relay.example"])).code, 0);
    assertEquals(Deno.statSync(home.control("smtproutes")).mode! & 0o777, 0o644);
    const set = await config(home, ["set", "smtproutes", route]);
    assertEquals(Deno.statSync(home.control("smtproutes")).mode! & 0o777, 0o600);
    const shown = await Promise.all(
      [["get", "smtproutes"], ["show"], ["show", "--json"], ["check"]].map((args) => config(home, args)),
    );
    for (const { stdout, stderr } of [set, ...shown]) assert(!`${stdout}${stderr}`.includes("secret-word"), stdout);
    assertEquals((await config(home, ["get", "smtproutes", "--secret"])).stdout, `${route}\n`);
  });

  it("knows whose each file with a secret is", () => {
    const masked = (Object.keys(schema) as ControlFile[]).filter((file) =>
      (schema[file] as Row<unknown>).shown !== undefined
    );
    assertEquals([...sealedControls.keys()].toSorted(), masked.toSorted());
  });
});

describe("config get and show", () => {
  it("get prints what is set, else the default", async () => {
    using home = makeHome();
    Deno.writeTextFileSync(home.control("locals"), "# a\nb.example\n");
    const rows = [
      [["get", "locals"], "# a\nb.example\n"],
      [["get", "locals", "--default"], "mail.example.org\n"],
      [["get", "helohost"], "mail.example.org\n"],
      [["get", "databytes"], "0\n"],
    ] as const;
    for (const [args, want] of rows) assertEquals((await config(home, args)).stdout, want, args.join(" "));
    const json = JSON.parse((await config(home, ["get", "locals", "--json"])).stdout);
    assertEquals([json.file, json.isSet, json.text], ["locals", true, "# a\nb.example\n"]);
  });

  it("show has every file, --set those that are there, and says what is malformed", async () => {
    using home = makeHome();
    Deno.writeTextFileSync(home.control("databytes"), "ten\x1b[2J\n");
    const all = JSON.parse((await config(home, ["show", "--json"])).stdout) as { file: string }[];
    assertEquals(all.map(({ file }) => file), Object.keys(schema).toSorted());
    const { stdout } = await config(home, ["show", "--set"]);
    assertMatch(stdout, /^databytes = ten\?\[2J\n {4}default: 0\n {4}MALFORMED: expected a whole number of bytes/);
    assertStringIncludes(stdout, "\nme = mail.example.org\n");
    assert(!stdout.includes("helohost"), stdout);
  });

  it("tells what is not for the reader, and keeps a cdb file's octets from the terminal", () => {
    using home = makeHome();
    Deno.writeFileSync(home.control("tcp.smtp.cdb"), new Uint8Array(2048));
    assertEquals(readControlValue(home, "tcp.smtp.cdb").text, "(2048 octets)");
  });
});

describe("config check", () => {
  it("says whether a start would take the files, and which nobody reads", async () => {
    using home = makeHome();
    Deno.writeTextFileSync(home.control("databyte"), "1\n");
    const good = await config(home, ["check"]);
    assertEquals([good.code, good.stdout], [
      0,
      "note: nobody reads control/databyte; was databytes meant?\na start and a reload would take the control files\n",
    ]);
    Deno.writeTextFileSync(home.control("remoteport"), "smtp\n");
    const bad = await config(home, ["check", "--json"]);
    assertEquals(bad.code, 1);
    assertEquals(JSON.parse(bad.stdout), {
      ok: false,
      defects: ['Cannot read control file "remoteport": expected a TCP port from 1 to 65535, got "smtp"'],
      unread: [{ file: "databyte", meant: "databytes" }],
    });
  });

  it("says what is wrong with the certificate, and nothing of its key", async () => {
    using home = makeHome();
    Deno.writeTextFileSync(home.control("servercert.pem"), "-----BEGIN PRIVATE KEY-----\nsecret-word\n");
    const { code, stdout } = await config(home, ["check"]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, 'Cannot read control file "servercert.pem": ');
    assert(!stdout.includes("secret-word"), stdout);
  });

  it("takes what set keeps, and what starts with a dot, for no mistake", () => {
    const names = ["me", "me.old", ".me.new", "servercert.pem", "servercerts", "defaultdomain", "zzz.old"];
    assertEquals(unreadFiles(names).map(({ file }) => file), ["zzz.old"]);
  });

  it("says where there is no home", async () => {
    using dir = tempDir();
    const { code, stderr } = await runTask("config", ["check", "--home", dir.path]);
    assertEquals(code, 100);
    assertMatch(stderr, /^there is no dqmail home in .*; "deno task start --home .*" makes one\n$/);
  });
});
