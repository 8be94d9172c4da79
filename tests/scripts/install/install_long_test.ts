/**
 * An installation over a scratch root: from nothing, over a qmail, broken off wherever it may be, and taken back.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { heldSeconds } from "../../../components/lib/queue/held.ts";
import type { Runtime } from "../../../components/supervisor/launcher.ts";
import { applyPlan } from "../../../scripts/install/apply.ts";
import { readManifest } from "../../../scripts/install/manifest.ts";
import { placeAt } from "../../../scripts/install/place.ts";
import { type Plan, planInstall } from "../../../scripts/install/plan.ts";
import { reportOf } from "../../../scripts/install/report.ts";
import { rollBack } from "../../../scripts/install/rollback.ts";
import { readSample } from "../../../scripts/install/samples.ts";
import { survey } from "../../../scripts/install/survey.ts";
import { unfinishedInstall } from "../../../scripts/install/unfinished.ts";
import { inventory, type OriginalHost, originalHost } from "../../support/original_host.ts";
import { readOriginalQueue } from "../../support/original_queue.ts";
import { originalCases, originalText } from "../../support/original_mail.ts";
import { checkout } from "../../support/system.ts";
import { waitFor } from "../../support/wait.ts";

const runtime: Runtime = { deno: Deno.execPath(), denoDir: "/nowhere", code: checkout, audit: undefined };
const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " (skipped: not root)";

interface RunOptions {
  readonly checkpoint?: () => void;
  readonly sendmail?: boolean;
}

async function planFor({ root, prefix }: OriginalHost, sendmail = false): Promise<Plan> {
  const sample = readSample("single", { me: "mail.example.org" });
  return planInstall(await survey(placeAt(prefix, root)), { sample, sendmail });
}

/**
 * Settles when nobody holds a lock of the queue. A program that another test in this process starts in that moment has a
 * share in one that was closed here, until it is another program.
 */
async function unlocked(host: OriginalHost): Promise<void> {
  const isFree = async () => (await survey(placeAt(host.prefix, host.root))).running.length === 0;
  await waitFor(isFree, "the queue's locks to be free");
}

/** As "deno task install" does it; deno, packages and code are not copied. */
async function install(host: OriginalHost, { checkpoint = () => {}, sendmail = false }: RunOptions = {}) {
  await unlocked(host);
  const found = await survey(placeAt(host.prefix, host.root));
  const sample = readSample("single", { me: "mail.example.org" });
  const plan = planInstall(found, { sample: found.found === "nothing" ? sample : new Map(), sendmail });
  assertEquals([plan.refusals, plan.running], [[], []]);
  return await applyPlan(found, plan, { stage: () => Promise.resolve(runtime), say: () => {}, checkpoint });
}

async function giveBack(host: OriginalHost, checkpoint: () => void = () => {}) {
  await unlocked(host);
  const place = placeAt(host.prefix, host.root);
  return await rollBack(place, readManifest(place)!, { say: () => {}, checkpoint });
}

function everything({ root, dir }: OriginalHost): Readonly<Record<string, string>> {
  // useradd keeps the last version of each of its files beside it, and locks.
  const spare = ["passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-", ".pwd.lock", "shadow", "gshadow"];
  const all = inventory(root, [join(dir, "install"), ...spare.map((name) => join(root, "etc", name))]);
  const etc = (path: string) => path === join(root, "etc/passwd") || path === join(root, "etc/group");
  // Of the files that useradd and userdel write anew, the lines count.
  return Object.fromEntries(
    Object.entries(all).map(([path, value]) => [path, etc(path) ? Deno.readTextFileSync(path) : value]),
  );
}

/** What an install leaves but for times, the record, and the text that names the scratch root. */
function result(host: OriginalHost): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(everything(host)).map(([path, value]) => [
      path.slice(host.root.length),
      value.replace(/ \d{10,}(\.\d+)? "/, ' "').replaceAll(host.root, "ROOT"),
    ]),
  );
}

class Broken extends Error {}

/** Throws at the call of this number, counted from 0. */
function breakAt(number: number): { checkpoint: () => void; count: () => number } {
  let calls = 0;
  return {
    checkpoint: () => {
      if (calls++ === number) throw new Broken(`at ${number}`);
    },
    count: () => calls,
  };
}

function fill({ queue }: OriginalHost): number {
  for (const { name, files, times } of originalCases) queue.put({ mess: originalText(name), ...files }, times);
  return originalCases.length;
}

describe("deno task install over a qmail", () => {
  it("plans without changing anything", async () => {
    using host = originalHost();
    fill(host);
    const before = inventory(host.root);
    const found = await survey(placeAt(host.prefix, host.root));
    const plan = planInstall(found, { sample: new Map(), sendmail: true });
    assertEquals(inventory(host.root), before);
    assertEquals([found.found, plan.refusals, plan.running], ["qmail", [], []]);
    const report = reportOf(found, plan);
    assertEquals(report.queue!.accepted + report.queue!.waiting, originalCases.length);
    assertEquals(report.controls.map(({ file, kind }) => `${file}: ${kind}`), [
      "concurrencyremote: as it is",
      "dh2048.pem: without effect",
      "locals: as it is",
      "me: as it is",
      "rcpthosts: as it is",
      "srs_maxage: translated",
      "validrcptto: without effect",
      "virtualdomains: as it is",
    ]);
    const text = new Map(plan.controls.map((control) => [control.file, control.text]));
    assertEquals(text.get("listeners"), "smtp 127.0.0.1:2599\nadmin 127.0.0.1:8025\n");
    assertEquals(text.get("concurrencyincoming"), "77\n");
    assertEquals(text.get("tcp.smtp"), '127.:allow,RELAYCLIENT=""\n:allow\n');
    assertEquals(text.get("defaultdelivery"), "./Mailbox\n");
    assertEquals([text.get("systemusers"), text.get("srsage")], ["1\n", "14\n"]);
    assertEquals(text.get("userhomes"), isRoot ? "/home\n/people\n" : undefined);
    assertEquals(report.changes.filter(({ kind }) => kind === "service").length, 2);
  });

  for (const split of [23, 7]) {
    it(`takes a queue split ${split} ways over untouched, and a rollback gives every octet, owner and mode back`, async () => {
      using host = originalHost({ split });
      fill(host);
      const before = everything(host);
      const queueBefore = readOriginalQueue(join(host.dir, "queue"), split);
      assertEquals(await install(host, { sendmail: true }), []);
      assertEquals(readManifest(placeAt(host.prefix, host.root))!.state, "installed");
      assertEquals(existsSync(join(host.dir, "control/queuesplit")), split !== 23);
      assertStringIncludes(Deno.readTextFileSync(join(host.dir, "bin/qmail-queue")), "components/tools/qmail-queue.ts");
      assertEquals(Deno.readTextFileSync(join(host.dir, "users/passwd")), "");
      assertEquals(Deno.readTextFileSync(join(host.dir, "alias/.qmail-postmaster")), "&amy\n");
      assertEquals(Deno.readLinkSync(join(host.root, "usr/sbin/sendmail")), `${host.prefix}/bin/sendmail`);
      assert(existsSync(join(host.dir, "supervise/qmail-send/down")));
      for (const [id, { mess, todo, info }] of queueBefore) {
        const part = String(id % split);
        assertEquals(Deno.statSync(join(host.dir, "queue/mess", part, String(id))).ino, mess!.inode);
        assertEquals(existsSync(join(host.dir, "queue/todo", String(id))), todo !== undefined);
        assertEquals(existsSync(join(host.dir, "queue/info", part, String(id))), info !== undefined);
      }
      const back = await giveBack(host);
      assertEquals(back.waiting, originalCases.length);
      Deno.removeSync(join(host.root, "usr"), { recursive: true });
      assertEquals(everything(host), before);
    });
  }

  it("has what an operator holds tried again by qmail, which knows no held messages", async () => {
    using host = originalHost();
    await install(host);
    const id = host.queue.put({ mess: originalText("held"), info: "F\0", remote: "Tr@r.example\0" }, {
      remote: heldSeconds,
    });
    await giveBack(host);
    const { remote } = readOriginalQueue(join(host.dir, "queue"), 23).get(id)!;
    assert(remote!.mtimeSeconds <= Date.now() / 1000);
  });

  it("takes programs away that a newer version of ours has added to bin/, and no one else's", async () => {
    using host = originalHost();
    await install(host);
    host.write("q/bin/qmail-new", "#!/bin/sh\nexec /usr/bin/env -i DENO_DIR=/x deno\n", 0o755);
    host.write("q/bin/own", "#!/bin/sh\n", 0o755);
    await giveBack(host);
    assertEquals([existsSync(join(host.dir, "bin/qmail-new")), existsSync(join(host.dir, "bin/own"))], [false, true]);
  });

  it("keeps start from running what is half installed, or half given back", async () => {
    using host = originalHost();
    const unfinished = () => unfinishedInstall({ dir: host.dir });
    assertEquals(unfinished(), undefined);
    await install(host, breakAt(3)).catch(() => {});
    assertStringIncludes(unfinished()!, "an install was interrupted");
    await install(host);
    assertEquals(unfinished(), undefined);
    await giveBack(host, breakAt(3).checkpoint).catch(() => {});
    assertStringIncludes(unfinished()!, "a rollback was interrupted");
    await giveBack(host);
    assertEquals(unfinished(), undefined);
  });

  it("plans what only root can do as commands, where an ordinary user runs it", async () => {
    using host = originalHost({ withoutAccounts: true });
    const found = { ...await survey(placeAt(host.prefix, host.root)), asRoot: false };
    const plan = planInstall(found, { sample: new Map(), sendmail: false });
    const users = reportOf(found, plan).changes.filter(({ kind }) => kind === "user");
    assertStringIncludes(users[0]!.what, "for root to make");
    assertStringIncludes(users[0]!.command!, "useradd --prefix ");
    assertStringIncludes(
      planInstall({ ...found, mayWrite: false }, { sample: new Map(), sendmail: false }).refusals.join("\n"),
      "belongs to somebody else",
    );
  });

  it(`gives alias's files back to whom they belonged${needsRoot}`, { ignore: !isRoot }, async () => {
    using host = originalHost();
    Deno.mkdirSync(join(host.dir, "alias/Maildir/new"), { recursive: true });
    for (const path of ["", "/.qmail-default", "/Maildir"]) Deno.chownSync(join(host.dir, `alias${path}`), 4711, 4711);
    const before = everything(host);
    await install(host);
    assertEquals(Deno.statSync(join(host.dir, "alias/Maildir/new")).uid, 7790);
    await giveBack(host);
    assertEquals(everything(host), before);
  });

  it("can be installed again after a rollback, and taken back again", async () => {
    using host = originalHost();
    const before = everything(host);
    for (let round = 0; round < 2; round++) {
      await install(host);
      await giveBack(host);
      assertEquals(everything(host), before);
    }
  });

  it("changes no control file when it is run again, and still knows what was there at first", async () => {
    using host = originalHost();
    const before = everything(host);
    await install(host);
    Deno.writeTextFileSync(join(host.dir, "control/concurrencyincoming"), "5\n");
    Deno.removeSync(join(host.dir, "control/systemusers"));
    await install(host);
    assertEquals(Deno.readTextFileSync(join(host.dir, "control/concurrencyincoming")), "5\n");
    assert(!existsSync(join(host.dir, "control/systemusers")));
    await giveBack(host);
    assertEquals(everything(host), before);
    // What was decided since is not thrown away.
    assertEquals(Deno.readTextFileSync(join(host.dir, "install/left/control/concurrencyincoming")), "5\n");
  });

  it("broken off anywhere, is completed by a second run to the same result, and given back by one rollback", async () => {
    using whole = originalHost({ split: 1 });
    await install(whole);
    const want = result(whole);
    for (let at = 0;; at++) {
      using host = originalHost({ split: 1 });
      const before = everything(host);
      const breaking = breakAt(at);
      const broke = await install(host, breaking).then(() => false, (error) => {
        if (!(error instanceof Broken)) throw error;
        return true;
      });
      await install(host);
      assertEquals(result(host), want, `broken off at ${at}`);
      await giveBack(host);
      assertEquals(everything(host), before, `broken off at ${at}, and given back`);
      if (!broke) {
        assert(breaking.count() > 10, `${breaking.count()} places to break off at`);
        break;
      }
    }
  });

  it("broken off anywhere, is given back by a rollback at once", async () => {
    for (let at = 0;; at++) {
      using host = originalHost({ split: 1 });
      const before = everything(host);
      const broke = await install(host, breakAt(at)).then(() => false, () => true);
      await giveBack(host);
      assertEquals(everything(host), before, `broken off at ${at}`);
      if (!broke) break;
    }
  });

  it("taken back and broken off anywhere in that, is given back by a second rollback", async () => {
    for (let at = 0;; at += 11) {
      using host = originalHost({ split: 1 });
      const before = everything(host);
      await install(host);
      const broke = await giveBack(host, breakAt(at).checkpoint).then(() => false, () => true);
      if (!broke) break;
      // The very last place is behind the end.
      if (readManifest(placeAt(host.prefix, host.root))!.state === "rolling back") await giveBack(host);
      assertEquals(everything(host), before, `broken off at ${at}`);
    }
  });

  it("is given back also where the journal's folders were made only in part", async () => {
    using host = originalHost({ split: 1 });
    const before = everything(host);
    await install(host);
    Deno.removeSync(join(host.dir, "queue/journal/numbers"));
    await giveBack(host);
    assertEquals(everything(host), before);
  });

  it(`makes accounts that are missing, and a rollback removes them${needsRoot}`, { ignore: !isRoot }, async () => {
    using host = originalHost({ withoutAccounts: true });
    await install(host);
    const passwd = () => Deno.readTextFileSync(join(host.root, "etc/passwd"));
    assertMatch(passwd(), /^qmailq:[x!]:7794:2108::\/q:\/usr\/sbin\/nologin$/m);
    assertMatch(passwd(), /^vmail:[x!]:7797:7797::\/q\/mail:\/usr\/sbin\/nologin$/m);
    await giveBack(host);
    assertEquals(passwd(), "root:x:0:0::/root:/bin/sh\namy:x:4711:4711::/people/amy:/bin/sh\n");
    assertEquals(Deno.readTextFileSync(join(host.root, "etc/group")), "root:x:0:\namy:x:4711:\n");
  });

  it("says who runs while somebody holds qmail-send's lock, and takes it over when that has ended", async () => {
    using host = originalHost();
    const mutex = Deno.openSync(join(host.dir, "queue/lock/sendmutex"), { write: true });
    assert(await mutex.tryLock(true));
    const [running] = (await planFor(host)).running;
    assertStringIncludes(running!, "qmail-send");
    mutex.close();
    await unlocked(host);
    assertEquals((await planFor(host)).running, []);
  });

  it("does not begin while the lock is taken between the look and the work", async () => {
    using host = originalHost();
    const found = await survey(placeAt(host.prefix, host.root));
    const plan = planInstall(found, { sample: new Map(), sendmail: false });
    using mutex = Deno.openSync(join(host.dir, "queue/lock/sendmutex"), { write: true });
    assert(await mutex.tryLock(true));
    const before = inventory(join(host.dir, "bin"));
    const run = applyPlan(found, plan, { stage: () => Promise.resolve(runtime), say: () => {} });
    const refusal = await run.then(() => "", (error: Error) => error.message);
    assertStringIncludes(refusal, "must be stopped");
    assertEquals(inventory(join(host.dir, "bin")), before);
  });

  const refused: readonly { what: string; change: (host: OriginalHost) => void; says: string }[] = [
    {
      what: "a split todo",
      change: ({ dir }) => Deno.mkdirSync(join(dir, "queue/todo/0")),
      says: "queue/todo/0 is a folder",
    },
    {
      what: "a queue that was copied, so that numbers are no inodes",
      change: (host) => {
        const id = host.queue.put({ mess: originalText("copied"), info: "F\0", local: "Tamy@localhost\0" });
        const mess = join(host.dir, "queue/mess", String(id % 23), String(id));
        Deno.copyFileSync(mess, `${mess}.new`);
        Deno.renameSync(`${mess}.new`, mess);
      },
      says: "do not have the number of their file",
    },
    {
      what: "a control file that is malformed",
      change: (host) => host.write("q/control/databytes", "10MB\n"),
      says: "control/databytes: expected a whole number of bytes",
    },
    {
      what: "nothing that tells where mail goes without a .qmail file",
      change: ({ dir }) => {
        for (const path of ["rc", "supervise"]) Deno.removeSync(join(dir, path), { recursive: true });
      },
      says: "control/defaultdelivery",
    },
    {
      what: "no control/me",
      change: ({ dir }) => Deno.removeSync(join(dir, "control/me")),
      says: "control/me is missing",
    },
  ];
  for (const { what, change, says } of refused) {
    it(`refuses ${what}, in words`, async () => {
      using host = originalHost();
      change(host);
      assertStringIncludes((await planFor(host)).refusals.join("\n"), says);
    });
  }
});

describe("deno task install where nothing is", () => {
  it(`makes a home that could be started, and a rollback leaves nothing but its record${needsRoot}`, {
    ignore: !isRoot,
  }, async () => {
    using host = originalHost({ empty: true });
    const before = everything(host);
    assertEquals(await install(host), []);
    assertEquals(Deno.readTextFileSync(join(host.dir, "control/me")), "mail.example.org\n");
    assert(existsSync(join(host.dir, "mail/mail.example.org/postmaster/Maildir/new")));
    const back = await giveBack(host);
    assertEquals([back.stays, back.waiting, back.drained], [[], 0, 0]);
    assertEquals(Array.from(Deno.readDirSync(host.dir), ({ name }) => name), ["install"]);
    const { [host.dir]: _dir, ...rest } = everything(host);
    assertEquals(rest, before);
  });

  it(`keeps mail that has come in since, and the accounts it belongs to${needsRoot}`, { ignore: !isRoot }, async () => {
    using host = originalHost({ empty: true });
    await install(host);
    const mailbox = join(host.dir, "mail/mail.example.org/postmaster/Maildir/new/1.host");
    Deno.writeTextFileSync(mailbox, "hello\n");
    const back = await giveBack(host);
    assertEquals(back.stays, [join(host.dir, "mail")]);
    assertEquals(Deno.readTextFileSync(mailbox), "hello\n");
    assertMatch(Deno.readTextFileSync(join(host.root, "etc/passwd")), /^vmail:/m);
  });
});
