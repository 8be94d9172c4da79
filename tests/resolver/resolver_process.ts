/**
 * The real resolver, with its real flags, on a home of its own.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import { readControlsOf } from "../../config/read.ts";
import { ResolverClient } from "../../components/lib/dns/resolver_client.ts";
import { flagsOf, type Grant } from "../../components/lib/permissions/grant.ts";
import { manifest } from "../../components/resolver/permissions.ts";

export interface ResolverProcess {
  readonly client: ResolverClient;
  readonly grant: Grant;
  readonly flags: readonly string[];
  readonly dir: string;
  /** Writes another control file, for the next reload. */
  writeControl(file: string, text: string): void;
  /** Writes control/nameservers and sends SIGHUP. */
  reload(nameservers: string): void;
  /** Settles once a line of the log holds `text`. */
  logged(text: string): Promise<void>;
  /** Ends it in order; answers its exit code. */
  stop(): Promise<number>;
}

/** Starts it with control/nameservers as given; `audit`: the file for Deno's record of permission checks. */
export async function startResolver(nameservers: string, audit?: string): Promise<ResolverProcess> {
  const dir = Deno.makeTempDirSync();
  const home = homeAt(dir);
  Deno.mkdirSync(`${dir}/control`);
  Deno.mkdirSync(home.run("resolver"), { recursive: true });
  Deno.writeTextFileSync(home.control("nameservers"), nameservers);
  const controls = readControlsOf(home, "resolver");
  if (!controls.ok) throw new Error(controls.error.join("; "));
  const grant = manifest.permissions({
    home,
    portOffset: 0,
    controls: controls.value,
    nameservers: nameserversOf(controls.value, undefined),
  });
  const flags = flagsOf(grant, home);
  const main = new URL("../../components/resolver/main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...flags, main, "--home", dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: audit === undefined ? {} : { DENO_AUDIT_PERMISSIONS: audit },
  }).spawn();
  const log = linesOf(child.stderr);
  await linesOf(child.stdout).until(`"ready"`, log);
  const client = new ResolverClient(home);
  return {
    client,
    grant,
    flags,
    dir,
    logged: (text) => log.until(text, log),
    writeControl: (file, text) => Deno.writeTextFileSync(`${dir}/control/${file}`, text),
    reload(nameservers) {
      Deno.writeTextFileSync(home.control("nameservers"), nameservers);
      Deno.kill(child.pid, "SIGHUP");
    },
    async stop() {
      client.close();
      Deno.kill(child.pid, "SIGTERM");
      const { code } = await child.status;
      Deno.removeSync(dir, { recursive: true });
      return code;
    },
  };
}

interface Lines {
  readonly all: readonly string[];
  until(text: string, log: Lines): Promise<void>;
}

/** Reads a stream to its end, whoever waits for a line of it. */
function linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Lines {
  const all: string[] = [];
  let wake = Promise.withResolvers<void>();
  let ended = false;
  void (async () => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      all.push(...parts);
      wake.resolve();
      wake = Promise.withResolvers();
    }
    ended = true;
    wake.resolve();
  })();
  return {
    all,
    async until(text, log) {
      while (!all.some((line) => line.includes(text))) {
        if (ended) throw new Error(`expected a line with ${JSON.stringify(text)}; the log: ${log.all.join(" | ")}`);
        await wake.promise;
      }
    },
  };
}
