/**
 * The units: one for each component, one that writes the grants, one that answers for the supervisor, and the target that
 * holds them together.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { formatHomeArgs } from "../../components/lib/process/home_args.ts";
import {
  type Account,
  type Config,
  type Grant,
  instancesOf,
  type Manifest,
} from "../../components/lib/permissions/grant.ts";
import { launchCommand, type Runtime } from "../../components/supervisor/launcher.ts";
import { answeringGrant, writingGrant } from "../../components/supervisor/permissions.ts";
import { unitPrefix, unitSlice } from "../../components/supervisor/systemd/states.ts";
import { hardening, type Nature, natureOf } from "./hardening.ts";
import { pathWord, unitWord } from "./word.ts";

export interface UnitsOptions {
  readonly config: Config;
  /** Where deno, its cache and the code lie for the units. */
  readonly runtime: Runtime;
}

const targetName = "dqmail.target";
const grantsUnit = `${unitPrefix}grants.service`;
const supervisorUnitName = `${unitPrefix}supervisor.service`;

/** Whom a unit runs as. Those of root read the queue as a member of its group, without root's rights over files. */
function identity(account: Account): readonly string[] {
  return account === "root" ? ["User=root", "Group=qmail"] : [`User=${account}`];
}

/** How much of the machine one may take. Users' programs are the business of their own limits. */
function limits({ becomesUsers }: Nature): readonly string[] {
  return [
    "LimitCORE=0",
    "LimitNOFILE=65536",
    ...(becomesUsers ? ["TasksMax=4096", "OOMPolicy=continue"] : ["TasksMax=256", "MemoryMax=2G"]),
  ];
}

/** What a process of ours has in common with the others. */
const lasting = [
  "Type=notify",
  // The script beside the component tells it.
  "NotifyAccess=all",
  "WatchdogSec=60",
  "WatchdogSignal=SIGKILL",
  "Restart=always",
  "RestartSec=500ms",
  "ExecReload=/bin/kill -HUP $MAINPID",
  "KillMode=mixed",
  "TimeoutStartSec=60",
  "TimeoutStopSec=10",
];

const placed = [`Slice=${unitSlice}`, "StandardInput=null", "StandardOutput=journal", "StandardError=journal"];

function format(sections: Readonly<Record<string, readonly string[]>>): string {
  const texts = Object.entries(sections).map(([name, lines]) => `[${name}]\n${lines.join("\n")}\n`);
  return `# Made by "dqmail units": changes belong into a drop-in (systemctl edit).\n${texts.join("\n")}`;
}

/** The units of those that are stopped after it: these it is started after. */
function startsAfter({ stopOrder }: Manifest): readonly string[] {
  return manifests.filter((other) => other.startedBy === "supervisor" && other.stopOrder > stopOrder)
    .map(({ name }) => `${unitPrefix}${name}.service`);
}

/** What starts a process and tells systemd how it is. */
function runner(home: Home): readonly string[] {
  return ["/bin/bash", home.libexec("launch", "unit-run")];
}

function componentUnit(manifest: Manifest, instance: number, options: UnitsOptions): string {
  const { config } = options;
  const { home } = config;
  const nature = natureOf(manifest, config);
  const grant = withoutRoot(manifest.permissions(config));
  const args = [
    ...(instance === 1 ? [] : ["--instance", String(instance)]),
    ...(nature.becomesUsers ? ["--change-user"] : []),
  ];
  // Deno ends a process without flags where nobody decides for it.
  const decider = grant.broker === undefined ? [] : [supervisorUnitName];
  const isKeeper = manifest.name === "multilog";
  const start = [
    ...runner(home),
    ...(isKeeper ? ["--journal"] : []),
    home.libexec("launch", manifest.name),
    ...args,
  ];
  return format({
    Unit: [
      `Description=dqmail: ${manifest.job.replaceAll("%", "%%")}`,
      `Requires=${grantsUnit}`,
      `After=${[grantsUnit, ...decider, ...startsAfter(manifest)].join(" ")}`,
      `PartOf=${targetName}`,
      // No grant is written for one that the control files give no use for.
      `ConditionPathExists=${pathWord(home.libexec("grants", manifest.name))}`,
      "StartLimitIntervalSec=0",
    ],
    Service: [
      ...lasting,
      `ExecStart=${start.map(unitWord).join(" ")}`,
      `SyslogIdentifier=${instance === 1 ? manifest.name : `${manifest.name}-${instance}`}`,
      ...placed,
      ...identity(manifest.account),
      // Who may read the journal.
      ...(isKeeper ? ["SupplementaryGroups=systemd-journal"] : []),
      ...limits(nature),
      // journalctl(1) asks the kernel which start of the machine this is.
      ...hardening(grant, config, nature).filter((line) => !isKeeper || line !== "ProcSubset=pid"),
    ],
    Install: [`WantedBy=${targetName}`],
  });
}

/** A unit starts nobody as root who is to give that up: what that would need is not granted. */
function withoutRoot(grant: Grant): Grant {
  return { ...grant, sys: (grant.sys ?? []).filter((name) => name !== "setuid" && name !== "setgid") };
}

const supervisorNature: Nature = {
  becomesUsers: false,
  runs: false,
  runsPrograms: false,
  speaks: false,
  lowPort: false,
  knowsOwners: false,
};

/** Interfaces of the machine are looked at, so it cannot have a network of its own; it speaks with nobody all the same. */
function ownHardening(grant: Grant, config: Config): readonly string[] {
  return hardening(grant, config, supervisorNature).filter((line) => line !== "PrivateNetwork=yes");
}

/** The command of a part of the supervisor (its main.ts). */
function supervisorCommand(part: "write" | "answer", grant: Grant, { config, runtime }: UnitsOptions): string {
  const args = [
    ...["--systemd", part, ...formatHomeArgs(config.home)],
    ...["--deno", runtime.deno, "--deno-dir", runtime.denoDir, "--code", runtime.code],
    ...(runtime.bundled ? ["--bundled"] : []),
  ];
  return launchCommand("supervisor", grant, runtime, config.home, args).map(unitWord).join(" ");
}

function grantsUnitText(options: UnitsOptions): string {
  const { config } = options;
  const grant = writingGrant(config);
  const write = supervisorCommand("write", grant, options);
  return format({
    Unit: ["Description=dqmail: writes what every component may touch", `PartOf=${targetName}`],
    Service: [
      "Type=oneshot",
      "RemainAfterExit=yes",
      `ExecStart=${write}`,
      `ExecReload=/bin/sh ${unitWord(config.home.libexec("launch", "unit-reload"))} ${write}`,
      "TimeoutStartSec=60",
      "SyslogIdentifier=dqmail-grants",
      ...placed,
      "User=root",
      ...limits(supervisorNature),
      ...ownHardening(grant, config),
      // The others read what it writes.
      "UMask=0022",
    ],
    Install: [`WantedBy=${targetName}`],
  });
}

function supervisorUnit(options: UnitsOptions): string {
  const { config } = options;
  const { home } = config;
  const grant = answeringGrant(config);
  const command = supervisorCommand("answer", grant, options);
  const start = runner(home).map(unitWord).join(" ");
  return format({
    Unit: [
      "Description=dqmail: tells how the units are, and decides for those without flags",
      `Requires=${grantsUnit}`,
      `After=${grantsUnit}`,
      `PartOf=${targetName}`,
      "StartLimitIntervalSec=0",
    ],
    Service: [
      ...lasting,
      `ExecStart=${start} ${command}`,
      "SyslogIdentifier=supervisor",
      ...placed,
      ...identity("root"),
      ...limits(supervisorNature),
      ...ownHardening(grant, config),
    ],
    Install: [`WantedBy=${targetName}`],
  });
}

function target(names: readonly string[]): string {
  return format({
    Unit: [
      "Description=dqmail, a mail server",
      `Wants=${names.join(" ")}`,
      "After=network-online.target nss-lookup.target",
      "Wants=network-online.target",
    ],
    Install: ["WantedBy=multi-user.target"],
  });
}

/** Every unit's text, by its file's name. */
export function makeUnits(options: UnitsOptions): ReadonlyMap<string, string> {
  const units = manifests.filter(({ startedBy }) => startedBy === "supervisor").flatMap((manifest) =>
    Array.from({ length: Math.max(1, instancesOf(manifest, options.config)) }, (_, at) => {
      const name = at === 0 ? manifest.name : `${manifest.name}-${at + 1}`;
      return [`${unitPrefix}${name}.service`, componentUnit(manifest, at + 1, options)] as const;
    })
  );
  const all = [
    [grantsUnit, grantsUnitText(options)] as const,
    [supervisorUnitName, supervisorUnit(options)] as const,
    ...units,
  ];
  return new Map([...all, [targetName, target(all.map(([name]) => name))]]);
}
