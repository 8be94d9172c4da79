/**
 * Makes a qmail home: the folders, and for an embedded default the control files and the demo mailbox. What is there
 * already stays as it is.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import { accountIds } from "../../config/accounts.ts";
import { type Home, type SocketName, socketNames } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { putFile } from "../../components/lib/disk/put_file.ts";
import { parsePasswdFile } from "../../components/lib/users/passwd_file.ts";
import { flatDirs, ownDirs, splitDirs } from "../../components/lib/queue/layout.ts";
import type { Account, Ids } from "../../components/lib/permissions/grant.ts";
import { formatLauncher } from "../../components/supervisor/launcher.ts";
import { unitScripts } from "../../components/supervisor/systemd/scripts.ts";
import { lmtpSockets } from "../../components/qmail-smtpd/permissions.ts";
import { formatProgramScript } from "../../components/qmail-local/program_script.ts";
import { manifests } from "../../config/manifests.ts";
import type { Listener } from "../../config/values.ts";
import { lockFiles, prepareLockFiles } from "./lock_files.ts";
import { addMailboxes, readPasswdLines, replaceFile, whileLocked } from "./mailboxes.ts";

/** A folder with its owner (where root makes it) and mode. */
export interface Folder {
  readonly path: string;
  readonly owner: Account;
  /** "queue": qmail's shared group; "nofiles": that of qmail's accounts that do not share it; "admin": the pages'; "own": the owner's. */
  readonly group: "queue" | "nofiles" | "vmail" | "admin" | "own";
  readonly mode: number;
}

/**
 * Who listens on a socket, and who may connect: all, those who share the queue (`false`), qmail's accounts that do not
 * ("nofiles", the servers among them), who reads the mailboxes ("vmail"), the operator's pages ("admin"), or its owner and
 * root alone.
 */
type Audience = boolean | "nofiles" | "vmail" | "admin" | "owner";
const socketOwners: Readonly<Record<SocketName, { owner: Account; open: Audience }>> = {
  "supervisor": { owner: "root", open: "owner" },
  "supervisor-status": { owner: "root", open: true },
  "qmail-queue": { owner: "qmailq", open: true },
  "queue-status": { owner: "qmailq", open: true },
  "qmail-send": { owner: "qmails", open: false },
  "send-status": { owner: "qmails", open: true },
  "send-control": { owner: "qmails", open: "admin" },
  "qread": { owner: "qmails", open: "admin" },
  "qmail-clean": { owner: "qmailq", open: false },
  "qmail-lspawn": { owner: "root", open: false },
  "qmail-rspawn": { owner: "qmailr", open: false },
  "qmail-remote": { owner: "qmailr", open: false },
  "remote-status": { owner: "qmailr", open: true },
  "qmail-getpw": { owner: "qmailp", open: true },
  "resolver": { owner: "qmaild", open: true },
  "auth": { owner: "qmailp", open: "nofiles" },
  "auth-tickets": { owner: "qmailp", open: "vmail" },
  "qmail-pop3d": { owner: "vmail", open: "nofiles" },
  "qmail-pop3spawn": { owner: "root", open: "nofiles" },
  "dial6": { owner: "qmailr", open: "owner" },
  "dial6-permissions": { owner: "root", open: false },
  "mta-sts": { owner: "qmaild", open: false },
  "sts-memory": { owner: "qmaill", open: "nofiles" },
  "tally": { owner: "qmaill", open: "nofiles" },
  "tlsrpt": { owner: "qmaill", open: false },
  "dmarcrpt": { owner: "qmaill", open: "nofiles" },
  "hooks": { owner: "qmaild", open: "owner" },
  "verify": { owner: "qmaild", open: true },
  "sign": { owner: "qmaill", open: true },
  "arcseal": { owner: "qmaill", open: true },
  "rspamd": { owner: "qmaild", open: true },
  "clamd": { owner: "qmaild", open: true },
  "milter": { owner: "qmaild", open: true },
  "custom": { owner: "qmaild", open: true },
  "multilog": { owner: "qmaill", open: "admin" },
};

/** An account whose primary group it is; of "own" the folder's owner. */
const groupOwners: Readonly<Record<Folder["group"], Account | undefined>> = {
  queue: "qmailq",
  nofiles: "qmaild",
  vmail: "vmail",
  admin: "qmailw",
  own: undefined,
};

/** Every folder of a home that a start makes, in that order. */
export function foldersOf(home: Home): readonly Folder[] {
  const plain = (path: string): Folder => ({ path, owner: "root", group: "own", mode: 0o755 });
  const queueOwner: Record<string, readonly [Account, number]> = {
    pid: ["qmailq", 0o700],
    intd: ["qmailq", 0o700],
    mess: ["qmailq", 0o750],
    todo: ["qmailq", 0o750],
    info: ["qmails", 0o700],
    local: ["qmails", 0o700],
    remote: ["qmails", 0o700],
    bounce: ["qmails", 0o700],
    lock: ["qmailq", 0o770],
    journal: ["qmailq", 0o750],
    "journal/numbers": ["qmailq", 0o700],
    options: ["qmailq", 0o750],
    delayed: ["qmails", 0o700],
    paused: ["qmails", 0o700],
  };
  const queue = [...splitDirs, ...flatDirs, ...ownDirs].flatMap((dir): Folder[] => {
    const [owner, mode] = queueOwner[dir]!;
    const parts = (splitDirs as readonly string[]).includes(dir)
      ? Array.from({ length: home.queueSplit }, (_, part) => String(part))
      : [];
    return [home.queue(dir), ...parts.map((part) => home.queue(dir, part))].map((path) => ({
      path,
      owner,
      group: "queue",
      mode,
    }));
  });
  const sockets = socketNames.map((name): Folder => {
    const { owner, open } = socketOwners[name];
    if (open === "owner") return { path: home.run(name), owner, group: "own", mode: 0o700 };
    if (open === "nofiles" || open === "vmail" || open === "admin") {
      return { path: home.run(name), owner, group: open, mode: 0o750 };
    }
    return { path: home.run(name), owner, group: open ? "own" : "queue", mode: open ? 0o755 : 0o750 };
  });
  return [
    ...[
      home.dir,
      home.control(""),
      home.queue(),
      home.run(),
      home.libexec(),
      home.libexec("launch"),
      home.libexec("grants"),
      home.bin(),
    ].map(plain),
    { path: home.users(""), owner: "qmailp", group: "own", mode: 0o700 },
    { path: join(home.dir, "alias"), owner: "alias", group: "own", mode: 0o755 },
    { path: home.mail(), owner: "vmail", group: "own", mode: 0o700 },
    { path: home.tally(), owner: "qmaill", group: "own", mode: 0o700 },
    { path: home.tlsrpt(), owner: "qmaill", group: "own", mode: 0o700 },
    { path: home.dmarcrpt(), owner: "qmaill", group: "own", mode: 0o700 },
    { path: home.log(), owner: "qmaill", group: "own", mode: 0o700 },
    { path: home.dkim(), owner: "qmaill", group: "own", mode: 0o700 },
    ...queue,
    ...sockets,
  ];
}

/** The ids of every account when root prepares, else `undefined`: everything belongs to the one who starts. */
export function preparingIds(): Readonly<Record<Account, Ids>> | undefined {
  return Deno.uid() === 0 ? accountIds(Deno.readTextFileSync("/etc/passwd")) : undefined;
}

/** Makes what is missing; by root also sets owners and modes. */
export function prepareFolders(home: Home): void {
  const ids = preparingIds();
  const foreign = new Set<string>();
  for (const folder of foldersOf(home)) {
    ensureDirSync(folder.path);
    if (ids === undefined) continue;
    const { uid } = ids[folder.owner];
    if (Deno.statSync(folder.path).uid !== uid) foreign.add(folder.path);
    Deno.chownSync(folder.path, uid, ids[groupOwners[folder.group] ?? folder.owner].gid);
    Deno.chmodSync(folder.path, folder.mode);
  }
  prepareLockFiles(home);
  if (ids !== undefined) takeOverFiles(home, ids, foreign);
}

/**
 * The folders below run/ of sockets that control/listeners has there, qmail-smtpd's own. Anybody may enter: the socket
 * itself is for its owner and group. Elsewhere the operator makes the folder.
 */
export function prepareSocketFolders(home: Home, listeners: readonly Listener[]): void {
  const owner = preparingIds()?.qmaild;
  for (const path of lmtpSockets(listeners, home)) {
    const folder = dirname(path);
    if (dirname(folder) !== home.run()) continue;
    ensureDirSync(folder);
    if (owner === undefined) continue;
    Deno.chownSync(folder, owner.uid, owner.gid);
    Deno.chmodSync(folder, 0o755);
  }
}

/**
 * Writes the launchers: they only point to the grants, which the supervisor writes. `program` starts programs of
 * accounts' `.qmail` files; the others are systemd's way to the launchers.
 */
export function prepareLaunchers(home: Home): void {
  const scripts = manifests.map(({ name, forHome = {} }) =>
    [name, formatLauncher(name, home, { forHome: Object.keys(forHome) })] as const
  );
  for (const [name, text] of [...scripts, ["program", formatProgramScript(home)] as const, ...unitScripts()]) {
    // By an upgrade it may be started meanwhile.
    putFile(home.libexec("launch", name), text, 0o755);
  }
}

/**
 * Files that an ordinary user's start, or an earlier numbering of the accounts, left to someone else. They lie in folders
 * that were someone else's (`foreign`); to look at each file of a large queue would hold up every start.
 */
function takeOverFiles(home: Home, ids: Readonly<Record<Account, Ids>>, foreign: ReadonlySet<string>): void {
  const owners: readonly (readonly [string, Ids])[] = [
    ...["pid", "intd", "mess", "todo", "journal", "options"].map((dir) => [home.queue(dir), ids.qmailq] as const),
    ...["info", "local", "remote", "bounce", "delayed", "paused"].map((dir) => [home.queue(dir), ids.qmails] as const),
    [home.queue("lock", "queuemutex"), ids.qmailq],
    ...lockFiles.map(({ name, owner }) => [home.queue("lock", name), ids[owner]] as const),
    [home.users(""), ids.qmailp],
    [join(home.dir, "alias"), ids.alias],
    [home.mail(), ids.vmail],
    [home.tally(), ids.qmaill],
    [home.tlsrpt(), ids.qmaill],
    [home.dmarcrpt(), ids.qmaill],
    [home.log(), ids.qmaill],
    [home.dkim(), ids.qmaill],
  ];
  for (const [path, { uid, gid }] of owners) {
    const isSmall = path === home.users("") || !existsSync(path) || !Deno.lstatSync(path).isDirectory;
    if (isSmall || [...foreign].some((folder) => folder === path || folder.startsWith(`${path}/`))) {
      chownBelow(path, uid, gid);
    }
  }
}

function chownBelow(path: string, uid: number, gid: number): void {
  if (!existsSync(path)) return;
  const info = Deno.lstatSync(path);
  if (info.isSymlink) return;
  if (info.uid !== uid) Deno.chownSync(path, uid, gid);
  if (!info.isDirectory) return;
  for (const entry of Deno.readDirSync(path)) chownBelow(join(path, entry.name), uid, gid);
}

const defaultControls: readonly (readonly [string, string])[] = [
  ["me", "localhost\n"],
  ["rcpthosts", "localhost\n"],
  ["relayclients", "# who may send mail to the whole world through this server\n127.0.0.0/8\n::1\n"],
];

/** The control files of an embedded default; nothing where `control/me` is there. */
export function prepareControls(home: Home): void {
  if (existsSync(home.control("me"))) return;
  for (const [file, text] of defaultControls) {
    if (!existsSync(home.control(file))) Deno.writeTextFileSync(home.control(file), text);
  }
}

/**
 * Where qmail has run until now, and no start of ours: its accounts of the system go on getting mail, unless
 * control/systemusers says something else already. To be called before {@link prepareFolders}.
 */
export function keepSystemUsers(home: Home, say: (line: string) => void): void {
  const isQmails = existsSync(home.control("me")) && existsSync(home.queue("mess")) && !existsSync(home.libexec());
  const file = home.control("systemusers");
  if (!isQmails || existsSync(file)) return;
  Deno.writeTextFileSync(file, "1\n");
  say(`accounts of the system get mail, as they did from qmail: wrote ${file}`);
}

const postmaster = "postmaster";

/**
 * The two mailboxes of an embedded default, in the domain of this host, where `users/passwd` is not there; and the
 * addresses that every host has.
 */
export function prepareMailboxes(home: Home, me: string): void {
  whileLocked(home, () => {
    if (existsSync(home.users("passwd"))) return;
    addMailboxes(home, ["demo", postmaster].map((name) => ({ name, domain: me, password: "" })));
  });
  prepareAlias(home, me);
}

/** Standard addresses (RFC 5321 §4.5.1, RFC 2142 and qmail's convention). */
const standardAddresses = [postmaster, "mailer-daemon", "root"];

/**
 * alias's `.qmail` files for the standard addresses, where they are absent: mail for them, in any local domain, goes to
 * this host's postmaster. Without that mailbox there is nobody to forward to, and a file would only make a loop.
 */
function prepareAlias(home: Home, me: string): void {
  const mailboxes = parsePasswdFile(readPasswdLines(home).join("\n"));
  if (!mailboxes.ok || !mailboxes.value.has(`${postmaster}@${me}`)) return;
  for (const address of standardAddresses) {
    const path = join(home.dir, "alias", `.qmail-${address}`);
    if (ifThere(() => Deno.lstatSync(path)) !== undefined) continue;
    replaceFile(path, `&${postmaster}@${me}\n`, { mode: 0o644, owner: preparingIds()?.alias });
  }
}
