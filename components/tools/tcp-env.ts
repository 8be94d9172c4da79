/**
 * tcp-env [-rR] [-t SECONDS] PROGRAM ARGUMENT…: runs a program with the variables of the TCP connection on descriptor 0
 * (PROTO, TCPLOCALIP, TCPREMOTEHOST and so on), for inetd and its like. Exit codes: the program's; 111.
 *
 * Unlike qmail: nobody asks the client for its user's name (RFC 1413), so TCPREMOTEINFO is never set; -r, -R and -t are
 * taken and mean nothing.
 * @module
 */
import { ipFromOctets, unmapped } from "../../config/ip/address.ts";
import { formatIp } from "../../config/ip/format_ip.ts";
import { reverseName } from "../../config/ip/reverse_name.ts";
import { isHostName } from "../lib/dns/name.ts";
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { type Caller, Ending, variable } from "./support/caller.ts";
import { runWithInput } from "./support/child.ts";
import { runProgram, usage } from "./support/run_program.ts";

export interface Endpoints {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One line of /proc/net/tcp or tcp6: the kernel's words in hexadecimal, of this machine's octet order. */
export function parseSocketLine(line: string): Endpoints | undefined {
  const found = /^ *[0-9]+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) /.exec(line);
  if (found === null) return undefined;
  const [local, remote] = [parseAddress(found[1]!), parseAddress(found[3]!)];
  if (local === undefined || remote === undefined) return undefined;
  return {
    local: { address: local, port: parseInt(found[2]!, 16) },
    remote: { address: remote, port: parseInt(found[4]!, 16) },
  };
}

function parseAddress(hex: string): string | undefined {
  if (hex.length !== 8 && hex.length !== 32) return undefined;
  const octets = Array.from(hex.match(/../g) ?? [], (octet) => parseInt(octet, 16));
  // Each word of 32 bits, from the machine's order (little-endian) into the network's.
  const ip = ipFromOctets(octets.map((_, at) => octets[at ^ 3]!));
  // IPv4 on a socket for both is IPv4.
  return ip && formatIp(unmapped(ip));
}

/** The variables, with those names that the DNS knows. A name is used where it is a host name and nothing else. */
export function tcpVariables({ local, remote }: Endpoints, localHost?: string, remoteHost?: string): string[] {
  const host = (name: string, value: string | undefined) =>
    value !== undefined && isHostName(value) ? [`${name}=${value.toLowerCase()}`] : [];
  return [
    "PROTO=TCP",
    `TCPLOCALIP=${local.address}`,
    `TCPLOCALPORT=${local.port}`,
    ...host("TCPLOCALHOST", localHost),
    `TCPREMOTEIP=${remote.address}`,
    `TCPREMOTEPORT=${remote.port}`,
    ...host("TCPREMOTEHOST", remoteHost),
  ];
}

const names = new Set([
  ...["PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST"],
  "TCPREMOTEINFO",
]);

/** The program and its arguments behind the options. */
export function parseTcpEnv(args: readonly string[]): readonly string[] | undefined {
  let at = 0;
  for (; at < args.length && /^-./s.test(args[at]!); at++) {
    if (args[at] === "--") return args.slice(at + 1);
    const found = /^-[rR]*(t?)(.*)$/s.exec(args[at]!)!;
    if (found[1] === "" && found[2] !== "") return undefined;
    if (found[1] === "t" && found[2] === "") at++;
  }
  return args.slice(at);
}

async function nameOf(resolver: ResolverClient, address: string): Promise<string | undefined> {
  const reverse = reverseName(address);
  if (reverse === undefined) return undefined;
  const { status, records } = await resolver.resolve(reverse, "PTR");
  return status === "ok" ? records[0]?.value : undefined;
}

async function withConnection(caller: Caller): Promise<Caller> {
  // Somebody has found it out already.
  if (variable(caller, "PROTO") === "TCP") return caller;
  const endpoints = parseSocketLine(Deno.args[Deno.args.indexOf("--socket") + 1] ?? "");
  if (endpoints === undefined) throw new Ending(111, "unable to get the TCP connection of descriptor 0");
  const resolver = new ResolverClient(caller.home);
  const [local, remote] = await Promise.all(
    [endpoints.local, endpoints.remote].map(({ address }) => nameOf(resolver, address)),
  );
  resolver.close();
  const others = caller.environment.filter((entry) => !names.has(entry.slice(0, entry.indexOf("="))));
  return { ...caller, environment: [...others, ...tcpVariables(endpoints, local, remote)] };
}

async function tcpEnv(caller: Caller): Promise<number> {
  const words = parseTcpEnv(caller.args);
  if (words === undefined || words.length === 0) throw usage("tcp-env [ -rR ] [ -ttimeout ] program [ arg ... ]");
  const exit = await runWithInput(await withConnection(caller), words);
  if (exit === undefined) throw new Ending(111, "child crashed");
  return exit;
}

if (import.meta.main) await runProgram("tcp-env", tcpEnv);
