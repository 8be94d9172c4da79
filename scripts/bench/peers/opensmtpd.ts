/**
 * OpenSMTPD from Debian's package, installed or unpacked, in a root directory of ours. It listens with a backlog of 5, which
 * is compiled in and makes parallel loads wait for lost connections: where the machine has a C compiler a library raises it.
 * @module
 */
import { join } from "@std/path";
import { freePort, host } from "../instance.ts";
import type { Contender } from "../rows/contender.ts";
import type { ServerPlan, Starter } from "../server.ts";
import { type Greeted, launch } from "./child_server.ts";
import { mailboxId, makePeerFolder, serveFrom } from "./peer_folder.ts";
import { findProgram, outputOf, requireRoot } from "./programs.ts";
import { bring, makeRoot } from "./root_folder.ts";

const program = "/usr/sbin/smtpd";
const control = "/usr/sbin/smtpctl";
const helpers = "/usr/libexec/opensmtpd";
const library = "/usr/lib/backlog.so";
const queueGroup = 61_002;
const accounts = [{ name: "opensmtpd", id: 61_001 }, { name: "opensmtpq", id: queueGroup }, {
  name: "vmail",
  id: mailboxId,
}];

/** The whole of it: whatever a program asks for, 1024 may wait. */
const backlogSource = `#include <sys/syscall.h>
#include <unistd.h>
int listen(int socket, int backlog) { (void)backlog; return syscall(SYS_listen, socket, 1024); }
`;

/** Seconds between connections and transactions: its relaying is no measure of its speed, and takes minutes. */
const pacing = "it paces itself towards other hosts";
const forking = "it has a process for each delivery, and takes longer than a run may";

/** Looks for it. Throws what an operator has to do where it is missing. */
export function provideOpenSmtpd(programs: string): Contender {
  requireRoot("OpenSMTPD");
  const remedy = `apt-get download opensmtpd && dpkg -x opensmtpd_*.deb ${programs}`;
  const found = findProgram([programs + program, program], "OpenSMTPD", remedy);
  const raised = hasCompiler();
  return {
    key: "opensmtpd",
    name: `${versionOf(found)} (no sync)`,
    notes: [
      "OpenSMTPD: does not sync before the 250; a crash loses what it has said yes to.",
      raised
        ? "OpenSMTPD: its listen backlog of 5 was raised to 1024 for it."
        : "OpenSMTPD: no C compiler (cc) is here to raise its listen backlog of 5, so parallel loads are slow.",
    ],
    without: {
      "relay": pacing,
      "relay-kept": pacing,
      "bulk-domains": pacing,
      "bulk-slow": pacing,
      "bulk-local": forking,
      "bulk-local-100": forking,
    },
    start: (plan) => startOpenSmtpd(programs, raised, plan),
  };
}

function hasCompiler(): boolean {
  try {
    return new Deno.Command("cc", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** It says so on standard error, and ends with whatever code it likes. */
function versionOf(path: string): string {
  const { stderr } = new Deno.Command(path, { args: ["-h"], stdin: "null" }).outputSync();
  return /OpenSMTPD [0-9][^\s,-]*/.exec(new TextDecoder().decode(stderr))?.[0] ?? "OpenSMTPD";
}

const startOpenSmtpd: (programs: string, raised: boolean, plan: ServerPlan) => ReturnType<Starter> = async (
  programs,
  raised,
  plan,
) => {
  const folder = makePeerFolder(plan.dir, "opensmtpd", plan.users);
  const port = freePort();
  const { dir } = folder;
  makeRoot(dir, accounts);
  for (const path of [program, control, helpers, "/bin/sh"]) bring(dir, path, programs);
  // It refuses to run otherwise.
  Deno.chownSync(dir + control, 0, queueGroup);
  Deno.chmodSync(dir + control, 0o2555);
  Deno.mkdirSync(join(dir, "var/lib/opensmtpd/empty"), { recursive: true });
  Deno.mkdirSync(join(dir, "var/spool/smtpd"), { mode: 0o711 });
  Deno.writeTextFileSync(join(dir, "etc/mailname"), "opensmtpd.example\n");
  Deno.writeTextFileSync(join(dir, "etc/smtpd.conf"), formatConfig(port, plan), { mode: 0o600 });
  if (raised) buildLibrary(dir);
  const preload = raised ? `LD_PRELOAD=${library} ` : "";
  const start = async (): Promise<Greeted> => {
    const greeted = await launch({
      name: "OpenSMTPD",
      command: ["/usr/sbin/chroot", dir, "/bin/sh", "-c", `${preload}exec ${program} -F -f /etc/smtpd.conf`],
      env: {},
      port,
      log: join(dir, "start.log"),
    });
    try {
      for (const what of plan.hold ? ["mda", "mta"] : []) {
        outputOf("/usr/sbin/chroot", [dir, control, "pause", what]);
      }
      return greeted;
    } catch (error) {
      await greeted.stop();
      throw error;
    }
  };
  return await serveFrom(folder, port, start);
};

function buildLibrary(dir: string): void {
  const source = join(dir, "tmp/backlog.c");
  Deno.writeTextFileSync(source, backlogSource);
  Deno.mkdirSync(join(dir, "usr/lib"), { recursive: true });
  outputOf("cc", ["-shared", "-fPIC", "-O2", "-o", dir + library, source]);
}

/** smtpd.conf: what a message may be is opened, all mailboxes are one user's. */
export function formatConfig(port: number, { relayPort }: ServerPlan): string {
  const relay = relayPort === undefined
    ? "match from any for any reject\n"
    : `action "relay" relay host smtp://${host}:${relayPort}\nmatch from any for any action "relay"\n`;
  return `table mailboxes { "@localhost" = "vmail" }
smtp max-message-size 2G
smtp limit max-rcpt 1000000
smtp limit max-mails 1000000
listen on ${host} port ${port} hostname opensmtpd.example
action "local" maildir "/mail/%{dest.user}/Maildir" virtual <mailboxes>
match from any for domain "localhost" action "local"
${relay}`;
}
