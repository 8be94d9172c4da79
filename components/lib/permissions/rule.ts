/**
 * The grant rule (ARCHITECTURE.md, "Promises"): who speaks with the network may write no file and run nothing; who may
 * write mail or run programs may not reach the network; only the supervisor may start launchers other than its own; a
 * program of the operator's is started by a script that the supervisor wrote for it alone.
 * @module
 */
import { resolvConfPath } from "../../../config/nameservers.ts";
import { type Home, longestSocketPath, socketNames } from "../../../config/home.ts";
import { type Config, type Grant, type Manifest, userHomeWord } from "./grant.ts";

function speaksWithNetwork(grant: Grant): boolean {
  return (grant.listen ?? []).length > 0 || (grant.connect ?? []).length > 0;
}

/** Whether a path lies in a folder of the mail server's own, or holds one: a socket there is no other software's. */
export function isOwnPath(path: string, home: Home): boolean {
  const folders = [
    ...[home.control(""), home.queue(), home.users(""), home.libexec(), home.bin(), home.run(), home.mail()],
    ...[home.tally(), home.tlsrpt(), home.dmarcrpt(), home.dkim()],
  ];
  return folders.some((folder) =>
    path === folder || `${path}/`.startsWith(`${folder}/`) || folder.startsWith(`${path}/`)
  );
}

/**
 * Whether a socket for other software may be made at `path`: outside of the mail server's own folders, or in one below
 * HOME/run that is nobody else's.
 */
export function mayBeServed(path: string, home: Home): boolean {
  if (!isOwnPath(path, home)) return true;
  const parts = path.startsWith(`${home.run()}/`) ? path.slice(home.run().length + 1).split("/") : [];
  return parts.length === 2 && !(socketNames as readonly string[]).includes(parts[0]!);
}

/** What breaks the rule, a line each; empty when it holds. */
export function breaches(manifests: readonly Manifest[], config: Config): string[] {
  return manifests.flatMap((manifest) => breachesOf(manifest, config));
}

function breachesOf(manifest: Manifest, config: Config): string[] {
  const forHome = Object.values(manifest.forHome ?? {}).map((grantOf) => grantOf(config, userHomeWord));
  const found = [manifest.permissions(config), ...forHome].flatMap((grant) => breachesIn(grant, manifest, config));
  return [...new Set(found)];
}

function breachesIn(grant: Grant, manifest: Manifest, config: Config): string[] {
  const found: string[] = [];
  const say = (text: string) => found.push(`${manifest.name}: ${text}`);
  if (speaksWithNetwork(grant)) {
    if ((grant.write ?? []).length > 0) say(`reaches the network and may write ${grant.write!.join(", ")}`);
    if ((grant.run ?? []).length > 0) say(`reaches the network and may run ${grant.run!.join(", ")}`);
    const controls = `${config.home.dir}/control/`;
    const sixes = grant.connect?.filter((address) => /^\[[^\]]*\]\//.test(address)) ?? [];
    if (sixes.length > 0 && grant.broker === undefined) say(`may reach ${sixes.join(", ")}, which takes a broker`);
    const other = (grant.read ?? []).filter((path) => !path.startsWith(controls) && path !== resolvConfPath);
    if (other.length > 0) say(`reaches the network and may read ${other.join(", ")}`);
  }
  const ownSockets = (grant.callsPaths ?? []).filter((path) => isOwnPath(path, config.home));
  if (ownSockets.length > 0) say(`may connect to ${ownSockets.join(", ")} as to other software`);
  const strange = (grant.servesPaths ?? []).filter((path) => !mayBeServed(path, config.home));
  if (strange.length > 0) say(`may make ${strange.join(", ")} as a socket for other software`);
  const long = (grant.servesPaths ?? []).filter((path) => path.length > longestSocketPath);
  if (long.length > 0) say(`is to make ${long.join(", ")}: the system takes ${longestSocketPath} octets for a socket`);
  const launchers = config.home.libexec("launch");
  // None gives whoever starts it the network, nor may it start anything that does.
  const free = ["qmail-local", "qmail-pop3d", "program"].map((name) => config.home.libexec("launch", name));
  const ofOperator = new Set(
    [...manifest.programs?.(config).keys() ?? []].map((name) => config.home.libexec("grants", "programs", name)),
  );
  for (const program of grant.run ?? []) {
    // The script starts that program and nothing else, and the supervisor alone can write one.
    if (ofOperator.has(program)) continue;
    const isLauncher = program.startsWith(`${launchers}/`);
    if (!isLauncher) say(`may run ${program}, which is no launcher`);
    if (isLauncher && manifest.startedBy !== "start" && !free.includes(program)) {
      say(`may start ${program}: only the supervisor starts components`);
    }
  }
  if (manifest.startedBy !== "start") {
    const writable = (grant.write ?? []).filter((path) =>
      config.home.libexec().startsWith(path) || path.startsWith(config.home.libexec())
    );
    if (writable.length > 0) say(`may write grants or launchers in ${writable.join(", ")}`);
  }
  return found;
}
