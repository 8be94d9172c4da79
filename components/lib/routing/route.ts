/**
 * Where mail goes that control files name a server for: what smtproutes, qmtproutes and authsenders have in common.
 *
 * A relay is written as `host`, `host:port`, `[v6]:port` (a `;` in front of the port as well), or a bare IPv6 address. Behind it:
 * `user password` as the patches for AUTH have it, or `|user|password` as s/qmail has it, and words `name=value`:
 * `protocol=lmtp` or `qmtp`; `tls=` with a level of control/tlsdestinations, and its options. Words stand in front of the user or behind the password, and before the first `|`.
 * @module
 */
import { type Endpoint, isAddress, isDomain, parseEndpoint } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { utf8Octets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";
import type { TlsWish } from "../tls/client_policy.ts";
import { parseTlsDestinations } from "../tls/destinations_file.ts";
import type { RemoteProtocol } from "../wire/delivery_protocol.ts";

/** Octet strings. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** A relay, and how it is spoken with. */
export interface Route extends Endpoint {
  /** Absent: smtp. */
  readonly protocol?: RemoteProtocol;
  /** Absent: what control/tlsdestinations or the default say. */
  readonly tls?: TlsWish;
  readonly login?: Login;
}

/** Routes by domain, `.suffix` or `""` for all others; `undefined` as a value: by MX after all. */
export type Routes = ReadonlyMap<string, Route | undefined>;

/** Ports of SMTP and QMTP within TLS from the first octet on (RFC 8314 §3.3, s/qmail). */
const implicitTlsPorts: readonly number[] = [465, 6209];
const usualPorts: Readonly<Record<RemoteProtocol, number>> = { smtp: 25, lmtp: 24, qmtp: 209 };

const proofNames: readonly WordName[] = ["name", "fingerprint", "authority"];
const wordNames = ["protocol", "tls", "implicit", "name", "fingerprint", "authority"] as const;
type WordName = (typeof wordNames)[number];
interface Word {
  readonly name: WordName;
  readonly value: string;
}

/**
 * Reads a relay with all that may stand behind it; `text` is not empty. The error names the part that is wrong, and
 * never a user or password.
 *
 * @example
 * ```ts
 * import { parseRoute } from "./route.ts";
 * parseRoute("relay.example:587 amy secret"); // ok, with { host: "relay.example", port: 587, login: … }
 * ```
 */
export function parseRoute(text: string, protocol: RemoteProtocol = "smtp"): Result<Route, string> {
  const bar = text.indexOf("|");
  const [where = "", ...rest] = (bar < 0 ? text : text.slice(0, bar)).split(/[ \t]+/);
  const { words, others } = sortWords(rest);
  const named = words.find(({ name }) => name === "protocol")?.value;
  const spoken = named === undefined ? protocol : (["lmtp", "qmtp", "smtp"] as const).find((one) => one === named);
  if (spoken === undefined) return err(`protocol=smtp, lmtp or qmtp, got ${JSON.stringify(named)}`);
  const endpoint = parseEndpoint(where.replace(/;(?=[0-9]+$)/, ":"), usualPorts[spoken]);
  if (endpoint === undefined || endpoint.port === 0) {
    return err(`a relay as host or host:port, got ${JSON.stringify(where)}`);
  }
  const login = bar < 0 ? loginOf(others) : others.length > 0 ? undefined : barLoginOf(text.slice(bar + 1));
  if (login === undefined) return err(`a user and a password, or neither, behind ${JSON.stringify(where)}`);
  if (login !== "none" && spoken === "qmtp") return err(`no user for qmtp, behind ${JSON.stringify(where)}`);
  const tls = tlsOf(words, endpoint, login !== "none");
  if (!tls.ok) return tls;
  if (spoken === "qmtp" && tls.value !== undefined && tls.value.level !== "none" && !tls.value.implicit) {
    return err(`"implicit" for TLS with qmtp, behind ${JSON.stringify(where)}`);
  }
  return ok({
    ...endpoint,
    ...(spoken === "smtp" ? {} : { protocol: spoken }),
    ...(tls.value === undefined ? {} : { tls: tls.value }),
    ...(login === "none" ? {} : { login }),
  });
}

/** Words in front of the first that is none, and those behind the second of these; what stands between belongs to a login. */
function sortWords(texts: readonly string[]): { readonly words: readonly Word[]; readonly others: readonly string[] } {
  const words: Word[] = [];
  const others: string[] = [];
  for (const text of texts) {
    // A password may look like a word.
    const word = others.length === 1 ? undefined : wordOf(text);
    if (word === undefined) others.push(text);
    else words.push(word);
  }
  return { words, others };
}

function wordOf(text: string): Word | undefined {
  if (text === "implicit") return { name: "implicit", value: "" };
  const name = wordNames.find((one) => text.startsWith(`${one}=`));
  return name === undefined ? undefined : { name, value: text.slice(name.length + 1) };
}

function loginOf([user, password, ...more]: readonly string[]): Login | "none" | undefined {
  if (user === undefined) return "none";
  if (password === undefined || more.length > 0) return undefined;
  return { user: utf8Octets(user), password: utf8Octets(password) };
}

/** The password is all behind the second bar. */
function barLoginOf(text: string): Login | "none" | undefined {
  const bar = text.indexOf("|");
  const [user, password] = bar < 0 ? [text, ""] : [text.slice(0, bar), text.slice(bar + 1)];
  if (user === "" && password === "") return "none";
  return user === "" || password === "" ? undefined : { user: utf8Octets(user), password: utf8Octets(password) };
}

function tlsOf(words: readonly Word[], relay: Endpoint, hasLogin: boolean): Result<TlsWish | undefined, string> {
  const isImplicit = implicitTlsPorts.includes(relay.port) || words.some(({ name }) => name === "implicit");
  const levels = words.filter(({ name }) => name === "tls").map(({ value }) => value);
  const options = words.filter(({ name }) => proofNames.includes(name)).map(({ name, value }) => `${name}=${value}`);
  const level = levels.length > 0 ? levels.join(" ") : levelFor(relay, options.length > 0, isImplicit, hasLogin);
  if (level === undefined) return ok(undefined);
  // One grammar for both files.
  const read = parseTlsDestinations(`*:${[level, ...options, ...isImplicit ? ["implicit"] : []].join(" ")}`);
  return read.ok ? ok(read.value.get("*")) : err(`${read.error.replace(/^expected /, "")} for the TLS of a relay`);
}

/**
 * Unlike the patches for AUTH: a password is told only within TLS, but to this machine itself, unless a word says
 * otherwise.
 */
function levelFor({ host }: Endpoint, hasProof: boolean, isImplicit: boolean, hasLogin: boolean): string | undefined {
  if (hasProof) return "verify";
  const isHere = host.startsWith("127.") || host === "::1" || host === "localhost";
  return isImplicit || (hasLogin && !isHere) ? "encrypt" : undefined;
}

/** `domain`, `.domain`, `[address]`, or `""` and `*` for all; lower-cased. `undefined` for what is none of these. */
export function parseRouteKey(text: string): string | undefined {
  const key = lowerCaseAscii(text);
  if (key === "" || key === "*") return "";
  if (key.startsWith("[") && key.endsWith("]")) {
    return isAddress(key.slice(1, -1).replace(/^ipv6:/, "")) ? key : undefined;
  }
  const domain = key.replace(/^\*?\./, "");
  return isDomain(domain) ? key.replace(/^\*\./, ".") : undefined;
}

/** A route for people: everything but the password. */
export function maskPasswords(text: string): string {
  return text.split("\n").map(maskLine).join("\n");
}

function maskLine(line: string): string {
  const bar = line.indexOf("|");
  if (bar >= 0) {
    const next = line.indexOf("|", bar + 1);
    return next < 0 ? line : `${line.slice(0, next + 1)}(password)`;
  }
  const [head = "", ...rest] = line.split(/[ \t]+/);
  let others = 0;
  return [
    head,
    ...rest.map((text) => (others !== 1 && wordOf(text) !== undefined) || ++others === 1 ? text : "(password)"),
  ].join(" ");
}
