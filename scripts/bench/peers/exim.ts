/**
 * Exim 4 from Debian's package, installed or unpacked, in a root directory of ours, for bulk mail: all of it goes to one
 * relay. What it does to a message is as it comes, what a message may be and how many recipients it may have is opened.
 * @module
 */
import { join } from "@std/path";
import { freePort, host } from "../instance.ts";
import type { Contender } from "../rows/contender.ts";
import type { ServerPlan, Starter } from "../server.ts";
import { launch } from "./child_server.ts";
import { makePeerFolder, serveFrom } from "./peer_folder.ts";
import { findProgram, outputOf, requireRoot } from "./programs.ts";
import { bring, makeRoot } from "./root_folder.ts";

const program = "/usr/sbin/exim4";
const chroot = "/usr/sbin/chroot";
/** The user it was built for. */
const account = { name: "Debian-exim", id: 61_004 };
const spool = "var/spool/exim4";

/** Looks for it. Throws what an operator has to do where it is missing. */
export function provideExim(programs: string): Contender {
  requireRoot("Exim");
  const remedy = `apt-get download exim4-daemon-light && dpkg -x exim4-daemon-light_*.deb ${programs}`;
  findProgram([programs + program, program], "Exim", remedy);
  return {
    key: "exim",
    name: versionOf(programs),
    notes: [
      "Exim: content and envelope are on the disk before the 250; measured where a goal names it, for bulk mail.",
    ],
    only: ["bulk", "bulk-domains"],
    start: (plan) => startExim(programs, plan),
  };
}

/** It tells nothing where its user is missing, so it is asked in a root directory that has one. */
function versionOf(programs: string): string {
  const dir = Deno.makeTempDirSync({ prefix: "dqmail-bench-exim-" });
  Deno.chmodSync(dir, 0o755);
  try {
    makeEximRoot(dir, programs);
    const [, version] = /^Exim version ([0-9.]+)/.exec(outputOf(chroot, [dir, program, "-C", "/dev/null", "-bV"])) ??
      [];
    return version === undefined ? "Exim" : `Exim ${version}`;
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function makeEximRoot(dir: string, programs: string): void {
  makeRoot(dir, [account]);
  bring(dir, program, programs);
}

const startExim: (programs: string, plan: ServerPlan) => ReturnType<Starter> = async (programs, plan) => {
  const folder = makePeerFolder(plan.dir, "exim", 0);
  const { dir } = folder;
  const port = freePort();
  makeEximRoot(dir, programs);
  for (const path of [spool, "etc/exim4"]) Deno.mkdirSync(join(dir, path), { recursive: true });
  outputOf("/bin/chown", ["-R", `${account.id}:${account.id}`, join(dir, spool)]);
  Deno.writeTextFileSync(join(dir, "etc/exim4/exim4.conf"), formatConfig(port, plan), { mode: 0o644 });
  const start = () =>
    launch({
      name: "Exim",
      command: [chroot, dir, program, "-bdf", "-q1m"],
      env: {},
      port,
      log: join(dir, "start.log"),
    });
  return await serveFrom(folder, port, start);
};

/** Its configuration. It has no bit to become root again, so it delivers as its own user. */
export function formatConfig(port: number, { relayPort }: Pick<ServerPlan, "relayPort">): string {
  const relay = relayPort === undefined ? "" : `relay:
  driver = manualroute
  route_list = * ${host}
  self = send
  transport = relay
`;
  return `primary_hostname = exim.example
spool_directory = /${spool}
log_file_path = /${spool}/%slog
pid_file_path = /${spool}/exim.pid
deliver_drop_privilege = true
local_interfaces = ${host}
daemon_smtp_ports = ${port}
smtp_accept_max = 1000
smtp_accept_max_per_connection = 100000
smtp_connect_backlog = 1000
recipients_max = 0
message_size_limit = 2G
host_lookup =
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = accept
begin acl
begin routers
${relay}begin transports
relay:
  driver = smtp
  allow_localhost
  port = ${relayPort ?? 25}
  hosts_try_auth =
begin retry
* * F,2h,1m
`;
}
