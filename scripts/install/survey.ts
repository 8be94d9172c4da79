/**
 * Reads what there is: control files, users, alias, the scripts that start qmail, the queue, and who runs. Changes nothing.
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { homeAt } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { type LauncherFacts, readLauncher } from "./launchers.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { asMachineSays, onMachine, type Place } from "./place.ts";
import { type QueueFacts, surveyQueue } from "./survey_queue.ts";
import { whoRuns } from "./who_runs.ts";

/** What was at the prefix before anything of ours: nothing, one of qmail's family, or a dqmail that no install made. */
export type Found = "nothing" | "qmail" | "dqmail";

export interface LauncherFile {
  /** As the machine names it. */
  readonly path: string;
  readonly facts: LauncherFacts;
  /** The folder that supervise looks into, where it is one of its services; from here. */
  readonly service?: string;
}

/** tcprules' rules: the text, where it lies beside the compiled form, else undefined. */
export interface RulesFile {
  readonly path: string;
  /** Octet strings. */
  readonly text: string | undefined;
  readonly cdb: string | undefined;
}

/** An account of the system that may have got mail from qmail. */
export interface MailAccount {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

export interface Survey {
  readonly place: Place;
  readonly found: Found;
  /** Of an earlier run, also of one that was interrupted. */
  readonly manifest: Manifest | undefined;
  readonly asRoot: boolean;
  /** Whether the prefix is the caller's to write, where he is not root. */
  readonly mayWrite: boolean;
  readonly running: readonly string[];
  readonly passwd: string;
  readonly group: string;
  readonly hostname: string;
  readonly controls: ReadonlyMap<string, string | undefined>;
  /** Names in users/. */
  readonly users: readonly string[];
  /** Whether users/cdb is older than users/assign, or missing beside it. */
  readonly assignIsNewer: boolean;
  /** Names of alias's `.qmail` files. */
  readonly alias: readonly string[];
  readonly launchers: readonly LauncherFile[];
  /** The rules for connections that servers were started with. */
  readonly rules: readonly RulesFile[];
  readonly accounts: readonly MailAccount[];
  readonly queue: QueueFacts | undefined;
  /** What /usr/sbin/sendmail leads to, as the machine names it; undefined: there is none. */
  readonly sendmail: string | undefined;
}

function names(dir: string): string[] {
  const entries = ifThere(() => Array.from(Deno.readDirSync(dir), ({ name }) => name));
  return (entries ?? []).sort();
}

function textAt(path: string): string {
  return ifThere(() => Deno.readTextFileSync(path)) ?? "";
}

function readControlTexts(dir: string): Map<string, string | undefined> {
  return new Map(
    names(dir).map((name) => {
      const path = join(dir, name);
      const isFile = ifThere(() => Deno.statSync(path).isFile) ?? false;
      return [name, isFile ? fromOctets(Deno.readFileSync(path)) : undefined];
    }),
  );
}

/** Where supervise's services are linked from, and scripts that start programs lie, on the machine. */
const serviceFolders = ["/service", "/etc/service", "/var/service"];
const scripts = ["/etc/init.d/qmail", "/etc/rc.d/rc.qmail", "/usr/local/etc/rc.d/qmail", "/etc/rc.d/init.d/qmail"];
const unitFolder = "/etc/systemd/system";
/** Larger is no script that starts a service. */
const mostScriptBytes = 256 * 1024;

function launcherAt(place: Place, path: string): LauncherFile | undefined {
  const info = ifThere(() => Deno.statSync(path));
  if (info === undefined || !info.isFile || info.size > mostScriptBytes) return undefined;
  const [name, text] = [asMachineSays(place, path), Deno.readTextFileSync(path)];
  return /qmail/.test(name) || /qmail/.test(text) ? { path: name, facts: readLauncher(text) } : undefined;
}

function readLaunchers(place: Place): LauncherFile[] {
  const found: LauncherFile[] = [];
  const seen = new Set<string>();
  const folders = [join(place.prefix, "supervise"), ...serviceFolders.map((folder) => onMachine(place, folder))];
  for (const folder of folders) {
    for (const name of names(folder)) {
      // Links of /service into the prefix show each service once. Below a scratch root a link may lead out of it.
      const service = ifThere(() => Deno.realPathSync(join(folder, name)));
      const isInside = place.root === "/" || service?.startsWith(`${place.root}/`) === true;
      if (service === undefined || !isInside || seen.has(service)) continue;
      seen.add(service);
      const launcher = launcherAt(place, join(service, "run"));
      if (launcher !== undefined) found.push({ ...launcher, service });
    }
  }
  const units = names(onMachine(place, unitFolder)).filter((name) =>
    name.includes("qmail") && !name.includes("dqmail")
  );
  const others = [
    join(place.prefix, "rc"),
    ...scripts.map((path) => onMachine(place, path)),
    ...units.map((name) => onMachine(place, `${unitFolder}/${name}`)),
  ];
  for (const path of others) {
    const launcher = launcherAt(place, path);
    if (launcher !== undefined) found.push(launcher);
  }
  return found;
}

function readRules(place: Place, launchers: readonly LauncherFile[]): RulesFile[] {
  const paths = new Set(launchers.flatMap(({ facts }) => facts.servers.flatMap(({ rules }) => rules ?? [])));
  const octets = (path: string) => ifThere(() => fromOctets(Deno.readFileSync(onMachine(place, path))));
  return [...paths].filter((path) => path.startsWith("/")).map((path) => ({
    path,
    text: path.endsWith(".cdb") ? octets(path.slice(0, -4)) : undefined,
    cdb: octets(path),
  }));
}

/** Whom qmail-getpw gives mail: no uid 0, a home that is there and theirs, no capitals in the name. */
function readMailAccounts(place: Place, passwd: string): MailAccount[] {
  return passwd.split("\n").flatMap((line) => {
    const [name = "", , uidText = "", , , home = ""] = line.split(":");
    const uid = Number(uidText);
    if (uidText === "" || uid === 0 || name !== name.toLowerCase() || !home.startsWith("/")) return [];
    const info = ifThere(() => Deno.statSync(onMachine(place, home)));
    return info?.uid === uid ? [{ name, uid, home }] : [];
  });
}

function isNewer(path: string, than: string): boolean {
  const [a, b] = [path, than].map((one) => ifThere(() => Deno.statSync(one).mtime?.getTime()));
  return a !== undefined && (b === undefined || b < a);
}

function sendmailOf(place: Place): string | undefined {
  const path = onMachine(place, "/usr/sbin/sendmail");
  const info = ifThere(() => Deno.lstatSync(path));
  if (info === undefined) return undefined;
  return info.isSymlink ? Deno.readLinkSync(path) : "/usr/sbin/sendmail";
}

function foundAt(place: Place, manifest: Manifest | undefined): Found {
  if (manifest !== undefined && manifest.state !== "rolled back") return manifest.found;
  const home = homeAt(place.prefix);
  if (existsSync(home.libexec("launch"))) return "dqmail";
  return existsSync(home.control("me")) || existsSync(home.queue("mess")) ? "qmail" : "nothing";
}

export async function survey(place: Place): Promise<Survey> {
  const home = homeAt(place.prefix);
  const manifest = readManifest(place);
  const passwd = textAt(onMachine(place, "/etc/passwd"));
  const asRoot = Deno.uid() === 0;
  const owner = ifThere(() => Deno.statSync(place.prefix).uid);
  const running = await whoRuns(place);
  const launchers = readLaunchers(place);
  return {
    place,
    found: foundAt(place, manifest),
    manifest,
    asRoot,
    mayWrite: asRoot || owner === undefined || owner === Deno.uid(),
    running,
    passwd,
    group: textAt(onMachine(place, "/etc/group")),
    hostname: Deno.hostname(),
    controls: readControlTexts(home.control("")),
    users: names(home.users("")),
    assignIsNewer: isNewer(home.users("assign"), home.users("cdb")),
    alias: names(join(home.dir, "alias")).filter((name) => name.startsWith(".qmail")),
    launchers,
    rules: readRules(place, launchers),
    accounts: readMailAccounts(place, passwd),
    queue: await surveyQueue(home, running.length > 0),
    sendmail: sendmailOf(place),
  };
}
