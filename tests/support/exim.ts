/**
 * Exim as another host: one message written with its own command, handed to one relay at once; or a {@link RelayHost}.
 * @module
 */
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Need } from "./program.ts";
import { needsRootFor, ProgramRoot } from "./program_root.ts";
import { type RelayHost, type RelayOptions, RootedHost, type TlsVersion } from "./relay_host.ts";

const program = "/usr/sbin/exim4";
/** The user it was built for, without whom it does not start. */
const user = "Debian-exim";
export const eximNeed: Need = needsRootFor([program]);

export interface EximMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Octet string, lines end in LF. */
  readonly content: string;
}

type Settings = Readonly<Record<string, string>>;

function lines(settings: Settings): string {
  return Object.entries(settings).map(([name, value]) => `  ${name} = ${value}\n`).join("");
}

/** Its configuration: all mail goes to a port of 127.0.0.1. */
function configure(relayPort: number, transport: Settings, main: Settings = {}, acl = ""): string {
  return `spool_directory = /var/spool/exim4
log_file_path = /var/spool/exim4/%slog
log_selector = +smtp_confirmation +tls_cipher +pipelining
primary_hostname = exim.example
keep_environment =
${lines(main)}
begin acl
${acl}
begin routers
relay:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = relay
begin transports
relay:
  driver = smtp
  allow_localhost
  port = ${relayPort}
  hosts_require_tls = *
  tls_verify_hosts =
${lines(transport)}`;
}

function rootWith(config: string): ProgramRoot {
  const root = new ProgramRoot([program], [user]);
  root.write("/etc/exim4/exim4.conf", config, 0o644);
  return root;
}

/** What it wrote into its log of that name. */
function readLog(root: ProgramRoot, name: "main" | "panic"): string {
  return ifThere(() => fromOctets(Deno.readFileSync(`${root.dir}/var/spool/exim4/${name}log`))) ?? "";
}

/** Sends a mail to a port of 127.0.0.1, over TLS; `options` are further ones of its smtp transport. Answers its log. */
export async function sendByExim(port: number, mail: EximMail, options: Settings = {}): Promise<string> {
  using root = rootWith(configure(port, options));
  const args = ["-i", "-odf", "-f", mail.from, ...mail.to];
  const { code, stdout, stderr } = await root.run(program, args, mail.content);
  if (code === 0) return readLog(root, "main");
  const logs = readLog(root, "main") + readLog(root, "panic");
  throw new Error(`exim4 ended with ${code}; it said:\n${stdout}${stderr}${logs}`);
}

/** As GnuTLS says it. */
const ciphers: Readonly<Record<TlsVersion, string>> = {
  "TLSv1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2",
  "TLSv1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3",
};

export async function startExim({ version, certificate, relayPort }: RelayOptions): Promise<RelayHost> {
  const tls = { tls_require_ciphers: ciphers[version] };
  const acl = `mail:
  require encrypted = *
  accept
rcpt:
  deny local_parts = nosuch
    message = no such user
  accept`;
  const root = rootWith("");
  const host = new RootedHost(root);
  const main = {
    ...tls,
    local_interfaces: "127.0.0.1",
    daemon_smtp_ports: `${host.port}`,
    tls_advertise_hosts: "*",
    tls_certificate: "/etc/cert.pem",
    tls_privatekey: "/etc/key.pem",
    dsn_advertise_hosts: "*",
    acl_smtp_mail: "mail",
    acl_smtp_rcpt: "rcpt",
    // It is not installed with its bit to become root again.
    deliver_drop_privilege: "true",
  };
  root.write("/etc/exim4/exim4.conf", configure(relayPort, tls, main, acl), 0o644);
  root.write("/etc/cert.pem", certificate.cert, 0o644);
  root.write("/etc/key.pem", certificate.key, 0o644);
  return await host.start(program, ["-bdf", "-q1h"]);
}
