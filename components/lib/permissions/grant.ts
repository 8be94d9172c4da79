/**
 * What one component may touch, as data, and the same as flags of the deno command line. Each component computes its
 * grant in its permissions.ts; nobody else writes a flag.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";
import type { Controls } from "../../../config/schema.ts";
import type { Endpoint } from "../../../config/values.ts";
import { publicNetworks } from "./public_networks.ts";

/** Paths are absolute; a folder stands for all below it. Addresses are `host:port`, `[v6]:port` or `network/bits:port`. */
export interface Grant {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  /** TCP and UDP addresses it binds. */
  readonly listen?: readonly string[];
  /** TCP and UDP addresses it connects to or sends to; {@link publicHost} stands for every public address of IPv4. */
  readonly connect?: readonly string[];
  /** Unix sockets it makes and listens on. */
  readonly serves?: readonly SocketName[];
  /** Unix sockets of others it connects to. */
  readonly calls?: readonly SocketName[];
  /** Unix sockets of other software on this machine that it connects to, by absolute path. */
  readonly callsPaths?: readonly string[];
  /** Unix sockets it makes for other software on this machine, by absolute path. */
  readonly servesPaths?: readonly string[];
  /** Programs it may start, by absolute path. */
  readonly run?: readonly string[];
  /** Names of deno's `--allow-sys`. */
  readonly sys?: readonly string[];
  /** Variables it may read. */
  readonly env?: readonly string[];
  /** Paths below those it may read or write which are refused all the same. */
  readonly except?: readonly string[];
  /**
   * The process has no flags: the supervisor decides each of its deeds when it asks on this socket (decide.ts). Only such
   * a grant may name networks of IPv6.
   */
  readonly broker?: SocketName;
  /** Interfaces of deno that need a flag of their own: no right, what they reach is granted as anything else. */
  readonly unstable?: readonly "net"[];
}

/** Stands for the account's home in a grant of `forHome` until the process is started. No path has such an octet. */
export const userHomeWord = "/\u0001";

/**
 * The accounts of qmail that processes run under, `vmail` for virtual mailboxes, and `qmailw` for the operator's pages,
 * which may give commands; `root` starts and drops nothing.
 */
export const accounts = [
  "root",
  "alias",
  "qmaild",
  "qmaill",
  "qmailp",
  "qmailq",
  "qmailr",
  "qmails",
  "vmail",
  "qmailw",
] as const;
export type Account = (typeof accounts)[number];

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** What a grant may depend on. */
export interface Config {
  readonly home: Home;
  readonly portOffset: number;
  readonly controls: Controls;
  /** control/nameservers, or those of the machine. */
  readonly nameservers: readonly Endpoint[];
  /** Whether this machine has an address in the Internet's IPv6; absent: not that anybody knew. */
  readonly globalIpv6?: boolean;
}

/** What the supervisor, the documentation and the tests know about a component. */
export interface Manifest {
  /** Folder, process name, log tag and launcher. */
  readonly name: string;
  readonly job: string;
  readonly account: Account;
  /** `supervisor`: started and kept up by it; otherwise the component that starts it on demand. */
  readonly startedBy: "start" | "supervisor" | "qmail-lspawn";
  /**
   * Started when another component first wants to connect to it, and ended when nobody has asked it for
   * control/idleseconds; absent: from the start to the end.
   */
  readonly onDemand?: true;
  /** The others are started when it is ready, or a moment later. */
  readonly startsFirst?: true;
  /** Stopped in ascending order: first those that let mail in, last those the others need to finish. */
  readonly stopOrder: number;
  /** A successor is ready before it is told to go (`--successor`): it shares ports, and nothing else that only one may have. */
  readonly overlaps?: boolean;
  readonly permissions: (config: Config) => Grant;
  /**
   * Further grants of the same program, by the word that asks for one (`--account`): each for the home of one account,
   * which follows that word when it is started.
   */
  readonly forHome?: Readonly<Record<string, (config: Config, userHome: string) => Grant>>;
  /** Whether a home with these settings has a use for it; absent: always. */
  readonly neededWhen?: (config: Config) => boolean;
  /** The same in words for the documentation, behind "when". */
  readonly neededWords?: string;
  /** What control files, each well-formed, would make of it together that may not be: a line each. */
  readonly defects?: (config: Config) => readonly string[];
  /**
   * How many processes of it run, each with the same grant; absent: one. The second is called NAME-2 and is started with
   * `--instance 2`, and so on.
   */
  readonly instances?: (config: Config) => number;
  /**
   * Scripts around programs of the operator, by name: the supervisor writes them below `libexec/grants/programs`, and its
   * grant's `run` names them. Each starts the one program that is written in it.
   */
  readonly programs?: (config: Config) => ReadonlyMap<string, string>;
  /** Whether it must begin as root, to bind a port below 1024, and give root up itself (`--setuid`, `--setgid`). */
  readonly bindsLowPort?: (config: Config) => boolean;
}

/** `host:port` as deno's flags write it. */
export function netAddress(endpoint: Endpoint): string {
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

/** As a host in a grant: all of {@link publicNetworks}. */
export const publicHost = "public";

/** An address of a grant as deno's flags know it. */
function netFlagsOf(address: string): readonly string[] {
  const prefix = `${publicHost}:`;
  if (!address.startsWith(prefix)) return [address];
  return publicNetworks.map((network) => `${network}:${address.slice(prefix.length)}`);
}

/** The control files of a component as read grants. */
export function controlPaths(home: Home, files: readonly string[]): string[] {
  return files.map((file) => home.control(file));
}

/** All paths and addresses of a grant by kind of permission: what the flags say and what an audit may show. */
export interface Rights {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly net: readonly string[];
  readonly run: readonly string[];
  readonly sys: readonly string[];
  readonly env: readonly string[];
}

/** A Unix socket takes three rights in Deno: net, read and write of its path. */
export function rightsOf(grant: Grant, home: Home): Rights {
  const own = [...grant.serves ?? [], ...grant.calls ?? []].map((name) => home.socket(name));
  const sockets = [...own, ...grant.callsPaths ?? [], ...grant.servesPaths ?? []];
  return {
    read: [...grant.read ?? [], ...sockets],
    write: [...grant.write ?? [], ...sockets],
    net: [...grant.listen ?? [], ...grant.connect ?? [], ...sockets.map((path) => `unix:${path}`)],
    run: grant.run ?? [],
    sys: grant.sys ?? [],
    env: grant.env ?? [],
  };
}

/** How many processes of a component a home with these settings needs; none where it has no use for it. */
export function instancesOf({ neededWhen, instances }: Manifest, config: Config): number {
  // A host without a queue has nothing to hand mail to, or to take it from.
  if (config.controls.mode === "mini") return 0;
  if (neededWhen?.(config) === false) return 0;
  return instances?.(config) ?? 1;
}

/**
 * The `--allow-*` flags; a kind with nothing in it has no flag, so deno refuses all of it. None for a grant with a broker:
 * without the broker such a process has no right at all.
 */
export function flagsOf(grant: Grant, home: Home): string[] {
  if (grant.broker !== undefined) return [];
  const rights = rightsOf(grant, home);
  const except = grant.except ?? [];
  return [
    ...(["read", "write", "net", "run", "sys", "env"] as const)
      .filter((kind) => rights[kind].length > 0)
      .flatMap((kind) =>
        kind === "sys" ? sysFlags(rights.sys) : [
          `--allow-${kind}=${[...new Set(kind === "net" ? rights.net.flatMap(netFlagsOf) : rights[kind])].join(",")}`,
        ]
      ),
    ...(except.length === 0 ? [] : [`--deny-read=${except.join(",")}`, `--deny-write=${except.join(",")}`]),
    ...(grant.unstable ?? []).map((name) => `--unstable-${name}`),
  ];
}

/** What `--allow-sys` and `--deny-sys` of deno 2.9.6 take by name. */
const namedSys = [
  ...[
    "hostname",
    "osRelease",
    "osUptime",
    "loadavg",
    "networkInterfaces",
    "systemMemoryInfo",
    "uid",
    "gid",
    "cpus",
    "username",
  ],
  ...["userInfo", "homedir", "getegid", "getPriority", "setPriority", "statfs"],
];

/** `setgid` and `setuid` are checked by these names, but the command line does not know them: all the others are denied instead. */
function sysFlags(sys: readonly string[]): string[] {
  if (sys.every((name) => namedSys.includes(name))) return [`--allow-sys=${sys.join(",")}`];
  return ["--allow-sys", `--deny-sys=${namedSys.filter((name) => !sys.includes(name)).join(",")}`];
}
