/**
 * prepare.ts as a child: it prints what it has to say, tells by one line that all is prepared, and is told by an octet
 * that the system is ready.
 * @module
 */
import { eachLine } from "../../components/supervisor/lines.ts";

/** The line that says so. */
export interface Prepared {
  readonly event: "prepared";
  /** The supervisor's. */
  readonly launcher: string;
  /** Further arguments of it. */
  readonly args: readonly string[];
}

const mark = '{"event":"prepared",';

/** Either what to start, with what to call when it is ready; or the exit code of a preparation that ended before. */
export type Preparation =
  | { readonly prepared: Prepared; readonly onReady: () => void }
  | { readonly prepared: undefined; readonly code: number };

/** Runs it with these words; its other lines go to standard output. */
export async function prepare(words: readonly string[]): Promise<Preparation> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", ...flags(extension), programBeside(extension), ...words],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const told = Promise.withResolvers<Prepared>();
  const printed = eachLine(child.stdout, (line) => {
    if (line.startsWith(mark)) told.resolve(JSON.parse(line) as Prepared);
    else console.log(line);
  });
  const input = child.stdin.getWriter();
  const ended = Promise.all([child.status, printed]).then(([{ code }]) => ({ prepared: undefined, code }));
  const onReady = () => void input.write(new Uint8Array(1)).then(() => input.close()).catch(() => {});
  return await Promise.race([told.promise.then((prepared) => ({ prepared, onReady })), ended]);
}

/** Bundles lie side by side in scripts/, sources do not: this file is one folder deeper. */
function programBeside(extension: string): string {
  const path = extension === ".js" ? "./prepare.js" : "../prepare.ts";
  return new URL(path, import.meta.url).href;
}

/** What keeps deno to the code that is there. */
function flags(extension: string): readonly string[] {
  if (extension === ".js") return ["--no-remote", "--no-npm", "--no-config"];
  return ["--config", decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname)];
}
