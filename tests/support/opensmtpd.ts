/**
 * OpenSMTPD as a {@link RelayHost}.
 * @module
 */
import type { Need } from "./program.ts";
import { needsRootFor, ProgramRoot } from "./program_root.ts";
import { type RelayHost, type RelayOptions, RootedHost } from "./relay_host.ts";

const program = "/usr/sbin/smtpd";
export const openSmtpdNeed: Need = needsRootFor([program]);

export async function startOpenSmtpd({ version, certificate, relayPort }: RelayOptions): Promise<RelayHost> {
  const root = new ProgramRoot([program], ["opensmtpd", "opensmtpq"]);
  Deno.mkdirSync(`${root.dir}/var/lib/opensmtpd/empty`, { recursive: true });
  root.write("/etc/cert.pem", certificate.cert);
  root.write("/etc/key.pem", certificate.key);
  // It has no setting for that on either side, but its library has.
  const sections = "openssl_conf = main\n[main]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n";
  root.write("/usr/lib/ssl/openssl.cnf", `${sections}MinProtocol = ${version}\nMaxProtocol = ${version}\n`, 0o644);
  const host = new RootedHost(root);
  root.write(
    "/etc/smtpd.conf",
    `pki own cert "/etc/cert.pem"
pki own key "/etc/key.pem"
listen on 127.0.0.1 port ${host.port} tls pki own hostname opensmtpd.example
action "out" relay host "smtp+tls://127.0.0.1:${relayPort}" tls no-verify helo "opensmtpd.example"
match from any for rcpt-to regex "^nosuch@.*" reject
match from any for any action "out"
`,
  );
  return await host.start(program, ["-d", "-f", "/etc/smtpd.conf"]);
}
