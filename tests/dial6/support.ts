/**
 * The real dial6 with a broker of the test's own, on a home of its own.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { isAllowed } from "../../components/lib/permissions/decide.ts";
import { type Config, type Rights, rightsOf } from "../../components/lib/permissions/grant.ts";
import { manifest } from "../../components/dial6/permissions.ts";
import { serveBroker } from "../../components/supervisor/broker.ts";
import { launchCommand } from "../../components/supervisor/launcher.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import type { Controls } from "../../config/schema.ts";

export interface Dial6Process extends AsyncDisposable {
  readonly config: Config;
  readonly rights: Rights;
  /** Path of its socket. */
  readonly path: string;
  /** Checks that were refused, `permission value`. */
  readonly refused: string[];
  readonly status: Promise<Deno.CommandStatus>;
  /** From now on the broker answers nothing sensible, and closes the connection. */
  breakBroker(): void;
}

/** Starts it, or `main` under its grant, and waits until it is ready or has ended. */
export async function startDial6(
  controls: Partial<Controls>,
  { main, args = [], onOutput }: {
    readonly main?: string;
    readonly args?: readonly string[];
    readonly onOutput?: (text: string) => void;
  } = {},
): Promise<Dial6Process> {
  const dir = Deno.makeTempDirSync();
  const home = homeAt(dir);
  const config = defaultConfig(home, 0, { ipv6: "1", ...controls });
  const grant = manifest.permissions(config);
  const rights = rightsOf(grant, home);
  for (const name of ["dial6", "dial6-permissions"] as const) Deno.mkdirSync(home.run(name), { recursive: true });
  const refused: string[] = [];
  let broken = false;
  const broker = serveBroker(home.socket("dial6-permissions"), {
    decide(check) {
      if (broken) throw new Error("broken");
      const allowed = isAllowed(rights, check);
      if (!allowed) refused.push(`${check.permission} ${check.value}`);
      return allowed;
    },
    onGarbage: (reason) => refused.push(`garbage: ${reason}`),
  });
  const code = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const runtime = { deno: Deno.execPath(), denoDir, code, audit: undefined };
  const command = launchCommand("dial6", grant, runtime, home, ["--home", dir]);
  const words = main === undefined
    ? [...command, ...args]
    : [...command.map((word) => word.endsWith("dial6/main.ts") ? main : word), ...args];
  const child = new Deno.Command(words[0]!, { args: words.slice(1), stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
  const ready = Promise.withResolvers<void>();
  const output = (async () => {
    let all = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      all += text;
      if (all.includes(`"ready"`)) ready.resolve();
    }
    onOutput?.(all);
    ready.resolve();
  })();
  const status = Promise.all([child.status, output]).then(([status]) => status);
  await ready.promise;
  return {
    config,
    rights,
    path: home.socket("dial6"),
    refused,
    status,
    breakBroker: () => broken = true,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await status;
      broker.stop();
      Deno.removeSync(dir, { recursive: true });
    },
  };
}
