/**
 * Postfix from the machine's package, with configuration, queue and mailboxes in a folder of ours: what it does to a message
 * is as it comes, what a message may be and how many recipients it may have is opened. Mailboxes are virtual ones (its
 * virtual(8)), as ours are.
 * @module
 */
import { join } from "@std/path";
import { ifThere } from "../../../components/lib/disk/if_there.ts";
import { freePort, host } from "../instance.ts";
import { processesBelow } from "../processes.ts";
import type { Contender } from "../rows/contender.ts";
import type { ServerPlan, Starter } from "../server.ts";
import { type Greeted, launch } from "./child_server.ts";
import { mailboxId, makePeerFolder, serveFrom } from "./peer_folder.ts";
import { findProgram, outputOf, requireRoot } from "./programs.ts";

const postconf = "/usr/sbin/postconf";
/** A tenth more than are to be open at a time. */
const spareConnections = 1.1;

/** Looks for it. Throws what an operator has to do where it is missing. */
export function providePostfix(): Contender {
  requireRoot("Postfix");
  const program = findProgram(["/usr/sbin/postfix"], "Postfix", "apt-get install postfix");
  const version = outputOf(postconf, ["-dh", "mail_version"]);
  return {
    key: "postfix",
    name: `Postfix ${version}`,
    notes: ["Postfix: the queue file is on the disk before the 250, the folder it is in is not synced."],
    start: (plan) => startPostfix(program, plan),
  };
}

const startPostfix: (program: string, plan: ServerPlan) => ReturnType<Starter> = async (program, plan) => {
  const folder = makePeerFolder(plan.dir, "postfix", plan.users);
  const port = freePort();
  const at = (name: string) => join(folder.dir, name);
  for (const name of ["config", "queue", "data"]) Deno.mkdirSync(at(name), { mode: 0o755 });
  outputOf("/bin/chown", ["postfix", at("data")]);
  const table = `${outputOf(postconf, ["-dh", "default_database_type"])}:${at("config/mailboxes")}`;
  Deno.writeTextFileSync(at("config/main.cf"), formatMain(mainSettings(folder.dir, table, plan)));
  Deno.writeTextFileSync(at("config/master.cf"), masterServices(port, plan.connections));
  const users = Array.from({ length: plan.users }, (_, user) => `u${user}@localhost u${user}/Maildir/\n`);
  Deno.writeTextFileSync(at("config/mailboxes"), users.join(""));
  outputOf("/usr/sbin/postmap", ["-c", at("config"), table]);
  let launched: Greeted | undefined;
  const start = async () =>
    launched = await launch({
      name: "Postfix",
      command: [program, "-c", at("config"), "start-fg"],
      env: {},
      port,
      log: at("start.log"),
      mainPid: () => masterPid(folder.dir, launched?.pid),
    });
  return await serveFrom(folder, port, start);
};

/** The master's, as its own file says, where that is a process of ours. */
function masterPid(dir: string, root: number | undefined): number | undefined {
  const text = ifThere(() => Deno.readTextFileSync(join(dir, "queue", "pid", "master.pid")));
  const pid = Number.parseInt(text?.trim() ?? "", 10);
  return root !== undefined && processesBelow(root).includes(pid) ? pid : undefined;
}

/** main.cf by name; `mailboxes` is a table of addresses and Maildirs. */
export function mainSettings(
  dir: string,
  mailboxes: string,
  { hold, relayPort }: ServerPlan,
): Readonly<Record<string, string>> {
  return {
    compatibility_level: "3.6",
    queue_directory: join(dir, "queue"),
    data_directory: join(dir, "data"),
    maillog_file: join(dir, "maillog"),
    maillog_file_prefixes: dir,
    inet_interfaces: host,
    inet_protocols: "ipv4",
    myhostname: "postfix.example",
    mydestination: "",
    mynetworks: "127.0.0.0/8",
    smtpd_relay_restrictions: "permit_mynetworks, reject",
    smtpd_peername_lookup: "no",
    smtp_dns_support_level: "disabled",
    smtp_host_lookup: "native",
    alias_maps: "",
    alias_database: "",
    virtual_mailbox_domains: "localhost",
    virtual_mailbox_base: join(dir, "mail"),
    virtual_mailbox_maps: mailboxes,
    virtual_uid_maps: `static:${mailboxId}`,
    virtual_gid_maps: `static:${mailboxId}`,
    message_size_limit: "0",
    recipient_delimiter: "-",
    mailbox_size_limit: "0",
    virtual_mailbox_limit: "0",
    smtpd_recipient_limit: "1000000",
    ...(relayPort === undefined
      ? { default_transport: "error:no mail leaves this machine" }
      : { relayhost: `[${host}]:${relayPort}` }),
    ...(hold ? { smtpd_data_restrictions: "check_client_access static:HOLD" } : {}),
  };
}

function formatMain(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join("");
}

/** master.cf: a service each, TYPE private unprivileged chroot wakeup processes PROGRAM; none is in a chroot. */
function masterServices(port: number, connections: number | undefined): string {
  const servers = connections === undefined ? "-" : String(Math.ceil(connections * spareConnections));
  return [
    `${host}:${port} inet n - n - ${servers} smtpd`,
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "rewrite unix - - n - - trivial-rewrite",
    ...["bounce", "defer", "trace"].map((name) => `${name} unix - - n - 0 bounce`),
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "proxywrite unix - - n - 1 proxymap",
    ...["smtp", "relay"].map((name) => `${name} unix - - n - - smtp`),
    "showq unix n - n - - showq",
    ...["error", "retry"].map((name) => `${name} unix - - n - - error`),
    "discard unix - - n - - discard",
    "local unix - n n - - local",
    "virtual unix - n n - - virtual",
    "lmtp unix - - n - - lmtp",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
    "",
  ].join("\n");
}
