/**
 * `deno task status [--home DIR] [--json]`: every component with its process, state, restarts, uptime, memory and grant.
 * @module
 */
import { homeAt } from "../config/home.ts";
import { askStatus } from "./ask.ts";
import { type ComponentStatus, parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { inWords } from "./cli/called.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { formatTable } from "./table.ts";

/** Memory of a process with what it shares counted in part, in bytes; undefined where the system does not tell. */
function pssBytes(pid: number): number | undefined {
  try {
    const kib = /^Pss:\s+([0-9]+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    // Another user's process, or one that just ended.
    return undefined;
  }
}

/** A component's status with the memory this program can see. */
export interface Row extends ComponentStatus {
  readonly memoryBytes: number;
}

function withMemory(component: ComponentStatus): Row {
  const measured = component.pid === undefined ? undefined : pssBytes(component.pid);
  return { ...component, memoryBytes: measured ?? component.rssBytes };
}

function formatRow(row: Row): string[] {
  return [
    row.name,
    row.pid === undefined ? "-" : String(row.pid),
    row.state,
    String(row.restarts),
    `${row.uptimeSeconds} s`,
    `${(row.memoryBytes / 1048576).toFixed(1)} MiB`,
    row.uid === undefined ? "-" : String(row.uid),
    Object.entries(row.ports).map(([service, port]) => `${service}:${port}`).join(" ") || "-",
  ];
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("status"), argv);
  if (args === undefined) return;
  const home = homeAt(String(args["home"] ?? "var"));
  const status = await askStatus(home, "supervisor-status", parseSupervisorStatus).catch(() => undefined);
  if (status === undefined) {
    console.error(inWords(`no dqmail runs in ${home.dir}; "dqmail start --home ${home.dir}" starts one`));
    Deno.exit(1);
  }
  const rows = status.components.map(withMemory);
  if (args["json"] === true) {
    return console.log(JSON.stringify({ ...status, components: rows }, undefined, 2));
  }
  const total = rows.reduce((sum, row) => sum + row.memoryBytes, 0);
  const titles = ["component", "pid", "state", "restarts", "uptime", "memory", "uid", "ports"];
  console.log(formatTable([titles, ...rows.map(formatRow)]));
  console.log(`\nsupervisor ${status.pid}, ${(total / 1048576).toFixed(0)} MiB in the components\n\nGrants:`);
  for (const row of rows) {
    if (row.grant.length > 0) {
      console.log(`  ${row.name}\n    ${row.grant.map((flag) => flag.replaceAll(home.dir, "~")).join("\n    ")}`);
    }
  }
}

if (import.meta.main) await main(Deno.args);
