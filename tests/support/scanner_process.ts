/**
 * A filter that asks a scanner, as a process of its own with its grant, in a chain in front of the tests' qmail-queue.
 * @module
 */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type FilterName, parseFilters } from "../../components/lib/filters/chain.ts";
import { type Config, flagsOf, type Manifest, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { readControls } from "../../config/read.ts";
import type { ControlFile } from "../../config/schema.ts";
import type { World } from "../lib/filters/world.ts";
import { outside, readAudit, unused } from "./audit.ts";
import { LogLines } from "./log_lines.ts";

export interface ScannerProcess extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly log: LogLines;
  /** Ends it in order; then: nothing of its grant went unused, and nothing beyond it was asked for. */
  stopAndCheckGrant(): Promise<void>;
}

export function writeControls({ home }: World, controls: Readonly<Partial<Record<ControlFile, string>>>): void {
  Deno.mkdirSync(home.control(""), { recursive: true });
  for (const [file, text] of Object.entries(controls)) Deno.writeTextFileSync(home.control(file), text);
}

/** As the supervisor starts it, with the grant of these control files and nothing else. */
export async function startScanner(
  around: World,
  manifest: Manifest,
  controls: Readonly<Partial<Record<ControlFile, string>>>,
): Promise<ScannerProcess> {
  const { home } = around;
  const name = manifest.name as FilterName;
  writeControls(around, controls);
  const read = readControls(home, ["rspamd", "clamd", "milters"]);
  const filters = parseFilters(`smtp: ${name}`);
  if (!read.ok || !filters.ok) throw new Error("controls");
  const config = { home, controls: { ...read.value, filters: filters.value } } as unknown as Config;
  const grant = manifest.permissions(config);
  const main = fromFileUrl(new URL(`../../components/${name}/main.ts`, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...flagsOf(grant, home), main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { DENO_AUDIT_PERMISSIONS: `${home.dir}/${name}.jsonl` },
  }).spawn();
  const [out, log] = [new LogLines(), new LogLines()];
  const reading = Promise.all([
    eachLine(child.stdout, (line) => out.add(line)),
    eachLine(child.stderr, (line) => log.add(line)),
  ]);
  let hasEnded = false;
  void child.status.then(() => hasEnded = true);
  const stop = async () => {
    if (!hasEnded) child.kill("SIGTERM");
    await child.status;
    await reading;
  };
  try {
    await out.waitFor((line) => line.includes(`"ready"`), 20_000);
  } catch (error) {
    await stop();
    throw new Error(`${error}; it said: ${log.text()}`);
  }
  return {
    child,
    log,
    stopAndCheckGrant: async () => {
      await stop();
      const asked = readAudit(home.dir, name);
      const rights = rightsOf(grant, home);
      assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
      assertEquals(breaches([manifest], config), []);
      assertEquals([grant.write, grant.listen, grant.run, grant.env, grant.sys], Array(5).fill(undefined));
    },
    [Symbol.asyncDispose]: stop,
  };
}
