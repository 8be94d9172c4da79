/**
 * Exim as another host: one message written with its own command is handed to one relay at once; its spool and its log are in
 * a temporary folder.
 * @module
 */
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { findProgram, type Need, needs, runProgram } from "./program.ts";
import { makeBaseDir } from "./system.ts";

/** It runs as root and becomes the user it was built for, without whom it does not start. */
function needOfExim(): Need {
  const need = needs(["exim4"], { root: true });
  if (need.ignore) return need;
  const { success } = new Deno.Command(findProgram("exim4")!, {
    args: ["-C", "/dev/null", "-bV"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success ? need : { ignore: true, note: " (skipped: exim4 does not start, has it its user Debian-exim?)" };
}
export const eximNeed: Need = needOfExim();

export interface EximMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Octet string, lines end in LF. */
  readonly content: string;
}

/** Sends a mail to a port of 127.0.0.1, over TLS; `options` are further ones of its smtp transport. Answers its log. */
export async function sendByExim(
  port: number,
  { from, to, content }: EximMail,
  options: Readonly<Record<string, string>> = {},
): Promise<string> {
  const dir = makeBaseDir();
  try {
    const config = `${dir}/exim.conf`;
    const transport = Object.entries({ port: `${port}`, hosts_require_tls: "*", tls_verify_hosts: "", ...options });
    Deno.writeTextFileSync(
      config,
      `exim_path = ${findProgram("exim4")}
spool_directory = ${dir}/spool
log_file_path = ${dir}/spool/%slog
log_selector = +smtp_confirmation +tls_cipher +pipelining
primary_hostname = exim.example
keep_environment =
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
${transport.map(([name, value]) => `  ${name} = ${value}\n`).join("")}`,
    );
    const args = ["-C", config, "-i", "-odf", "-f", from, ...to];
    const { code, stdout, stderr } = await runProgram("exim4", args, { input: content });
    const log = (name: string) => ifThere(() => fromOctets(Deno.readFileSync(`${dir}/spool/${name}log`))) ?? "";
    if (code !== 0) {
      throw new Error(`exim4 ended with ${code}; it said:\n${stdout}${stderr}${log("main")}${log("panic")}`);
    }
    return log("main");
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}
