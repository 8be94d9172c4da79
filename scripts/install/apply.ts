/**
 * Makes the installation that was planned. Every place is kept before it is changed, each step finds out for itself what
 * of it is done already: wherever a run ends, another one completes it, and a rollback gives back what was there.
 * @module
 */
import { existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import { accountIds } from "../../config/accounts.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { flatDirs, splitDirs } from "../../components/lib/queue/layout.ts";
import { tools, wrappers } from "../../components/tools/permissions.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import type { Runtime } from "../../components/supervisor/launcher.ts";
import { lockFiles } from "../home/lock_files.ts";
import { addMailboxes, replaceFile, whileLocked } from "../home/mailboxes.ts";
import {
  foldersOf,
  prepareFolders,
  prepareLaunchers,
  prepareMailboxes,
  prepareSocketFolders,
  preparingIds,
} from "../home/prepare.ts";
import { settleQueueSplit } from "../home/queue_split.ts";
import { prepareSrsSecret } from "../home/srs_secret.ts";
import { prepareTools } from "../home/tools.ts";
import { lockQueue } from "../queue/running.ts";
import { divert, hasDiversions, runCommand } from "./commands.ts";
import { makeGroup, makeUser, missingAccounts } from "./accounts.ts";
import { Keeper } from "./keep.ts";
import { installDir, type Manifest, writeManifest } from "./manifest.ts";
import { asMachineSays, onMachine, type Place } from "./place.ts";
import type { Plan, PlannedControl } from "./plan.ts";
import type { Survey } from "./survey.ts";
import { toOctets } from "../../components/lib/octets.ts";

export interface ApplyOptions {
  /** Puts into place what the components run from. */
  readonly stage: (home: Home) => Promise<Runtime>;
  /** Told of each step that is done. */
  readonly say: (line: string) => void;
  /** Called wherever the work may be broken off, as by a power cut. */
  readonly checkpoint?: () => void;
}

/** Answers what keeps the result from being started, a line each. Throws where a step fails: then it is to be run again. */
export async function applyPlan(survey: Survey, plan: Plan, options: ApplyOptions): Promise<readonly string[]> {
  const { place } = survey;
  const { say, checkpoint = () => {} } = options;
  const keeper = begin(survey, checkpoint);
  const done = (line: string) => {
    say(line);
    checkpoint();
  };
  if (survey.asRoot) makeAccounts(survey, keeper, done);

  const home = homeAt(place.prefix, plan.queueSplit === undefined ? {} : { queueSplit: plan.queueSplit });
  const split = splitOfQueue(survey, home);
  keepPlaces(split, keeper, plan);
  // From here on neither qmail's qmail-send nor ours can begin to work.
  using _locks = existsSync(home.queue("mess")) ? await lockQueue(home) : undefined;
  done("what was there is kept in install/");

  Deno.mkdirSync(home.control(""), { recursive: true });
  for (const control of plan.controls) writeControl(home, control);
  done(`${plan.controls.length} control files written`);
  const settled = settleQueueSplit(place.prefix, say);
  if (!settled.ok) throw new Error(settled.error);
  prepareFolders(settled.value);
  done("folders made");
  makeMailboxes(settled.value, survey);
  done("addresses of the postmaster made");
  const config = readConfig(settled.value, 0);
  if ("controls" in config) {
    prepareSrsSecret(settled.value, config.controls);
    prepareSocketFolders(settled.value, config.controls.listeners);
  }
  const runtime = await options.stage(settled.value);
  done("deno, packages and code put into place");
  prepareLaunchers(settled.value);
  prepareTools(settled.value, runtime);
  done(`launchers and ${tools.length + wrappers.length} programs of bin/ written`);
  for (const down of plan.downs.map((service) => join(service, "down"))) {
    if (!existsSync(down)) replaceFile(down, "", { mode: 0o644 });
  }
  if (plan.downs.length > 0) done(`${plan.downs.length} services of supervise stay down`);
  if (plan.sendmail) linkSendmail(place, keeper, checkpoint);
  if (plan.sendmail) done("/usr/sbin/sendmail leads to bin/sendmail");
  keeper.setState("installed");
  return "controls" in config ? [] : config;
}

function begin({ place, found, manifest }: Survey, checkpoint: () => void): Keeper {
  const isNew = manifest === undefined || manifest.state === "rolled back";
  // The prefix itself is looked at before the record makes it.
  const prefixWasThere = existsSync(place.prefix);
  if (isNew && existsSync(installDir(place, "kept"))) Deno.removeSync(installDir(place, "kept"), { recursive: true });
  const fresh: Manifest = {
    version: 1,
    state: "installing",
    found,
    beganSeconds: Math.floor(Date.now() / 1000),
    entries: prefixWasThere ? [] : [{ kind: "path", path: place.prefix, before: { kind: "absent" } }],
  };
  const before = isNew ? fresh : { ...manifest, state: "installing" as const };
  Deno.mkdirSync(place.prefix, { recursive: true, mode: 0o755 });
  writeManifest(place, before);
  checkpoint();
  return new Keeper(place, before, checkpoint);
}

function makeAccounts({ place }: Survey, keeper: Keeper, done: (line: string) => void): void {
  const read = (file: string) => Deno.readTextFileSync(onMachine(place, `/etc/${file}`));
  const { groups, users } = missingAccounts(read("passwd"), read("group"), asMachineSays(place, place.prefix));
  for (const group of groups) {
    keeper.add({ kind: "group", name: group.name });
    runCommand(makeGroup(group, place.root));
    done(`group ${group.name} made`);
  }
  for (const user of users) {
    keeper.add({ kind: "user", name: user.name });
    runCommand(makeUser(user, place.root));
    done(`user ${user.name} made`);
  }
  // Everything below takes its numbers from the machine that it runs on.
  const [there, here] = [accountIds(read("passwd")), accountIds(Deno.readTextFileSync("/etc/passwd"))];
  if (JSON.stringify(there) !== JSON.stringify(here)) {
    throw new Error(`the accounts of ${place.root} have other numbers than this machine's: install it from within`);
  }
}

/** The home with the split that its queue has. */
function splitOfQueue({ queue }: Survey, home: Home): Home {
  return queue === undefined || queue.split === 0 ? home : homeAt(home.dir, { queueSplit: queue.split });
}

/** Folders that qmail has as well; all others are ours, also where an earlier version of ours made them. */
function isQmails(home: Home, path: string): boolean {
  const shared = [home.dir, home.control(""), home.queue(), home.users(""), home.bin(), join(home.dir, "alias")];
  return [...shared, ...[...splitDirs, ...flatDirs].map((dir) => home.queue(dir))]
    .some((one) => one.replace(/\/$/, "") === path.replace(/\/$/, "") || dirname(path) === one);
}

function namesIn(dir: string): string[] {
  return existsSync(dir) ? Array.from(Deno.readDirSync(dir), ({ name }) => join(dir, name)) : [];
}

function treeBelow(dir: string): string[] {
  return namesIn(dir).flatMap((path) => Deno.lstatSync(path).isDirectory ? [path, ...treeBelow(path)] : [path]);
}

/** Everything that the steps change. */
function keepPlaces(home: Home, keeper: Keeper, plan: Plan): void {
  const folders = foldersOf(home).map(({ path }) => path.replace(/\/$/, ""));
  const isUpdate = keeper.manifest.entries.some((entry) => entry.kind === "path" && entry.path === home.libexec());
  if (isUpdate) keeper.keepAsAbsent(folders.filter((path) => !isQmails(home, path)));
  keeper.keep(folders);
  keeper.keep([...lockFiles.map(({ name }) => home.queue("lock", name)), home.queue("lock", "queuemutex")], {
    ownerOnly: true,
  });
  keeper.keep([
    ...[...plan.controls.map(({ file }) => file), "queuesplit", "srssecret"].map((file) => home.control(file)),
    home.users("passwd"),
    ...["postmaster", "mailer-daemon", "root"].map((name) => join(home.dir, "alias", `.qmail-${name}`)),
    ...[...tools, ...wrappers, { name: "dqmail" }].map(({ name }) => home.bin(name)),
    ...plan.downs.map((service) => join(service, "down")),
  ]);
  keeper.keep(namesIn(home.users("")), { ownerOnly: true });
  // A start gives alias what is in its folder where that was somebody else's.
  const alias = join(home.dir, "alias");
  const isForeign = existsSync(alias) && Deno.statSync(alias).uid !== preparingIds()?.alias.uid;
  if (isForeign) keeper.keep(treeBelow(alias), { ownerOnly: true });
}

function writeControl(home: Home, { file, text, secret }: PlannedControl): void {
  const path = home.control(file);
  if (existsSync(path)) return;
  const ids = preparingIds();
  const owner = ids === undefined || secret === undefined
    ? undefined
    : { uid: ids[secret.user].uid, gid: ids[secret.group].gid };
  const fresh = `${path}.new`;
  Deno.writeFileSync(fresh, toOctets(text));
  Deno.chmodSync(fresh, secret === undefined ? 0o644 : 0o640);
  if (owner !== undefined) Deno.chownSync(fresh, owner.uid, owner.gid);
  {
    using file = Deno.openSync(fresh, { read: true });
    file.syncSync();
  }
  Deno.renameSync(fresh, path);
}

/** Where qmail was, nobody is given a mailbox; a new host has to have a postmaster. */
function makeMailboxes(home: Home, { found }: Survey): void {
  const me = readControls(home, ["me"]);
  if (!me.ok) return;
  whileLocked(home, () => {
    if (existsSync(home.users("passwd"))) return;
    const postmaster = { name: "postmaster", domain: me.value.me, password: "" };
    addMailboxes(home, found === "nothing" ? [postmaster] : []);
  });
  prepareMailboxes(home, me.value.me);
}

const sendmailPath = "/usr/sbin/sendmail";

function linkSendmail(place: Place, keeper: Keeper, checkpoint: () => void): void {
  const path = onMachine(place, sendmailPath);
  const to = `${asMachineSays(place, place.prefix)}/bin/sendmail`;
  if (hasDiversions(place)) {
    const aside = `${sendmailPath}.before-dqmail`;
    keeper.add({ kind: "diversion", path: sendmailPath, to: aside });
    divert(place, sendmailPath, aside);
    checkpoint();
  } else keeper.keep([path]);
  Deno.mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.dqmail.new`;
  if (existsSync(fresh)) Deno.removeSync(fresh);
  Deno.symlinkSync(to, fresh);
  Deno.renameSync(fresh, path);
}
