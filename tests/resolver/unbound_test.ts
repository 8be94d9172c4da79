/**
 * The real process against a real name server with a zone of its own. It asks nobody else.
 * @module
 */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { type ResolverProcess, startResolver } from "./resolver_process.ts";
import { freePort } from "../support/free_port.ts";

const unbound = ["/usr/sbin/unbound", "/usr/local/sbin/unbound", "/sbin/unbound"].find(isThere);
const missing = unbound === undefined ? " (skipped: unbound is not installed)" : "";
const skip = unbound === undefined;
const text = "x".repeat(250);

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function configFor(port: number, dir: string): string {
  const data = [
    "example. 300 SOA ns.example. root.example. 1 1 1 1 60",
    "b.example. 300 MX 10 mx.b.example.",
    "null.example. 300 MX 0 .",
    "mx.b.example. 300 A 192.0.2.1",
    "mx.b.example. 300 AAAA 2001:db8::1",
    ...Array.from({ length: 20 }, (_, at) => `big.example. 300 TXT "${at} ${text}"`),
  ];
  return `server:
  interface: 127.0.0.1@${port}
  interface-automatic: no
  do-daemonize: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "${dir}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  module-config: "iterator"
  edns-buffer-size: 1232
  max-udp-size: 1232
  local-zone: "." refuse
  local-zone: "example." static
${data.map((record) => `  local-data: '${record}'`).join("\n")}
remote-control:
  control-enable: no
`;
}

describe("the resolver and unbound", () => {
  let server: Deno.ChildProcess | undefined;
  let resolver: ResolverProcess;
  let dir: string;

  beforeAll(async () => {
    if (unbound === undefined) return;
    dir = Deno.makeTempDirSync();
    const port = freePort();
    Deno.writeTextFileSync(`${dir}/unbound.conf`, configFor(port, dir));
    server = new Deno.Command(unbound, { args: ["-d", "-c", `${dir}/unbound.conf`], stdout: "null", stderr: "piped" })
      .spawn();
    const started = Promise.withResolvers<void>();
    void (async () => {
      let log = "";
      for await (const part of server.stderr.pipeThrough(new TextDecoderStream())) {
        log += part;
        if (log.includes("start of service")) started.resolve();
      }
      started.reject(new Error(`unbound did not start: ${log}`));
    })();
    await started.promise;
    resolver = await startResolver(`127.0.0.1:${port}\n`);
  });

  afterAll(async () => {
    if (server === undefined) return;
    await resolver.stop();
    server.kill("SIGTERM");
    await server.status;
    Deno.removeSync(dir, { recursive: true });
  });

  const none = { authenticated: false, records: [] };
  it(`agree on records and on their absence${missing}`, { ignore: skip }, async () => {
    const { client } = resolver;
    assertEquals((await client.resolve("b.example", "MX")).records, [{ value: "mx.b.example", preference: 10 }]);
    assertEquals((await client.resolve("null.example", "MX")).records, [{ value: "", preference: 0 }]);
    assertEquals((await client.resolve("mx.b.example", "A")).records, [{ value: "192.0.2.1" }]);
    assertEquals((await client.resolve("mx.b.example", "AAAA")).records, [{ value: "2001:db8::1" }]);
    assertEquals(await client.resolve("mx.b.example", "TXT"), { status: "nodata", ...none });
    assertEquals(await client.resolve("nobody.example", "A"), { status: "nxdomain", ...none });
    assertEquals(await client.resolve("refused.net", "A"), { status: "temporary", ...none });
  });

  it(`pass 5 kilobytes of text over TCP${missing}`, { ignore: skip }, async () => {
    const { records } = await resolver.client.resolve("big.example", "TXT");
    assertEquals(
      records.map((record) => record.value).sort(),
      Array.from({ length: 20 }, (_, at) => `${at} ${text}`).sort(),
    );
  });
});
