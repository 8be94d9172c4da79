/**
 * The programs below the home's `bin/` and what each may touch. They are nobody's children: whoever may run one does, as
 * himself.
 * @module
 */
import { join } from "@std/path";
import type { Home } from "../../config/home.ts";
import { controlFilesOf } from "../../config/schema.ts";
import type { Endpoint } from "../../config/values.ts";
import { filterNames, type Filters, socketsForWays } from "../lib/filters/chain.ts";
import { routeVariable } from "../lib/filters/route.ts";
import { controlPaths, type Grant, netAddress } from "../lib/permissions/grant.ts";
import { defaultUserHomes } from "../lib/users/user_homes.ts";

/** What of the control files a program's grant may depend on, as it is when its script is made. */
export interface ToolControls {
  /** control/userhomes, for those that look at homes. */
  readonly userHomes?: readonly string[];
  /** control/qmqpservers. */
  readonly qmqpservers?: readonly Endpoint[];
  /** control/filters. */
  readonly filters?: Filters;
}

export interface Tool {
  /** The program's name; its code is `components/tools/NAME.ts`. */
  readonly name: string;
  readonly job: string;
  readonly permissions: (home: Home, controls?: ToolControls) => Grant;
  /** It is given its caller's arguments and environment, octet for octet (support/caller.ts). */
  readonly knowsCaller?: true;
  /** Where one of these variables is set, and only there, it may run a program: its own, or what reads its file. */
  readonly runsFor?: readonly string[];
  /** It is given this variable of its caller's as the option `--filters`. */
  readonly knowsFilters?: string;
  /** It works the same wherever the home is: its arguments are its caller's alone. */
  readonly withoutHome?: true;
  /** It is told of the TCP connection on its descriptor 0. */
  readonly knowsSocket?: true;
  /** What may be read and written is the caller's to say: shell words, of the arguments or of these variables. */
  readonly paths?: {
    readonly variables?: readonly string[];
    readonly read?: readonly string[];
    readonly write?: readonly string[];
  };
}

/** A program of `bin/` that is a shell's few words: it keeps its caller's environment, and no deno is in it. */
export interface Wrapper {
  readonly name: string;
  readonly job: string;
  /** `program` answers the word for another program of `bin/`. */
  readonly script: (program: (name: string) => string) => string;
}

/** The right to run any program, for those whose purpose that is: each starts through the shell (support/child.ts). */
const anyProgram: Grant = { run: ["/bin/sh"] };

/** The right to queue mail, through the filters of control/filters for mail that is written here. */
function queues({ filters = new Map() }: ToolControls = {}): Grant {
  return { calls: socketsForWays(filters, ["local"]), sys: ["uid"] };
}

function queueFolders(home: Home, ...dirs: readonly string[]): Grant {
  return { read: dirs.map((dir) => home.queue(dir)) };
}

/** Names what queues instead of the daemon. */
const queueVariables = ["QMAILQUEUE"];
/** And the file that cat(1) reads for those that complete a header. */
const injectVariables = [...queueVariables, "QMAILMFTFILE"];

/** qmail-inject's grant, which others have that queue in the same way. */
function injects(home: Home, controls?: ToolControls, read: readonly string[] = []): Grant {
  return { ...queues(controls), read: [...controlPaths(home, controlFilesOf("qmail-inject")), ...read] };
}

export const tools: readonly Tool[] = [
  {
    name: "qmail-queue",
    job: "hands one message to the daemon of that name",
    // The message and the envelope are open already: reading those takes no permission.
    // Run by a program in a chain of filters it hands on to the one behind it: a reload may name any of them, and this
    // script stays.
    permissions: () => ({ calls: ["qmail-queue", ...filterNames], sys: ["uid"] }),
    knowsFilters: routeVariable,
  },
  {
    name: "qmail-qmqpc",
    job: "hands one message to a server of control/qmqpservers over QMQP, in qmail-queue's place",
    permissions: (home, { qmqpservers = [] } = {}) => ({
      read: controlPaths(home, controlFilesOf("qmail-qmqpc")),
      connect: qmqpservers.map(netAddress),
    }),
  },
  {
    name: "qmail-qread",
    job: "lists the messages that are preprocessed",
    permissions: (home) => queueFolders(home, "info", "todo", "mess", "local", "remote", "bounce"),
  },
  {
    name: "qmail-qstat",
    job: "counts the messages in the queue",
    permissions: (home) => queueFolders(home, "mess", "todo", "journal"),
  },
  {
    name: "qmail-tcpto",
    job: "lists the addresses that timed out",
    permissions: () => ({ calls: ["remote-status"] }),
  },
  {
    name: "qmail-tcpok",
    job: "forgets which addresses timed out",
    // Who may is decided by the folder around that socket.
    permissions: () => ({ calls: ["qmail-remote"] }),
  },
  {
    name: "forward",
    job: "queues the message on its input for other addresses",
    permissions: (_home, controls) => queues(controls),
    knowsCaller: true,
    runsFor: queueVariables,
  },
  {
    name: "condredirect",
    job: "does so where a program says yes",
    permissions: (_home, controls) => ({ ...queues(controls), ...anyProgram }),
    knowsCaller: true,
    runsFor: queueVariables,
  },
  {
    name: "qreceipt",
    job: "answers a request for a notice of delivery",
    permissions: (_home, controls) => queues(controls),
    knowsCaller: true,
    runsFor: queueVariables,
  },
  {
    name: "qmail-inject",
    job: "completes the header of a message and queues it",
    permissions: (home, controls) => injects(home, controls),
    knowsCaller: true,
    runsFor: injectVariables,
  },
  {
    name: "sendmail",
    job:
      "does so for programs that run /usr/sbin/sendmail; -bs speaks SMTP with them, -bp lists the queue, -bt and -bv say where mail goes",
    permissions: (home, controls) =>
      injects(home, controls, [
        ...controlPaths(home, ["envnoathost", "locals", "percenthack", "virtualdomains"]),
        ...queueFolders(home, "info", "mess", "local", "remote", "bounce").read ?? [],
      ]),
    knowsCaller: true,
    runsFor: injectVariables,
  },
  {
    name: "mailsubj",
    job: "does so with a subject and recipients as arguments",
    permissions: (home, controls) => injects(home, controls),
    knowsCaller: true,
    runsFor: injectVariables,
  },
  {
    name: "bouncesaying",
    job: "has a message bounce, always or where a program says yes",
    permissions: () => anyProgram,
    knowsCaller: true,
  },
  { name: "except", job: "turns a program's answer around", permissions: () => anyProgram, knowsCaller: true },
  {
    name: "preline",
    job: "runs a program with UFLINE, RPLINE and DTLINE in front of the message",
    permissions: () => anyProgram,
    knowsCaller: true,
  },
  {
    name: "predate",
    job: "runs a program with a Date field in front of the message",
    permissions: () => anyProgram,
    knowsCaller: true,
  },
  {
    name: "dot-forward",
    job: "follows a .forward file",
    // Its files, too, are opened by the shell: whoever may run one can read all that its user can.
    permissions: (_home, controls) => ({ ...queues(controls), ...anyProgram }),
    knowsCaller: true,
    runsFor: queueVariables,
  },
  {
    name: "fastforward",
    job: "forwards by a table made by setforward or newaliases",
    permissions: (_home, controls) => ({ ...queues(controls), ...anyProgram }),
    knowsCaller: true,
    runsFor: queueVariables,
  },
  {
    name: "setforward",
    job: "makes that table",
    permissions: () => ({}),
    withoutHome: true,
    paths: { read: ["$1", "$2"], write: ["$1", "$2"] },
  },
  {
    name: "newaliases",
    job: "makes that table of /etc/aliases",
    permissions: () => ({
      read: ["/etc/aliases", "/etc/aliases.cdb", "/etc/aliases.tmp"],
      write: ["/etc/aliases.cdb", "/etc/aliases.tmp"],
    }),
    withoutHome: true,
  },
  { name: "printforward", job: "prints that table", permissions: () => ({}), withoutHome: true },
  {
    name: "qbiff",
    job: "tells of new mail on its user's terminals",
    // Deno opens no device without all permissions there are: a shell writes.
    permissions: () => ({ read: ["/var/run/utmp", "/run/utmp"], ...anyProgram }),
    knowsCaller: true,
  },
  {
    name: "tcp-env",
    job: "runs a program with the variables of a TCP connection",
    permissions: () => ({ calls: ["resolver"], ...anyProgram }),
    knowsCaller: true,
    knowsSocket: true,
  },
  {
    name: "tcprules",
    job: "makes a cdb file of rules for connections",
    permissions: () => ({}),
    withoutHome: true,
    paths: { read: ["$1", "$2"], write: ["$1", "$2"] },
  },
  {
    name: "tcprulescheck",
    job: "says which of them is for an address",
    permissions: () => ({}),
    withoutHome: true,
    paths: { variables: ["TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEINFO"], read: ["$1"] },
  },
  { name: "maildirmake", job: "makes a Maildir", permissions: () => ({}), withoutHome: true, paths: { write: ["$1"] } },
  {
    name: "maildir2mbox",
    job: "moves a Maildir's messages into an mbox file",
    permissions: () => ({}),
    withoutHome: true,
    paths: {
      variables: ["MAILDIR", "MAIL"],
      read: ["$MAILDIR", "$MAIL"],
      write: ["$MAILDIR", "$MAIL"],
    },
  },
  {
    name: "maildirwatch",
    job: "shows a Maildir's new mail, again and again",
    permissions: () => ({}),
    withoutHome: true,
    paths: { variables: ["MAILDIR"], read: ["$MAILDIR"] },
  },
  {
    name: "qmail-showctl",
    job: "prints every control file, its value and its meaning",
    permissions: (home) => ({ read: [home.control("")] }),
  },
  {
    name: "splogger",
    job: "gives lines to syslog",
    // Deno speaks to no datagram socket of the file system but by an unstable interface: logger(1) does.
    permissions: () => ({ run: ["/usr/bin/logger"] }),
    withoutHome: true,
  },
  {
    name: "qmail-newu",
    job: "makes users/cdb of users/assign",
    permissions: (home) => ({
      read: ["assign", "cdb.tmp"].map(home.users),
      write: ["cdb.tmp", "cdb"].map(home.users),
    }),
  },
  {
    name: "qmail-pw2u",
    job: "makes users/assign of /etc/passwd",
    permissions: (home, { userHomes = defaultUserHomes } = {}) => ({
      read: [
        ...["include", "exclude", "mailnames", "subusers", "append"].map(home.users),
        ...userHomes,
        join(home.dir, "alias"),
      ],
    }),
    knowsCaller: true,
  },
  {
    name: "qmail-getpw",
    job: "prints whose mail a local part is among the accounts of the system",
    permissions: (_home, { userHomes = defaultUserHomes } = {}) => ({ read: ["/etc/passwd", ...userHomes] }),
    knowsCaller: true,
  },
  {
    name: "qmail-newmrh",
    job: "makes control/morercpthosts.cdb of control/morercpthosts",
    permissions: (home) => ({
      read: ["morercpthosts", "morercpthosts.tmp"].map(home.control),
      write: ["morercpthosts.tmp", "morercpthosts.cdb"].map(home.control),
    }),
  },
];

/** Moves new mail into the mbox file, then becomes a mail reader. */
function mailReader(name: string, reader: string): Wrapper {
  return {
    name,
    job: `maildir2mbox, then ${reader}`,
    script: (program) => `${program("maildir2mbox")} && exec ${reader} "$@"`,
  };
}

export const wrappers: readonly Wrapper[] = [
  {
    name: "datemail",
    job: "predate sendmail",
    script: (program) => `exec ${program("predate")} ${program("sendmail")} "$@"`,
  },
  {
    name: "mailq",
    job: "sendmail -bp",
    script: (program) => `exec ${program("sendmail")} -bp "$@"`,
  },
  mailReader("elq", "elm"),
  mailReader("pinq", "pine"),
  mailReader("qail", "Mail"),
];
