/**
 * `deno task docs [--check]`: writes the parts of the documentation that come from the code: the table of control files
 * in README.md and the table of processes in ARCHITECTURE.md. With `--check` it changes nothing and ends with status 1
 * when a part is out of date, or when a component lacks one of its files.
 * @module
 */
import { existsSync } from "@std/fs";
import { homeAt } from "../config/home.ts";
import { manifests } from "../config/manifests.ts";
import { type ControlFile, type Row, schema } from "../config/schema.ts";
import { rightsOf } from "../components/lib/permissions/grant.ts";
import { defaultTextOf } from "./config/control_value.ts";
import { defaultConfig } from "./home/default_config.ts";

/** A bar would end the cell. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function controlTable(): string {
  const rows = (Object.keys(schema) as ControlFile[]).sort().map((file) => {
    const row = schema[file] as Row<unknown>;
    return `| \`${file}\` | ${escapeCell(defaultTextOf(row))} | ${row.usedBy.join(", ")} | ${escapeCell(row.doc)} |`;
  });
  return ["| file | default | used by | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function processTable(): string {
  const home = homeAt("/~");
  const config = defaultConfig(home, 0, { nameservers: [{ host: "192.0.2.53", port: 53 }] });
  const list = (paths: readonly string[]) =>
    paths.length === 0 ? "–" : paths.map((path) => path.replaceAll("/~/", "")).join(", ");
  const rows = manifests.map((manifest) => {
    const grant = manifest.permissions(config);
    const sockets = new Set([...grant.serves ?? [], ...grant.calls ?? []].map((name) => home.socket(name)));
    const own = (paths: readonly string[]) => paths.filter((path) => !sockets.has(path));
    const rights = rightsOf(grant, home);
    const controls = own(rights.read).filter((path) => path.startsWith(home.control("")));
    const read = own(rights.read).filter((path) => !controls.includes(path) && !rights.write.includes(path));
    const files = [...read, ...controls.length > 0 ? ["its control files"] : []];
    const net = rights.net.filter((address) => !address.startsWith("unix:"));
    return [
      `**${manifest.name}**: ${manifest.job}${
        manifest.neededWords === undefined ? "" : ` (only when ${manifest.neededWords})`
      }${manifest.onDemand === true ? "; on demand" : ""}`,
      manifest.account,
      net.length === 0 ? "–" : net.join(", "),
      list(files),
      list(own(rights.write)),
      list([...grant.serves ?? []]),
      list([...grant.calls ?? []]),
      rights.run.length > 1 ? "the launchers" : list(rights.run),
    ].join(" | ");
  });
  return [
    "| process | as | network | reads | reads and writes | listens on | connects to | runs |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

/** The text with what stands between the two marks of `name` replaced. Throws when the marks are missing. */
export function replaceRegion(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: from the code, by "deno task docs" -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the marks of ${name} are missing`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

function missingFiles(): string[] {
  const wanted = ["main.ts", "permissions.ts", "run.ts", "README.md"];
  return manifests.flatMap(({ name }) => wanted.map((file) => `components/${name}/${file}`)).filter((path) =>
    !existsSync(path)
  );
}

/** What this task does with the words behind its name. */
// deno-lint-ignore require-await -- every task answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const check = argv.includes("--check");
  const wrong = missingFiles().map((path) => `${path} is missing`);
  for (
    const [file, name, content] of [["README.md", "control files", controlTable()], [
      "ARCHITECTURE.md",
      "processes",
      processTable(),
    ]] as const
  ) {
    const before = Deno.readTextFileSync(file);
    const after = replaceRegion(before, name, content);
    if (after === before) continue;
    if (check) wrong.push(`${file}: the part "${name}" is out of date: run deno task docs`);
    else Deno.writeTextFileSync(file, after);
  }
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) Deno.exit(1);
}

if (import.meta.main) await main(Deno.args);
