/**
 * A checkpassword program (qmail's interface): `login NUL password NUL challenge NUL` on its descriptor 3, at most 512
 * octets; it exits 0 for right, 1 for wrong, anything else for trouble. A digest takes the password's place, with its
 * challenge behind it, as for APOP.
 * @module
 */
import { log } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import { endOf, type ProgramEnd } from "../lib/process/program_end.ts";
import type { Checked, Claim, Credentials } from "./credentials.ts";

/** What a checkpassword program reads at the most. */
const mostBytes = 512;
const defaultLimitMs = 30_000;
/** So long a script that was told to end may take. */
const killMs = 2000;

const unavailable: Checked = { verdict: "unavailable", detail: "checkpassword" };

export interface CheckpasswordOptions {
  readonly limitMs?: number;
}

/** `script`: path of the script of checkpassword_script.ts. */
export function checkpasswordCredentials(
  script: string,
  { limitMs = defaultLimitMs }: CheckpasswordOptions = {},
): Credentials {
  const check = async ({ login, ip }: Claim, proof: string, challenge: string): Promise<Checked> => {
    const message = toOctets(`${login}\0${proof}\0${challenge}\0`);
    if (message.length > mostBytes) return { verdict: "credentials", detail: "too-long" };
    try {
      return checkedOf(await runScript(script, ip, message, limitMs));
    } catch (error) {
      log(`alert: cannot run checkpassword: ${error instanceof Error ? error.name : "no error"}`);
      return unavailable;
    }
  };
  return {
    password: (claim, password) => check(claim, password, ""),
    digest: (claim, challenge, digest) => check(claim, digest, challenge),
    // Not on offer: a program that says yes or no has no secret to show.
    secret: () => "unavailable",
  };
}

/** Of what the program exits with, 0 and 1 say something about the password. */
function checkedOf(end: ProgramEnd): Checked {
  if (end.kind === "exited" && end.code === 0) return { verdict: "right" };
  if (end.kind === "exited" && end.code === 1) return { verdict: "credentials", detail: "password" };
  log(`alert: checkpassword ${end.kind === "exited" ? `exited ${end.code}` : end.kind}`);
  return unavailable;
}

async function runScript(script: string, ip: string, message: Uint8Array, limitMs: number): Promise<ProgramEnd> {
  const child = new Deno.Command(script, {
    args: [String(Deno.pid), ip],
    cwd: "/",
    clearEnv: true,
    // Its own group: who kills ours still leaves it the time to end what it started.
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let timedOut = false;
  let kill: ReturnType<typeof setTimeout> | undefined;
  const limit = setTimeout(() => {
    timedOut = true;
    signal(child, "SIGTERM");
    kill = setTimeout(() => signal(child, "SIGKILL"), killMs);
  }, limitMs);
  const writer = child.stdin.getWriter();
  // A program need not read it. So few octets go into the pipe at once, whether it reads or not.
  void writer.write(message).then(() => writer.close()).catch(() => {});
  try {
    return endOf(await child.status, timedOut);
  } finally {
    clearTimeout(limit);
    clearTimeout(kill);
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It ended a moment ago.
  }
}
