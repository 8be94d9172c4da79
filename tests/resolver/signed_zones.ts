/**
 * Real name servers with zones of the test's own: nsd serves them, signed by ldns-signzone, and unbound validates in
 * front of it and asks nobody else.
 * @module
 */
import { freePort } from "../support/free_port.ts";
import { findProgram, type Need, needs, runWell } from "../support/program.ts";
import { waitFor } from "../support/wait.ts";
import { eachLine } from "../../components/supervisor/lines.ts";

export const signedZonesNeed: Need = needs(["nsd", "unbound", "ldns-keygen", "ldns-signzone"]);

export interface Zone {
  /** Without a final dot; nothing above it is there. */
  readonly name: string;
  /** Lines of a zone file, names relative to it; SOA and NS are added. */
  readonly records: readonly string[];
  /** `none`: unsigned, and nobody expects signatures; `expired`: they ended ten days ago; `valid`: for a day. */
  readonly signatures: "none" | "valid" | "expired";
  /** What is replaced in the file after it was signed, as by somebody who has no key. */
  readonly tamper?: readonly [from: string, to: string];
}

export interface SignedZones extends AsyncDisposable {
  /** `127.0.0.1:port` of unbound, as control/nameservers has it. */
  readonly server: string;
  /** nsd's own address, which knows the zones and validates nothing. */
  readonly authority: string;
}

function zoneText({ name, records }: Zone): string {
  const head = [`$ORIGIN ${name}.`, "$TTL 300", "@ SOA ns root 1 3600 600 86400 60", "@ NS ns", "ns A 127.0.0.1"];
  return [...head, ...records, ""].join("\n");
}

/** Writes the zone's file; answers the trust anchor's, where it is signed. */
async function writeZone(dir: string, zone: Zone, nowSeconds: number): Promise<string | undefined> {
  const path = `${dir}/${zone.name}.zone`;
  Deno.writeTextFileSync(path, zoneText(zone));
  if (zone.signatures === "none") return undefined;
  const said = await runWell("/bin/sh", [
    "-c",
    `cd "$1" && exec ldns-keygen -a ECDSAP256SHA256 -k "$2"`,
    "sh",
    dir,
    zone.name,
  ]);
  const key = `${dir}/${said.trim()}`;
  const [from, to] = zone.signatures === "valid"
    ? [nowSeconds - 3600, nowSeconds + 86_400]
    // A validator forgives a tenth of their time, a day at the most.
    : [nowSeconds - 100 * 86_400, nowSeconds - 10 * 86_400];
  await runWell("ldns-signzone", ["-n", "-i", `${from}`, "-e", `${to}`, "-f", `${path}.signed`, path, key]);
  const signed = Deno.readTextFileSync(`${path}.signed`);
  const tampered = zone.tamper === undefined ? signed : signed.replaceAll(...zone.tamper);
  if (zone.tamper !== undefined && tampered === signed) throw new Error(`nothing to tamper with in ${zone.name}`);
  Deno.writeTextFileSync(path, tampered);
  return `${key}.key`;
}

function nsdConf(dir: string, port: number, zones: readonly Zone[]): string {
  return `server:
  ip-address: 127.0.0.1@${port}
  do-ip6: no
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${dir}"
  pidfile: ""
  xfrdfile: "${dir}/xfrd.state"
  zonelistfile: "${dir}/zone.list"
  xfrdir: "${dir}"
  rrl-ratelimit: 0
  verbosity: 1
remote-control:
  control-enable: no
${zones.map(({ name }) => `zone:\n  name: "${name}"\n  zonefile: "${dir}/${name}.zone"\n`).join("")}`;
}

function unboundConf(
  dir: string,
  { port, authority }: { port: number; authority: number },
  zones: readonly Zone[],
  anchors: readonly string[],
): string {
  return `server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  username: ""
  chroot: ""
  directory: "${dir}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  module-config: "validator iterator"
  qname-minimisation: no
  minimal-responses: no
  target-fetch-policy: "0 0 0 0 0"
  edns-buffer-size: 1232
${anchors.map((file) => `  trust-anchor-file: "${file}"`).join("\n")}
remote-control:
  control-enable: no
${zones.map(({ name }) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${authority}\n`).join("")}`;
}

/** Starts a program that stays; settles once it has said `ready` on its standard error. */
async function startServer(name: string, args: readonly string[], ready: string): Promise<AsyncDisposable> {
  const child = new Deno.Command(findProgram(name)!, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  })
    .spawn();
  const lines: string[] = [];
  let ended = false;
  void eachLine(child.stderr, (line) => lines.push(line)).finally(() => ended = true);
  await waitFor(() => ended || lines.some((line) => line.includes(ready)), `${name} to start`);
  if (ended) throw new Error(`${name} did not start:\n${lines.join("\n")}`);
  return {
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
}

/** Serves the zones until it is disposed of. */
export async function serveZones(zones: readonly Zone[], nowSeconds = Date.now() / 1000): Promise<SignedZones> {
  const dir = Deno.makeTempDirSync();
  const anchors = await Promise.all(zones.map((zone) => writeZone(dir, zone, Math.floor(nowSeconds))));
  const [port, authority] = [freePort(), freePort()];
  Deno.writeTextFileSync(`${dir}/nsd.conf`, nsdConf(dir, authority, zones));
  const known = anchors.filter((anchor) => anchor !== undefined);
  Deno.writeTextFileSync(`${dir}/unbound.conf`, unboundConf(dir, { port, authority }, zones, known));
  const nsd = await startServer("nsd", ["-d", "-c", `${dir}/nsd.conf`], "nsd started");
  const unbound = await startServer("unbound", ["-d", "-c", `${dir}/unbound.conf`], "start of service");
  return {
    server: `127.0.0.1:${port}`,
    authority: `127.0.0.1:${authority}`,
    async [Symbol.asyncDispose]() {
      await unbound[Symbol.asyncDispose]();
      await nsd[Symbol.asyncDispose]();
      Deno.removeSync(dir, { recursive: true });
    },
  };
}
