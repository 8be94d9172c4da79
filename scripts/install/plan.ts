/**
 * What an installation would change, decided from what was found. Pure.
 * @module
 */
import { accountIds } from "../../config/accounts.ts";
import { defaultQueueSplit } from "../../config/home.ts";
import { type ControlFile, type Row, schema } from "../../config/schema.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type { Account } from "../../components/lib/permissions/grant.ts";
import { makeGroup, makeUser, type MissingAccounts, missingAccounts } from "./accounts.ts";
import { changedDefaults, type ControlVerdict, judgeControls } from "./controls.ts";
import { asMachineSays } from "./place.ts";
import type { LauncherFile, Survey } from "./survey.ts";

/** A control file that is written. It is there in none of the installations it is planned for. */
export interface PlannedControl {
  readonly file: ControlFile;
  /** An octet string. */
  readonly text: string;
  readonly why: string;
  /** Absent: root's, for all to read. */
  readonly secret?: { readonly user: Account; readonly group: Account };
}

export interface Plan {
  /** What has to be put right first. */
  readonly refusals: readonly string[];
  /** Who has to stop first. */
  readonly running: readonly string[];
  readonly accounts: MissingAccounts;
  /** The same as commands. */
  readonly commands: readonly (readonly string[])[];
  readonly controls: readonly PlannedControl[];
  readonly verdicts: readonly ControlVerdict[];
  /** Services of supervise that are not to start again by themselves: their folders. */
  readonly downs: readonly string[];
  /** Whether the split of the queue has to be written down. */
  readonly queueSplit: number | undefined;
  /** Whether /usr/sbin/sendmail is to lead here. */
  readonly sendmail: boolean;
  /** What a person should know or look at. */
  readonly notes: readonly string[];
}

export interface PlanOptions {
  /** The sample to begin with, where there is nothing. */
  readonly sample: ReadonlyMap<string, string>;
  readonly sendmail: boolean;
}

const decoder = new TextDecoder();

function defectOf(file: ControlFile, octets: string): string | undefined {
  const row = schema[file] as Row<unknown>;
  const parsed = row.parse(row.octets === true ? octets : decoder.decode(toOctets(octets)));
  return parsed.ok ? undefined : parsed.error;
}

/** Files to write, each at most once, and only where there is none. */
class Controls {
  readonly planned: PlannedControl[] = [];
  readonly notes: string[] = [];
  readonly #there: ReadonlySet<string>;

  constructor(there: Iterable<string>) {
    this.#there = new Set(there);
  }

  has(file: ControlFile): boolean {
    return this.#there.has(file) || this.planned.some((one) => one.file === file);
  }

  add(file: ControlFile, text: string, why: string): void {
    if (this.has(file)) return;
    const wrong = defectOf(file, text);
    if (wrong !== undefined) {
      this.notes.push(`control/${file} is not written (${why}): ${wrong}`);
      return;
    }
    const secret = file === "srssecret" ? { secret: { user: "qmailp", group: "qmails" } as const } : {};
    this.planned.push({ file, text, why, ...secret });
  }
}

/** An octet string as qmail's users know it; text of ours is ASCII. */
function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

function planListeners(controls: Controls, launchers: readonly LauncherFile[]): void {
  const servers = launchers.flatMap(({ facts }) => facts.servers);
  if (servers.length === 0) {
    controls.add("listeners", lines("smtp 0.0.0.0:25", "admin 127.0.0.1:8025"), "no script tells where SMTP was taken");
    return;
  }
  const rows = servers.map(({ service, host, port }) =>
    `${service} ${host.includes(":") ? `[${host}]` : host}:${port}`
  );
  const from = launchers.filter(({ facts }) => facts.servers.length > 0).map(({ path }) => path);
  controls.add("listeners", lines(...new Set(rows), "admin 127.0.0.1:8025"), `from ${from.join(", ")}`);
  const most = servers.find(({ service, connections }) => service === "smtp" && connections !== undefined);
  if (most !== undefined) controls.add("concurrencyincoming", lines(String(most.connections)), "tcpserver's -c");
}

function planRules(controls: Controls, survey: Survey): void {
  if (controls.has("tcp.smtp") || controls.has("tcp.smtp.cdb")) return;
  const isSmtps = (path: string) =>
    survey.launchers.some(({ facts }) =>
      facts.servers.some(({ service, rules }) => rules === path && /^(smtp|submissions?)$/.test(service))
    );
  for (const { path, text, cdb } of survey.rules) {
    if (!isSmtps(path)) controls.notes.push(`the rules in ${path} are not for SMTP: nothing reads them`);
    else if (text !== undefined) controls.add("tcp.smtp", text, `a copy of ${path.slice(0, -4)}`);
    else if (cdb !== undefined) controls.add("tcp.smtp.cdb", cdb, `a copy of ${path}`);
    else controls.notes.push(`the rules for connections are missing: ${path}`);
  }
}

function planDelivery(controls: Controls, launchers: readonly LauncherFile[]): string | undefined {
  if (controls.has("defaultdelivery")) return undefined;
  const said = launchers.find(({ facts }) => facts.defaultDelivery !== undefined);
  if (said === undefined) {
    return "nothing says what becomes of mail for who has no .qmail file: write it into control/defaultdelivery " +
      "(./Maildir/, or ./Mailbox, which is qmail's own default)";
  }
  controls.add("defaultdelivery", lines(said.facts.defaultDelivery!), `from ${said.path}`);
  return undefined;
}

/** uids from here on are people's, up to nobody's. */
const firstPerson = 1000;
const nobody = 65_534;

function planUserHomes(controls: Controls, { accounts, passwd }: Survey): void {
  const known = new Set(Object.values(accountIds(passwd)).map(({ uid }) => uid));
  const parent = (home: string) => home.replace(/\/+$/, "").replace(/\/[^/]*$/, "");
  const people = accounts.filter(({ uid }) => uid >= firstPerson && uid !== nobody && !known.has(uid));
  const folders = new Set(people.map(({ home }) => parent(home)).filter((folder) => folder !== ""));
  controls.add("systemusers", "1\n", "accounts of the system go on getting mail");
  const elsewhere = [...folders].filter((folder) => folder !== "/home" && !folder.startsWith("/home/"));
  if (elsewhere.length > 0) {
    controls.add("userhomes", lines("/home", ...elsewhere.sort()), "accounts have their homes there");
  }
  const others = accounts.filter(({ uid, home }) =>
    !known.has(uid) && (uid < firstPerson || uid === nobody || parent(home) === "") && !/^\/home\//.test(home)
  );
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(", ");
    controls.notes.push(
      `accounts outside of control/userhomes get no mail any more, unless users/assign names them: ${names}`,
    );
  }
}

function planTakeover(controls: Controls, survey: Survey, verdicts: readonly ControlVerdict[]): string[] {
  const refusals: string[] = [];
  for (const verdict of verdicts) {
    if (verdict.kind === "translated") controls.add(verdict.to, verdict.text, `from control/${verdict.file}`);
  }
  planListeners(controls, survey.launchers);
  planRules(controls, survey);
  const undecided = planDelivery(controls, survey.launchers);
  if (undecided !== undefined) refusals.push(undecided);
  planUserHomes(controls, survey);
  for (const { path, facts } of survey.launchers) {
    controls.notes.push(...facts.notes.map((note) => `${path}: ${note}`));
  }
  return refusals;
}

function queueRefusals({ queue }: Survey): string[] {
  if (queue === undefined) return [];
  const moved = queue.findings.filter(({ kind }) => kind === "wrong-inode" || kind === "wrong-folder");
  return [
    ...queue.defect === undefined ? [] : [queue.defect],
    ...moved.length === 0 ? [] : [
      `${moved.length} messages do not have the number of their file (queue/${
        moved[0]!.path
      }): this queue was copied ` +
      'from elsewhere; "deno task queue check --repair" gives them new ones',
    ],
  ];
}

/** Every host has to take mail for its postmaster (RFC 5321 §4.5.1). */
function aliasNotes({ alias }: Survey): string[] {
  const isThere = alias.includes(".qmail-postmaster") || alias.includes(".qmail-default");
  return isThere ? [] : ["nobody gets mail for the postmaster: write alias/.qmail-postmaster"];
}

function launcherNotes({ launchers, place }: Survey): string[] {
  return launchers.filter(({ service }) => service === undefined).map(({ path }) => {
    const isUnit = path.endsWith(".service");
    const how = isUnit ? `: systemctl disable ${path.slice(path.lastIndexOf("/") + 1)}` : "";
    const isRc = path === `${asMachineSays(place, place.prefix)}/rc`;
    return isRc
      ? `${path} is left where it is: nothing may run it, or qmail starts again`
      : `${path} still starts qmail at boot: switch it off${how}`;
  });
}

/** The plan for what was found. */
export function planInstall(survey: Survey, { sample, sendmail }: PlanOptions): Plan {
  const { place, found, controls: texts, passwd, group, asRoot, mayWrite, queue } = survey;
  const prefix = asMachineSays(place, place.prefix);
  const controls = new Controls(texts.keys());
  const verdicts = judgeControls(texts);
  const refusals = [...queueRefusals(survey)];
  for (const verdict of verdicts) {
    if (verdict.kind === "malformed") refusals.push(`control/${verdict.file}: ${verdict.why}`);
  }
  if (!mayWrite) refusals.push(`${prefix} belongs to somebody else: this is for root, or for its owner`);
  // What was decided by a whole installation is the operator's to change.
  const isUpdate = survey.manifest?.state === "installed";
  if (found === "qmail" && !isUpdate) {
    refusals.push(...planTakeover(controls, survey, verdicts));
    if (!texts.has("me")) refusals.push("control/me is missing: it has to hold this host's full name");
  } else if (found === "nothing" && !isUpdate) {
    for (const [file, text] of sample) controls.add(file as ControlFile, text, "from the sample");
  }
  const accounts = missingAccounts(passwd, group, prefix);
  const needsSplit = queue !== undefined && queue.split > 0 && queue.split !== defaultQueueSplit;
  const notes = [
    ...found === "qmail" && !isUpdate
      ? [...changedDefaults(texts), ...aliasNotes(survey), ...launcherNotes(survey)]
      : [],
    ...survey.assignIsNewer ? ["users/assign is newer than users/cdb, which is what counts: run qmail-newu"] : [],
    ...asRoot || accounts.users.length === 0 ? [] : [
      "users and groups are root's to make; without them everything runs as you, and Deno's grants alone keep the parts apart",
    ],
    ...controls.notes,
  ];
  return {
    refusals,
    running: survey.running,
    accounts,
    commands: [
      ...accounts.groups.map((one) => makeGroup(one, place.root)),
      ...accounts.users.map((one) => makeUser(one, place.root)),
    ],
    controls: controls.planned,
    verdicts,
    downs: found === "qmail" && !isUpdate ? survey.launchers.flatMap(({ service }) => service ?? []) : [],
    queueSplit: needsSplit && !texts.has("queuesplit") ? queue.split : undefined,
    sendmail: sendmail && survey.sendmail !== `${prefix}/bin/sendmail`,
    notes,
  };
}
