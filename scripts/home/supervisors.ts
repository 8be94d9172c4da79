/**
 * The supervisor as a child: started through its launcher, followed by its successor where it asks for one (an upgrade), and
 * told what this process is told.
 * @module
 */
import { eachLine } from "../../components/supervisor/lines.ts";

export interface SupervisorOptions {
  /** Further arguments of it. */
  readonly args: readonly string[];
  /** The first one is ready. */
  readonly onReady: () => void;
}

/** Runs the one behind that launcher until it and every successor have ended; answers the exit code of the last one. */
export async function runSupervisor(launcher: string, { args, onReady }: SupervisorOptions): Promise<number> {
  const children = new Set<Deno.ChildProcess>();
  const signal = (name: Deno.Signal) => {
    for (const child of children) child.kill(name);
  };
  // Ctrl-C reaches the whole group; only this process acts on it, so that all end once and in order.
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => signal("SIGTERM"));
  Deno.addSignalListener("SIGHUP", () => signal("SIGHUP"));
  const over = Promise.withResolvers<number>();
  const start = (more: readonly string[]): void => {
    const child = new Deno.Command(launcher, {
      args: ["--supervised", ...more, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      // Naming root's own ids also drops root's supplementary groups, here and so in everything below.
      ...(Deno.uid() === 0 ? { uid: 0, gid: 0 } : {}),
    }).spawn();
    children.add(child);
    void eachLine(child.stdout, (line) => {
      if (line === '{"event":"successor"}') start(["--successor"]);
      else if (more.length === 0 && line.includes('"event":"ready"')) onReady();
    });
    void child.status.then(({ signal, code }) => {
      children.delete(child);
      if (children.size === 0) over.resolve(signal === null ? code : 111);
    });
  };
  start([]);
  return await over.promise;
}
