/**
 * Postfix as another host: its own queue and configuration in a temporary folder, no port of its own unless a service asks for
 * one; what is written with its sendmail it hands to one relay.
 * @module
 */
import { existsSync } from "@std/fs";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { freePort } from "./free_port.ts";
import { LogLines } from "./log_lines.ts";
import { findProgram, type Need, needs, runWell } from "./program.ts";
import type { RelayHost, RelayOptions } from "./relay_host.ts";
import { makeBaseDir } from "./system.ts";
import { within } from "./wait.ts";

/** Its processes become users of their own. */
export const postfixNeed: Need = needs(["postfix", "postconf"], { root: true });

/** Whether it can log in as well: the mechanisms are modules of Cyrus SASL's. */
export const postfixSaslNeed: Need = postfixNeed.ignore || hasMechanisms()
  ? postfixNeed
  : { ignore: true, note: " (skipped: libsasl2-modules is not installed)" };

function hasMechanisms(): boolean {
  const folders = ["/usr/lib/sasl2", ...["x86_64", "aarch64"].map((cpu) => `/usr/lib/${cpu}-linux-gnu/sasl2`)];
  return folders.some((folder) => existsSync(`${folder}/libplain.so`));
}

/** A service each, none of them in a chroot: TYPE private unpriv chroot wakeup maxproc. */
const masterCf = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export interface PostfixMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Octet string, lines end in LF. */
  readonly content: string;
  /** More of sendmail's options. */
  readonly options?: readonly string[];
}

export class Postfix implements AsyncDisposable {
  readonly log = new LogLines();
  readonly #dir = makeBaseDir();
  #child: Deno.ChildProcess | undefined;

  /** `settings` of main.cf go over those that keep it to itself; `services` are further lines of master.cf. */
  static async start(settings: Readonly<Record<string, string>>, services: readonly string[] = []): Promise<Postfix> {
    const postfix = new Postfix();
    try {
      await postfix.#start(settings, services);
      return postfix;
    } catch (error) {
      await postfix[Symbol.asyncDispose]();
      throw new Error(`${error instanceof Error ? error.message : error}; Postfix said:\n${postfix.log.text()}`);
    }
  }

  get #config(): string {
    return `${this.#dir}/config`;
  }

  async #start(settings: Readonly<Record<string, string>>, services: readonly string[]): Promise<void> {
    const folders = { config: this.#config, queue: `${this.#dir}/queue`, data: `${this.#dir}/data` };
    for (const folder of Object.values(folders)) Deno.mkdirSync(folder);
    await runWell("chown", ["postfix", folders.data]);
    const main = {
      compatibility_level: "3.6",
      queue_directory: folders.queue,
      data_directory: folders.data,
      myhostname: "postfix.example",
      mydestination: "",
      inet_interfaces: "127.0.0.1",
      mynetworks: "127.0.0.0/8",
      smtp_dns_support_level: "disabled",
      // Nothing of the machine's has a part in it.
      alias_maps: "",
      alias_database: "",
      local_transport: "error:no mailboxes here",
      maillog_file: "/dev/stdout",
      smtp_tls_loglevel: "1",
      ...settings,
    };
    const lines = Object.entries(main).map(([name, value]) => `${name} = ${value}\n`);
    Deno.writeTextFileSync(`${folders.config}/main.cf`, lines.join(""));
    Deno.writeTextFileSync(`${folders.config}/master.cf`, masterCf + services.map((line) => `${line}\n`).join(""));
    const child = new Deno.Command(findProgram("postfix")!, {
      args: ["-c", folders.config, "start-fg"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, (line) => this.log.add(line)).catch((error) => this.log.add(`(log ended: ${error})`));
    }
    await this.log.waitFor((line) => line.includes("daemon started"), 20_000);
  }

  /** Writes a mail with its sendmail. */
  async send({ from, to, content, options = [] }: PostfixMail): Promise<void> {
    // Another MTA's program of that name may come first in PATH.
    const sendmail = `${findProgram("postfix")!.replace(/[^/]*$/, "")}sendmail`;
    await runWell(sendmail, ["-C", this.#config, "-i", "-f", from, ...options, "--", ...to], { input: content });
  }

  /** Has it try again at once what is deferred. */
  async flush(): Promise<void> {
    const postqueue = `${findProgram("postfix")!.replace(/[^/]*$/, "")}postqueue`;
    await runWell(postqueue, ["-c", this.#config, "-f"]);
  }

  /** Its line about what became of a recipient of a mail: `to=<…>, relay=…, status=sent (…)`. */
  waitForStatus(recipient: string, from = 0): Promise<string> {
    const isIt = (line: string) => line.includes(`to=<${recipient}>`) && line.includes(" status=");
    return this.log.waitFor(isIt, 30_000, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined) {
      this.#endMaster();
      await within(child.status, 15_000, () => "Postfix's end");
    }
    Deno.removeSync(this.#dir, { recursive: true });
  }

  /** The child is a script, which ends with the master that it started. */
  #endMaster(): void {
    const pid = ifThere(() => Deno.readTextFileSync(`${this.#dir}/queue/pid/master.pid`));
    if (pid === undefined) return;
    try {
      Deno.kill(Number(pid), "SIGTERM");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** It as a {@link RelayHost}. */
export async function startPostfixRelay({ version, certificate, relayPort }: RelayOptions): Promise<RelayHost> {
  const dir = makeBaseDir();
  const [cert, key] = [`${dir}/cert.pem`, `${dir}/key.pem`];
  Deno.writeTextFileSync(cert, certificate.cert);
  Deno.writeTextFileSync(key, certificate.key, { mode: 0o600 });
  const port = freePort();
  try {
    const postfix = await Postfix.start({
      relayhost: `[127.0.0.1]:${relayPort}`,
      smtp_tls_security_level: "encrypt",
      smtp_tls_mandatory_protocols: version,
      smtpd_tls_security_level: "encrypt",
      smtpd_tls_mandatory_protocols: version,
      smtpd_tls_cert_file: cert,
      smtpd_tls_key_file: key,
      smtpd_recipient_restrictions: "check_recipient_access inline:{nosuch@=REJECT}, permit_mynetworks, reject",
    }, [`127.0.0.1:${port} inet n - n - - smtpd`]);
    return {
      port,
      log: postfix.log,
      async [Symbol.asyncDispose]() {
        await postfix[Symbol.asyncDispose]();
        Deno.removeSync(dir, { recursive: true });
      },
    };
  } catch (error) {
    Deno.removeSync(dir, { recursive: true });
    throw error;
  }
}
