/**
 * Where things lie below one qmail home. Every path in the project is made here, so that the grants, the start and the
 * components cannot disagree about one.
 * @module
 */
import { join, resolve } from "@std/path";

/** The Unix sockets between the processes; each has a folder of its own under `run/`, owned by the listening side. */
export const socketNames = [
  "supervisor",
  "supervisor-status",
  "qmail-queue",
  "queue-status",
  "qmail-send",
  "send-status",
  "send-control",
  "qread",
  "qmail-clean",
  "qmail-lspawn",
  "qmail-rspawn",
  "qmail-remote",
  "remote-status",
  "qmail-getpw",
  "resolver",
  "auth",
  "auth-tickets",
  "qmail-pop3d",
  "qmail-pop3spawn",
  "dial6",
  "dial6-permissions",
  "mta-sts",
  "sts-memory",
  "tally",
  "tlsrpt",
  "dmarcrpt",
  "hooks",
  "verify",
  "sign",
  "arcseal",
  "rspamd",
  "clamd",
  "milter",
  "custom",
  "multilog",
] as const;
export type SocketName = (typeof socketNames)[number];

/** qmail's own number of folders in mess, info, local and remote. */
export const defaultQueueSplit = 23;
/** Far above any that is in use: who writes more has mistaken it for something else. */
export const mostQueueSplit = 10_000;

export interface Home {
  readonly dir: string;
  /** Folders in mess, info, local and remote (qmail's conf-split), numbered from 0: a message's is its number modulo this. */
  readonly queueSplit: number;
  control(file: string): string;
  queue(...parts: string[]): string;
  socket(name: SocketName): string;
  users(file: string): string;
  mail(...parts: string[]): string;
  /** What tally remembers. */
  tally(...parts: string[]): string;
  /** What tlsrpt counts, and keeps for mta-sts. */
  tlsrpt(...parts: string[]): string;
  /** What dmarcrpt counts. */
  dmarcrpt(...parts: string[]): string;
  /** The log, as multilog keeps it. */
  log(...parts: string[]): string;
  /** sign's keys. */
  dkim(...parts: string[]): string;
  libexec(...parts: string[]): string;
  /** Programs for people and for other programs. */
  bin(...parts: string[]): string;
  run(...parts: string[]): string;
}

export interface HomeOptions {
  /** As control/queuesplit has it; a component is told by whoever starts it. */
  readonly queueSplit?: number;
}

/** The layout below `dir` (made absolute). */
export function homeAt(dir: string, { queueSplit = defaultQueueSplit }: HomeOptions = {}): Home {
  const root = resolve(dir);
  return {
    dir: root,
    queueSplit,
    control: (file) => join(root, "control", file),
    queue: (...parts) => join(root, "queue", ...parts),
    socket: (name) => join(root, "run", name, "s"),
    users: (file) => join(root, "users", file),
    mail: (...parts) => join(root, "mail", ...parts),
    tally: (...parts) => join(root, "tally", ...parts),
    tlsrpt: (...parts) => join(root, "tlsrpt", ...parts),
    dmarcrpt: (...parts) => join(root, "dmarcrpt", ...parts),
    log: (...parts) => join(root, "log", ...parts),
    dkim: (...parts) => join(root, "dkim", ...parts),
    libexec: (...parts) => join(root, "libexec", ...parts),
    bin: (...parts) => join(root, "bin", ...parts),
    run: (...parts) => join(root, "run", ...parts),
  };
}

/** Linux keeps a socket's path in 108 octets, the last of them NUL. */
export const longestSocketPath = 107;

/** What is wrong with `home` as a place for sockets, or undefined. */
export function homeDefect(home: Home): string | undefined {
  const longest = Math.max(...socketNames.map((name) => new TextEncoder().encode(home.socket(name)).length));
  if (longest > longestSocketPath) {
    return `the home ${JSON.stringify(home.dir)} is too long: a Unix socket below it would have ${longest} octets, ` +
      `the system takes ${longestSocketPath}; choose a shorter --home`;
  }
  if (/[,\n]/.test(home.dir)) return `the home ${JSON.stringify(home.dir)} may not hold a comma or a line end`;
  return undefined;
}
