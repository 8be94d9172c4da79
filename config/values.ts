/**
 * The kinds of control files and how their text is read (qmail's rules: trailing
 * blanks go, `#` in the first column is a comment in lists, leading blanks count).
 * Unlike qmail: a malformed file is an error that names file, value and expectation; qmail took it as absent.
 * @module
 */
import { lowerCaseAscii } from "../components/lib/address/parse_domain.ts";
import { isPlainPath } from "../components/lib/disk/plain_path.ts";
import { utf8Octets } from "../components/lib/octets.ts";
import { err, ok, type Result } from "../components/lib/result.ts";
import { parseLmtpSocket } from "../components/lib/smtp/lmtp_socket.ts";
import { parseClientNetwork } from "./ip/network.ts";
import { parseIp, parseIpv6 } from "./ip/parse_ip.ts";

/** Reads a control file's text; the error says what was expected, then what was found. */
export type Parse<T> = (text: string) => Result<T, string>;

const trailingBlanks = /[ \t\r\n]+$/;

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.replace(trailingBlanks, "")).filter((line) =>
    line !== "" && !line.startsWith("#")
  );
}

function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").replace(trailingBlanks, "");
}

function expected<T>(what: string, got: string): Result<T, string> {
  return err(`expected ${what}, got ${JSON.stringify(got)}`);
}

/** Whether `text` can stand as a domain in a control file: labels of letters, digits, `-` and `_`, at most 255 octets. */
export function isDomain(text: string): boolean {
  if (text === "" || text.length > 255) return false;
  return text.split(".").every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label));
}

/** One line of free text. */
export const parseLine: Parse<string> = (text) => {
  const line = firstLine(text);
  if (line === "") return expected("a line of text", line);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(line)) return expected("printable text", line);
  return ok(line);
};

/** The same; an empty first line is "". */
export const parseLineOrNothing: Parse<string> = (text) => firstLine(text) === "" ? ok("") : parseLine(text);

/** Octets of instructions at the most. */
const mostInstructions = 16_384;

/**
 * Instructions as in a `.qmail` file: any lines but a blank first one; or `lmtp:/path/of/socket` alone, the server that
 * virtual mailboxes are delivered to. An octet string.
 */
export const parseInstructions: Parse<string> = (text) => {
  const octets = utf8Octets(text);
  if (octets.length > mostInstructions) return expected(`at most ${mostInstructions} octets`, `${octets.length}`);
  const socket = parseLmtpSocket(octets);
  if (!socket.ok) return expected(socket.error, firstLine(text));
  return firstLine(text) === "" ? expected("instructions as in a .qmail file, no blank first line", "") : ok(octets);
};

/** One domain, lower-cased. */
export const parseDomain: Parse<string> = (text) => {
  const line = firstLine(text);
  return isDomain(line) ? ok(line.toLowerCase()) : expected("a domain name", line);
};

/** A whole number from `least` on. */
export function parseWholeNumber(unit: string, least = 0, most = Infinity): Parse<number> {
  const range = most < Infinity ? ` from ${least} to ${most}` : least > 0 ? ` of at least ${least}` : "";
  return (text) => {
    const line = firstLine(text);
    const value = /^[0-9]{1,15}$/.test(line) ? Number(line) : NaN;
    return value >= least && value <= most ? ok(value) : expected(`a whole number of ${unit}${range}`, line);
  };
}

/** A TCP port to connect to. */
export const parsePort: Parse<number> = (text) => {
  const line = firstLine(text);
  const port = /^[0-9]{1,5}$/.test(line) ? Number(line) : 0;
  return port >= 1 && port <= 65535 ? ok(port) : expected("a TCP port from 1 to 65535", line);
};

/** `1` or `0`. */
export const parseFlag: Parse<boolean> = (text) => {
  const line = firstLine(text);
  return line === "1" || line === "0" ? ok(line === "1") : expected("1 or 0", line);
};

/** One of a few words. */
export function parseOneOf<const W extends string>(...words: readonly W[]): Parse<W> {
  return (text) => {
    const line = firstLine(text);
    const word = words.find((one) => one === line);
    return word === undefined ? expected(words.join(" or "), line) : ok(word);
  };
}

/** A list of domains, lower-cased; with `suffixes`, `.example.org` stands for every name below it. */
export function parseDomains(suffixes: boolean): Parse<readonly string[]> {
  return (text) => {
    const domains = lines(text);
    const wrong = domains.find((line) => !isDomain(suffixes && line.startsWith(".") ? line.slice(1) : line));
    if (wrong !== undefined) return expected("one domain name a line", wrong);
    return ok(domains.map((domain) => domain.toLowerCase()));
  };
}

/**
 * `key:value` lines; the key lower-cased, the last of equal keys wins, lines without a colon are refused. Keys and values
 * are octet strings, like the addresses they are compared with and put in front of.
 */
export const parseVirtualDomains: Parse<ReadonlyMap<string, string>> = (text) => {
  const map = new Map<string, string>();
  for (const line of lines(text)) {
    const colon = line.indexOf(":");
    const key = lowerCaseAscii(utf8Octets(line.slice(0, Math.max(colon, 0))));
    const domain = key.slice(key.lastIndexOf("@") + 1).replace(/^\./, "");
    if (colon < 0 || (domain !== "" && !isDomain(domain))) {
      return expected("domain:prefix or user@domain:prefix", line);
    }
    map.set(key, utf8Octets(line.slice(colon + 1)));
  }
  return ok(map);
};

/** A host and a port; `host` is a domain or an address without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host`, `host:port`, `[v6]:port`; a bare IPv6 address is taken too. `undefined` when it is none of these. */
export function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  const bracketed = /^\[([^\]]+)\](?::([0-9]{1,5}))?$/.exec(text);
  const plain = /^([^:]+)(?::([0-9]{1,5}))?$/.exec(text);
  const [host, port] = bracketed
    ? [bracketed[1]!, bracketed[2]]
    : plain
    ? [plain[1]!, plain[2]]
    : parseIpv6(text) !== undefined
    ? [text, undefined]
    : ["", undefined];
  if (!isAddress(host) && (bracketed !== null || !isDomain(host))) return undefined;
  const number = port === undefined ? defaultPort : Number(port);
  return number <= 65535 ? { host: host.toLowerCase(), port: number } : undefined;
}

/** Whether `host` is an IPv4 (four parts) or IPv6 address. */
export function isAddress(host: string): boolean {
  return parseIp(host) !== undefined;
}

/** Addresses and networks (`10.0.0.0/8`, `::1`). */
export const parseNetworks: Parse<readonly string[]> = (text) => {
  const networks = lines(text);
  const wrong = networks.find((line) => parseClientNetwork(line) === undefined);
  return wrong === undefined ? ok(networks) : expected("one address or network a line, like 192.0.2.0/24", wrong);
};

/** Servers by address: `address` or `address:port` a line; `port` where none is said. */
export function parseServers(port: number): Parse<readonly Endpoint[]> {
  return (text) => {
    const servers: Endpoint[] = [];
    for (const line of lines(text)) {
      const server = parseEndpoint(line, port);
      if (server === undefined || !isAddress(server.host)) return expected("one address or address:port a line", line);
      servers.push(server);
    }
    return ok(servers);
  };
}

/** What can be listened for. Part of `control/listeners`. */
export const services = [
  "smtp",
  "submission",
  "submissions",
  "lmtp",
  "pop3",
  "pop3s",
  "qmtp",
  "qmtps",
  "qmqp",
  "admin",
] as const;
export type Service = (typeof services)[number];

export interface TcpListener extends Endpoint {
  readonly service: Service;
  /** Each connection begins with a PROXY header and comes from an address in control/proxyclients. */
  readonly proxy?: true;
}

/** `path`: absolute, or below HOME/run. */
export interface UnixListener {
  readonly service: "lmtp";
  readonly path: string;
}

export type Listener = TcpListener | UnixListener;

/** The listeners of one service, those of Unix sockets left out. */
export function tcpListeners(listeners: readonly Listener[], service: Service): TcpListener[] {
  return listeners.filter((listener): listener is TcpListener => listener.service === service && "port" in listener);
}

const expectedListener = `"service address:port [proxy]" with a service of ${services.join(", ")}, or "lmtp unix:path"`;

/**
 * `service address:port [proxy]` a line, for example `smtp 127.0.0.1:2525`; port 0 lets the system choose. Or
 * `lmtp unix:path`, absolute or (as `lmtp/s`) below HOME/run; such a path becomes part of a grant, so it has to be plain.
 * No place may be named twice.
 */
export const parseListeners: Parse<readonly Listener[]> = (text) => {
  const listeners: Listener[] = [];
  const places = new Set<string>();
  for (const line of lines(text)) {
    const [word, where = "", ...options] = line.split(/[ \t]+/);
    const service = services.find((name) => name === word);
    const listener = service === undefined
      ? undefined
      : where.startsWith("unix:")
      ? parseUnixListener(service, where.slice(5), options)
      : parseTcpListener(service, where, options);
    if (listener === undefined) return expected(expectedListener, line);
    const isAnyPort = "port" in listener && listener.port === 0;
    if (places.has(where) && !isAnyPort) return expected("each address and path once", line);
    places.add(where);
    listeners.push(listener);
  }
  return ok(listeners);
};

function parseTcpListener(service: Service, where: string, options: readonly string[]): TcpListener | undefined {
  // Without brackets the end of an IPv6 address looks like a port.
  const endpoint = /(^[^:]+|\]):[0-9]+$/.test(where) ? parseEndpoint(where, 0) : undefined;
  if (endpoint === undefined || !isAddress(endpoint.host)) return undefined;
  if (options.length === 0) return { service, ...endpoint };
  // The admin page is for loopback; nobody stands in front of it.
  return options.length === 1 && options[0] === "proxy" && service !== "admin"
    ? { service, ...endpoint, proxy: true }
    : undefined;
}

function parseUnixListener(service: Service, path: string, options: readonly string[]): UnixListener | undefined {
  if (service !== "lmtp" || options.length > 0) return undefined;
  // Below HOME/run a socket has a folder, in which its server can make it.
  const isBelowRun = /^[^/]+\/[^/]+$/.test(path);
  return isPlainPath(isBelowRun ? `/${path}` : path) ? { service, path } : undefined;
}
