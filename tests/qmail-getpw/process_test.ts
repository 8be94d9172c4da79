/**
 * qmail-getpw in this process, on its socket, over real files.
 * @module
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { writeCdb } from "../../components/lib/cdb/files.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { compileAssign } from "../../components/lib/users/assign.ts";
import { homeOwner } from "../../components/lib/users/home_owner.ts";
import { parseSystemPasswd } from "../../components/lib/users/system_passwd.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { type GetpwReply, parseForwardReply, parseGetpwReply } from "../../components/lib/wire/getpw_protocol.ts";
import { run } from "../../components/qmail-getpw/run.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";

const me = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
/** Owner of what the tests make; root's own files would be refused. */
const owner = me.uid === 0 ? { uid: 7790, gid: 2107 } : me;

describe("qmail-getpw", () => {
  let dir: ReturnType<typeof tempDir>;
  let home: Home;
  let running: Running | undefined;
  let client: Client;

  const start = () => {
    running = run({ home, portOffset: 0, requestStop: () => {} });
    client = new Client(home.socket("qmail-getpw"));
  };
  const ask = async (op: "check" | "find", address: string): Promise<GetpwReply> =>
    parseGetpwReply(await client.request({ op, address }));
  const check = async (address: string): Promise<string> => (await ask("check", address)).kind;
  /** As `deno task user` does it. */
  const writePasswd = (text: string) => {
    Deno.writeTextFileSync(`${home.users("passwd")}.new`, text);
    Deno.renameSync(`${home.users("passwd")}.new`, home.users("passwd"));
  };
  const writeAssigned = (assign: string) => {
    const records = compileAssign(assign);
    assert(records.ok);
    {
      using file = Deno.openSync(home.users("cdb.tmp"), { write: true, create: true, truncate: true });
      writeCdb(file, records.value);
    }
    Deno.renameSync(home.users("cdb.tmp"), home.users("cdb"));
  };
  const makeHome = (name: string): string => {
    const path = join(dir.path, name);
    Deno.mkdirSync(path);
    Deno.chownSync(path, owner.uid, owner.gid);
    return path;
  };

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(join(dir.path, "h"));
    for (const folder of [home.control(""), home.users(""), home.run("qmail-getpw")]) {
      Deno.mkdirSync(folder, { recursive: true });
    }
    Deno.writeTextFileSync(home.control("me"), "localhost\n");
    writePasswd("amy@localhost::7797:7797::\n");
  });
  afterEach(async () => {
    client.close();
    await running?.stop();
    running = undefined;
    dir[Symbol.dispose]();
  });

  it("knows virtual mailboxes and any extension of theirs, and says so without an alias folder", async () => {
    start();
    assertEquals(await check("amy@localhost"), "exists");
    assertEquals(await check("amy-any.thing@localhost"), "exists");
    assertEquals(await check("root@localhost"), "none");
    assertEquals(await ask("find", "root@localhost"), { kind: "none" });
  });

  it("takes mail for alias where there is a .qmail file for it, made while it runs", async () => {
    const alias = makeHome("h/alias");
    start();
    assertEquals(await check("root@localhost"), "none");
    Deno.writeTextFileSync(join(alias, ".qmail-root"), "amy@localhost\n");
    assertEquals(await check("Root@localhost"), "exists");
    assertEquals(await check("root-x@localhost"), "none");
    assertEquals(await ask("find", "root-x@localhost"), { kind: "none" });
    const found = {
      kind: "account",
      isVirtual: false,
      domain: "",
      user: "alias",
      ...owner,
      home: alias,
      dash: "-",
    } as const;
    assertEquals(await ask("find", "Root@localhost"), { ...found, extension: "Root" });
    Deno.writeTextFileSync(join(alias, ".qmail-list-default"), "amy@localhost\n");
    assertEquals(await check("list-A@localhost"), "exists");
    assertEquals(await check("list@localhost"), "none");
    Deno.writeTextFileSync(join(alias, ".qmail-default"), "amy@localhost\n");
    assertEquals(await check("anybody@localhost"), "exists");
  });

  it("does not take a folder for a .qmail file, nor an address for a way out of the home", async () => {
    const alias = makeHome("h/alias");
    Deno.mkdirSync(join(alias, ".qmail-folder"));
    Deno.mkdirSync(join(alias, ".qmail-"));
    Deno.writeTextFileSync(join(dir.path, "h", "outside"), "x\n");
    start();
    const names = [
      "folder",
      "/../../outside",
      "..",
      "${run{/bin/sh}}",
      "*)(uid=*",
      "' OR 1=1--",
      "%00",
      "__proto__",
      "\xff",
      "x".repeat(900),
      "a-".repeat(450),
    ];
    for (const name of names) assertEquals(await check(`${name}@localhost`), "none", name);
  });

  it("waits while a user is editing: a sticky home without the file is no refusal", async () => {
    const alias = makeHome("h/alias");
    Deno.chmodSync(alias, 0o1755);
    start();
    assertEquals(await check("root@localhost"), "unsure");
    assertEquals((await ask("find", "root@localhost")).kind, "account");
    Deno.chmodSync(alias, 0o755);
    assertEquals(await check("root@localhost"), "none");
  });

  it("follows users/cdb as it stands, before alias and after virtual mailboxes", async () => {
    makeHome("h/alias");
    const joe = makeHome("joe");
    start();
    assertEquals(await check("joe@localhost"), "none");
    const line = `joe:${owner.uid}:${owner.gid}:${joe}`;
    writeAssigned(`=joe:${line}:::\n+joe-:${line}:-::\n=amy:${line}:::\n=toor:root:0:0:/root:::\n.\n`);
    assertEquals(await check("JOE@localhost"), "exists");
    assertEquals(await check("joe-list@localhost"), "none");
    const found = {
      kind: "account",
      isVirtual: false,
      domain: "",
      user: "joe",
      ...owner,
      home: joe,
      dash: "-",
    } as const;
    assertEquals(await ask("find", "joe-List@localhost"), { ...found, extension: "List" });
    Deno.writeTextFileSync(join(joe, ".qmail-list"), "");
    assertEquals(await check("joe-list@localhost"), "exists");
    const amy = await ask("find", "amy@localhost");
    assert(amy.kind === "account" && amy.isVirtual);
    assertEquals(await check("toor@localhost"), "unsure");
    writeAssigned(".\n");
    assertEquals(await check("joe@localhost"), "none");
    Deno.removeSync(home.users("cdb"));
    assertEquals(await check("joe@localhost"), "none");
  });

  it("a damaged users/cdb makes it unsure of all but virtual mailboxes, and the log tells once", async () => {
    makeHome("h/alias");
    using captured = captureLog();
    start();
    for (const octets of [new Uint8Array(0), new Uint8Array(100), new Uint8Array(4096).fill(255)]) {
      Deno.writeFileSync(home.users("cdb"), octets);
      assertEquals(await check("root@localhost"), "unsure");
      assertEquals(await check("root@localhost"), "unsure");
      assertEquals((await ask("find", "root@localhost")).kind, "unsure");
      assertEquals(await check("amy@localhost"), "exists");
    }
    Deno.writeFileSync(home.users("cdb"), new Uint8Array(2048));
    assertEquals(await check("root@localhost"), "unsure");
    Deno.removeSync(home.users("cdb"));
    assertEquals(await check("root@localhost"), "none");
    assertEquals(captured.lines(), [
      "alert: cannot read users/cdb: the header ends early",
      "alert: cannot read users/cdb: the header ends early",
      "alert: cannot read users/cdb: a table lies outside of the file",
      "alert: cannot read users/cdb: there is no set of wildcards",
    ]);
  });

  it("is unsure of everybody while users/passwd is malformed, and knows them again when it is mended", async () => {
    start();
    writePasswd("amy@localhost::7797:7797::\nnonsense\n");
    assertEquals(await check("amy@localhost"), "unsure");
    assertEquals(await check("nobody@localhost"), "unsure");
    writePasswd("amy@localhost::7797:7797::\n");
    assertEquals(await check("amy@localhost"), "exists");
    Deno.removeSync(home.users("passwd"));
    assertEquals(await check("amy@localhost"), "none");
  });

  it("never misses a mailbox while users/passwd is written anew", async () => {
    start();
    for (let round = 0; round < 200; round++) {
      const answers = [check("amy@localhost"), check("amy-x@localhost")];
      writePasswd(`amy@localhost::7797:7797::\n${`b${round}@localhost::7797:7797::\n`.repeat(round % 7)}`);
      answers.push(check("amy@localhost"));
      assertEquals(await Promise.all(answers), ["exists", "exists", "exists"]);
    }
  });

  it("says from whom a message is sent on, whose address that is, and that nobody has one that was forged", async () => {
    Deno.writeTextFileSync(home.control("srsdomain"), "srs.example\n");
    Deno.writeTextFileSync(home.control("srssecret"), "a secret of ours\n");
    start();
    const forward = async (sender: string, recipients: readonly string[]) =>
      parseForwardReply(await client.request({ op: "forward", sender, recipients })).sender;
    const made = await forward("eve@e.example", ["bob@b.example"]);
    assertMatch(made, /^SRS0=.{6}=..=e\.example=eve@srs\.example$/);
    assertEquals(await forward("eve@e.example", ["amy@localhost"]), "eve@e.example");
    assertEquals(await forward("amy@localhost", ["bob@b.example"]), "amy@localhost");
    // alias takes everything else, but not this.
    const alias = makeHome("h/alias");
    Deno.writeTextFileSync(join(alias, ".qmail-default"), "&amy\n");
    assertEquals([await check(made), await check(made.replace("eve", "eva"))], ["exists", "none"]);
    assertEquals((await ask("find", made.replace("eve", "eva"))).kind, "none");
    // Without a secret nobody knows of SRS.
    Deno.writeTextFileSync(home.control("srssecret"), "");
    assertEquals(running!.reload!(), []);
    assertEquals(await forward("eve@e.example", ["bob@b.example"]), "eve@e.example");
  });

  it("asks /etc/passwd where control/systemusers is 1, and not otherwise", async () => {
    const accounts = parseSystemPasswd(fromOctets(Deno.readFileSync("/etc/passwd")));
    const some = [...accounts.values()].find(({ user, uid, home }) =>
      /^[a-z]+$/.test(user) && uid !== 0 && homeOwner(home) === uid
    );
    start();
    if (some === undefined) return console.log("skipped: no account in /etc/passwd owns its home");
    assertEquals(await check(`${some.user}@localhost`), "none");
    Deno.writeTextFileSync(home.control("systemusers"), "1\n");
    assertEquals(running!.reload!(), []);
    assertEquals(await check(`${some.user}@localhost`), "exists");
    assertEquals(await ask("find", `${some.user}-A.b@localhost`), {
      ...{ kind: "account", isVirtual: false, domain: "", ...some, dash: "-", extension: "A.b" } as const,
    });
    assertEquals(await check("root@localhost"), "none");
  });
});
