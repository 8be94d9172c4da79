/**
 * What systemd keeps a component from, beside deno: made of its grant, so the two cannot disagree. What deno refuses to a
 * program, this refuses to the process, also where somebody has got the better of deno.
 *
 * `MemoryDenyWriteExecute` is not among it: V8 makes machine code while it runs.
 * @module
 */
import { join } from "@std/path";
import { type Config, type Grant, type Manifest, publicHost } from "../../components/lib/permissions/grant.ts";
import { publicNetworks } from "../../components/lib/permissions/public_networks.ts";
import { pathWord } from "./word.ts";

/** What follows from a component's place and grant. */
export interface Nature {
  /** It starts processes as the owners of mailboxes. */
  readonly becomesUsers: boolean;
  /** It starts others: components, or programs. */
  readonly runs: boolean;
  /** There are programs of users' or of the operator's below it. */
  readonly runsPrograms: boolean;
  /** It speaks with other hosts. */
  readonly speaks: boolean;
  /** It listens on a port below 1024. */
  readonly lowPort: boolean;
  /** It needs to know whose a file is. */
  readonly knowsOwners: boolean;
}

/** By what is known of a component. */
export function natureOf(manifest: Manifest, config: Config): Nature {
  const grant = manifest.permissions(config);
  const runs = (grant.run ?? []).length > 0;
  return {
    becomesUsers: manifest.account === "root" && manifest.startedBy === "supervisor",
    runs,
    runsPrograms: runs && manifest.name !== "qmail-pop3spawn",
    speaks: [...grant.listen ?? [], ...grant.connect ?? []].length > 0,
    lowPort: manifest.bindsLowPort?.(config) === true,
    // Homes of accounts count only where they are their owner's.
    knowsOwners: manifest.name === "qmail-getpw",
  };
}

/** For every process there is: it costs none of them anything. */
const always = [
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "PrivateDevices=yes",
  "DevicePolicy=closed",
  "PrivateMounts=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  "SystemCallArchitectures=native",
  "SystemCallErrorNumber=EPERM",
  // Who writes what others read says so (the grants' scripts).
  "UMask=0077",
];

/**
 * Calls that it may make: a server's, without those that need privileges or change what there is of resources. Limits of
 * programs can be set all the same (prlimit).
 */
function systemCalls({ becomesUsers, runs }: Nature): readonly string[] {
  return [
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    // Setpriv(1), which sees to the end of a program, sets the capabilities that it has: it can have no more.
    ...(runs ? ["SystemCallFilter=capset"] : []),
    // Users' programs are started as those users.
    ...(becomesUsers ? ["SystemCallFilter=@setuid"] : []),
  ];
}

/** To become any user, and to end such a process. */
const userCapabilities = "CAP_SETUID CAP_SETGID CAP_KILL";

function capabilities({ becomesUsers, lowPort, knowsOwners }: Nature): readonly string[] {
  if (becomesUsers) return [`CapabilityBoundingSet=${userCapabilities}`];
  // The port is bound by an account that is not root's, which never had anything to give up.
  if (lowPort) return ["CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_BIND_SERVICE"];
  return ["CapabilityBoundingSet=", ...(knowsOwners ? [] : ["PrivateUsers=yes"])];
}

/** The networks of a grant's addresses; undefined where a port may be reached anywhere. */
function networksOf(addresses: readonly string[]): readonly string[] | undefined {
  const hosts = addresses.map((address) => address.slice(0, address.lastIndexOf(":")).replace(/[[\]]/g, ""));
  if (hosts.some((host) => !/^[0-9.:a-fA-F/]+$/.test(host) && host !== publicHost)) return undefined;
  if (hosts.some((host) => host.startsWith("0.0.0.0") || host === "::")) return undefined;
  return [...new Set(hosts.flatMap((host) => host === publicHost ? publicNetworks : [host]))];
}

/**
 * The network. Who listens on an address of loopback alone is reached from there; who connects reaches the networks of its
 * grant; who listens to the world cannot be kept from anybody's address.
 */
function network(grant: Grant, { speaks, runsPrograms }: Nature): readonly string[] {
  const netlink = (grant.sys ?? []).includes("networkInterfaces") ? " AF_NETLINK" : "";
  // Users' programs (.qmail) and the operator's may ask a server: spamc does.
  if (runsPrograms) return ["RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"];
  if (!speaks) return [`RestrictAddressFamilies=AF_UNIX${netlink}`, "PrivateNetwork=yes", "IPAddressDeny=any"];
  const families = `RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6${netlink}`;
  // Port 0 is a local end of its own: it says nothing about who is there.
  const ends = (grant.listen ?? []).filter((address) => !address.endsWith(":0"));
  const listensOnLoopback = ends.every((address) => /^(127\.|\[::1\])/.test(address));
  const connected = networksOf(grant.connect ?? []);
  if (!listensOnLoopback || connected === undefined) return [families];
  const networks = [...(ends.length > 0 ? ["localhost"] : []), ...connected];
  return [families, "IPAddressDeny=any", `IPAddressAllow=${[...new Set(networks)].join(" ")}`];
}

/** Folders below a home that are somebody's alone. */
const homeFolders = ["alias", "control", "dkim", "dmarcrpt", "log", "mail", "queue", "tally", "tlsrpt", "users"];

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** `-`: a folder that is not there is no trouble. */
function paths(setting: string, all: readonly string[]): readonly string[] {
  return all.length === 0 ? [] : [`${setting}=${all.map((path) => `-${pathWord(path)}`).join(" ")}`];
}

function files(grant: Grant, config: Config, { becomesUsers, runs }: Nature): readonly string[] {
  const { home } = config;
  const hidden = (folder: string) => ["", "/root", "/run/user"].some((place) => isBelow(home.dir, `${place}${folder}`));
  const privateTmp = hidden("/tmp") || hidden("/var/tmp") ? [] : ["PrivateTmp=yes"];
  const homeIsHidden = ["/home", "/root", "/run/user"].some((folder) => isBelow(home.dir, folder));
  if (becomesUsers) {
    // A user's files may lie anywhere; the file system decides. The system's own stay as they are.
    return [...privateTmp, ...paths("ReadWritePaths", ["/home", "/root", "/srv", "/var", "/opt", home.dir])];
  }
  const sockets = (grant.serves ?? []).map((name) => home.run(name));
  const others = (grant.servesPaths ?? []).map((path) => path.slice(0, path.lastIndexOf("/")));
  // The queue's folders as one: a file gets no second name across what systemd mounts one by one.
  const written = (grant.write ?? []).map((path) => isBelow(path, home.queue()) ? home.queue() : path);
  const touched = [...grant.read ?? [], ...grant.write ?? [], ...grant.callsPaths ?? []];
  const unseen = homeFolders.map((folder) => join(home.dir, folder)).filter((folder) =>
    !runs && !touched.some((path) => isBelow(path, folder))
  );
  return [
    ...(homeIsHidden ? [] : ["ProtectHome=yes"]),
    ...privateTmp,
    ...paths("ReadWritePaths", [...new Set([...written, ...sockets, ...others])]),
    ...paths("InaccessiblePaths", unseen),
    ...(runs ? [] : ["NoExecPaths=/", "ExecPaths=/usr -/bin -/lib -/lib32 -/lib64", `ExecPaths=${home.libexec()}`]),
  ];
}

/** The lines of a unit's [Service] that keep it to its grant. */
export function hardening(grant: Grant, config: Config, nature: Nature): readonly string[] {
  return [
    ...always,
    ...capabilities(nature),
    ...systemCalls(nature),
    ...network(grant, nature),
    ...files(grant, config, nature),
  ];
}
