/**
 * A machine on which qmail was installed, below a scratch root: control files, users, alias, programs, start scripts, a
 * queue with messages in every state; and everything that lies there, to be compared.
 * @module
 */
import { join } from "@std/path";
import { accountIds } from "../../config/accounts.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { OriginalQueue } from "./original_queue.ts";
import { makeBaseDir } from "./system.ts";

const isRoot = Deno.uid() === 0;
const ids = accountIds(isRoot ? Deno.readTextFileSync("/etc/passwd") : "");

/** qmail's own accounts, with the numbers that tests give them; vmail is none of them. */
function passwdLines(prefix: string): string[] {
  const names = ["alias", "qmaild", "qmaill", "qmailp", "qmailq", "qmailr", "qmails"] as const;
  return names.map((name) => `${name}:x:${ids[name].uid}:${ids[name].gid}::${prefix}:/bin/false`);
}

export interface OriginalHost extends Disposable {
  readonly root: string;
  /** The prefix as the machine names it, and from here. */
  readonly prefix: string;
  readonly dir: string;
  readonly queue: OriginalQueue;
  write(path: string, text: string, mode?: number): void;
}

export interface HostOptions {
  readonly split?: number;
  /** Without qmail's accounts in etc/passwd. */
  readonly withoutAccounts?: boolean;
  /** A machine with nothing of qmail's on it. */
  readonly empty?: boolean;
}

const controls: Readonly<Record<string, string>> = {
  me: "localhost\n",
  rcpthosts: "localhost\nvirt.example\n",
  locals: "localhost\n",
  virtualdomains: "virt.example:alias-virt\n",
  concurrencyremote: "40\n",
  // Of other qmails: one that is said otherwise here, and two without effect.
  srs_maxage: "14\n",
  validrcptto: "amy@localhost\n",
  "dh2048.pem": "not a key\n",
};

const programs = ["qmail-send", "qmail-queue", "qmail-inject", "sendmail", "qmail-qread", "forward"];

const smtpRun = `#!/bin/sh
# SMTP
exec /usr/local/bin/softlimit -m 30000000 \\
  /usr/local/bin/tcpserver -v -R -l "$LOCAL" -x /etc/tcp.smtp.cdb -c 77 \\
    -u "$QMAILDUID" -g "$NOFILESGID" 127.0.0.1 2599 /var/qmail/bin/qmail-smtpd 2>&1
`;

const rc = `#!/bin/sh
exec env - PATH="/var/qmail/bin:$PATH" \\
  qmail-start ./Mailbox splogger qmail
`;

/** Makes it. What root may do about owners is done where root runs the tests. */
export function originalHost({ split = 23, withoutAccounts = false, empty = false }: HostOptions = {}): OriginalHost {
  const root = makeBaseDir();
  const prefix = "/q";
  const dir = join(root, prefix);
  const write = (path: string, text: string, mode = 0o644) => {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(root, path), text);
    Deno.chmodSync(join(root, path), mode);
  };
  const accounts = withoutAccounts || empty ? [] : passwdLines(prefix);
  write(
    "etc/passwd",
    ["root:x:0:0::/root:/bin/sh", "amy:x:4711:4711::/people/amy:/bin/sh", ...accounts, ""].join("\n"),
  );
  const groups = accounts.length > 0 ? [`qmail:x:${ids.qmailq.gid}:`, `nofiles:x:${ids.qmaild.gid}:`] : [];
  write("etc/group", ["root:x:0:", "amy:x:4711:", ...groups, ""].join("\n"));
  const host = { root, prefix, dir, write, [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }) };
  if (empty) return { ...host, queue: undefined as unknown as OriginalQueue };
  for (const [file, text] of Object.entries(controls)) write(`${prefix}/control/${file}`, text);
  write("people/amy/.keep", "");
  if (isRoot) Deno.chownSync(join(root, "people/amy"), 4711, 4711);
  write("etc/tcp.smtp", '127.:allow,RELAYCLIENT=""\n:allow\n');
  write("etc/tcp.smtp.cdb", "compiled\n");
  write(`${prefix}/users/assign`, "+vip-:amy:4711:4711:/people/amy:-:vip-:\n.\n");
  write(`${prefix}/users/cdb`, "compiled later\n");
  write(`${prefix}/alias/.qmail-postmaster`, "&amy\n");
  write(`${prefix}/alias/.qmail-default`, "|fastforward -d /etc/aliases.cdb\n");
  write(`${prefix}/alias/Mailbox`, "From somebody\n\nhello\n", 0o600);
  write(`${prefix}/rc`, rc, 0o755);
  write(`${prefix}/supervise/qmail-send/run`, `#!/bin/sh\nexec ${prefix}/rc\n`, 0o755);
  write(`${prefix}/supervise/qmail-smtpd/run`, smtpRun, 0o755);
  for (const program of programs) write(`${prefix}/bin/${program}`, `#!qmail's own ${program}\n`, 0o711);
  Deno.symlinkSync("qmail-qread", join(dir, "bin/mailq"));
  for (const [path, mode] of [["alias", 0o2755], ["users", 0o755], ["control", 0o755]] as const) {
    Deno.chmodSync(join(dir, path), mode);
  }
  const queue = new OriginalQueue(join(dir, "queue"), split);
  Deno.chmodSync(join(dir, "queue"), 0o750);
  if (isRoot) giveAway(dir);
  return { ...host, queue };
}

function giveAway(dir: string): void {
  Deno.chownSync(join(dir, "queue"), ids.qmailq.uid, ids.qmailq.gid);
  for (const path of ["alias", "alias/.qmail-postmaster", "alias/.qmail-default", "alias/Mailbox"]) {
    Deno.chownSync(join(dir, path), ids.alias.uid, ids.qmailq.gid);
  }
  Deno.chmodSync(join(dir, "alias"), 0o2755);
  Deno.chownSync(join(dir, "bin/qmail-queue"), ids.qmailq.uid, ids.qmailq.gid);
  Deno.chmodSync(join(dir, "bin/qmail-queue"), 0o4711);
}

/** Everything below `dir`, but what is below `except`: kind, mode, owner and octets of each place, by its path. */
export function inventory(dir: string, except: readonly string[] = []): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    if (except.includes(path)) return;
    const info = Deno.lstatSync(path);
    const owned = `${((info.mode ?? 0) & 0o7777).toString(8)} ${info.uid}:${info.gid}`;
    if (info.isSymlink) found[path] = `link ${Deno.readLinkSync(path)}`;
    else if (info.isFile) {
      found[path] = `file ${owned} ${info.mtime?.getTime()} ${JSON.stringify(fromOctets(Deno.readFileSync(path)))}`;
    } else found[path] = `${info.isDirectory ? "folder" : "other"} ${owned}`;
    if (!info.isDirectory) return;
    for (const name of Array.from(Deno.readDirSync(path), ({ name }) => name).sort()) visit(join(path, name));
  };
  visit(dir);
  return found;
}
