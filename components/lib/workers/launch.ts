/**
 * Starts a component for a user through its launcher, and speaks with it over its standard streams.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { logEvent } from "../log/log.ts";
import type { Ids } from "../permissions/grant.ts";
import { tell } from "../process/component.ts";
import { Pipe, type Streams } from "../wire/pipe.ts";

/** A child's standard streams. */
function streamsOf(child: Deno.ChildProcess): Streams {
  const reader = child.stdout.getReader({ mode: "byob" });
  const writer = child.stdin.getWriter();
  // Such a reader takes the memory it is given and hands it back with what it read: the same piece goes round.
  let spare = new Uint8Array(0);
  return {
    read: async (buffer) => {
      const into = spare.length === buffer.length ? spare : new Uint8Array(buffer.length);
      const { value, done } = await reader.read(into);
      if (done || value === undefined) return null;
      buffer.set(value);
      spare = new Uint8Array(value.buffer);
      return value.length;
    },
    write: async (octets) => {
      await writer.write(octets);
      return octets.length;
    },
    // The end of its input is what tells a child to finish and go.
    close: () => void writer.close().catch(() => {}),
  };
}

export interface LaunchOptions {
  readonly args: readonly string[];
  /** Whom it is to become; absent: it stays who its parent is. */
  readonly ids?: Ids;
}

/** Starts the component `name`; its standard error is the caller's log. What it was given is looked at by the launcher. */
export function launch(home: Home, name: string, { args, ids }: LaunchOptions): Pipe {
  const child = new Deno.Command(home.libexec("launch", name), {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    clearEnv: true,
    cwd: "/",
    ...ids,
  }).spawn();
  const pid = child.pid;
  tell({ event: "child", name, pid });
  void child.status.then((status) => {
    tell({ event: "child ended", name, pid });
    if (!status.success) logEvent(name, { pid, code: status.code, signal: status.signal ?? "none" });
  });
  return new Pipe(streamsOf(child));
}
