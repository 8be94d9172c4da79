/**
 * Compiled rules: who may connect, and with which environment (ucspi-tcp's interface). One key is looked up after the
 * other, from the closest to the widest; the first that is there decides, and without one the connection is allowed.
 * @module
 */
import { formatIp } from "../../../config/ip/format_ip.ts";
import { parseNetwork } from "../../../config/ip/network.ts";
import { canonicalIp, parseClientIp } from "../../../config/ip/parse_ip.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { type KeyedRule, networkKey, type Rule } from "./parse_rules.ts";

export type Environment = ReadonlyMap<string, string>;

/** What becomes of a connection. Octet strings. */
export type Admission = { readonly kind: "deny" } | { readonly kind: "allow"; readonly environment: Environment };

/** A connecting client. `ip` in any spelling; `host` its name in the DNS; `info` what an ident server says. */
export interface Peer {
  readonly ip: string;
  readonly host?: string | undefined;
  readonly info?: string | undefined;
}

const openDoor: Admission = { kind: "allow", environment: new Map() };
const denied: Admission = { kind: "deny" };

export class TcpRules {
  readonly #rules = new Map<string, Rule>();
  /** Lengths of the IPv6 networks there are, the longest first. */
  readonly #networkBits: readonly number[];
  /** What each rule that was met means: most connections meet the same few. */
  readonly #admissions = new Map<Rule, Admission>();
  readonly #needsHost: boolean;

  /** Of rules with one key the first counts. */
  constructor(rules: Iterable<KeyedRule>) {
    const bits = new Set<number>();
    let needsHost = false;
    for (const rule of rules) {
      const key = spelledAlike(rule.key);
      if (!this.#rules.has(key)) this.#rules.set(key, rule);
      if (key.includes(":") && key.includes("/")) bits.add(Number(key.slice(key.lastIndexOf("/") + 1)));
      needsHost ||= key.includes("=");
    }
    this.#networkBits = [...bits].sort((a, b) => b - a);
    this.#needsHost = needsHost;
  }

  /** Whether a client's name can decide anything: without such a rule nobody need look it up. */
  get needsHost(): boolean {
    return this.#needsHost;
  }

  /** For a client of this address, and of this name where the DNS has one. */
  environmentFor(ip: string, host?: string): Admission {
    const rule = this.find({ ip, host })?.rule;
    if (rule === undefined) return openDoor;
    let admission = this.#admissions.get(rule);
    if (admission === undefined) {
      admission = rule.deny ? denied : { kind: "allow", environment: new Map(rule.variables) };
      this.#admissions.set(rule, admission);
    }
    return admission;
  }

  /** The rule that decides, and its key. */
  find(peer: Peer): { readonly key: string; readonly rule: Rule } | undefined {
    for (const key of lookupKeys(peer, this.#networkBits)) {
      const rule = this.#rules.get(key);
      if (rule !== undefined) return { key, rule };
    }
    return undefined;
  }

  /** Every value that some rule gives to a variable, each once. */
  valuesOf(name: string): ReadonlySet<string> {
    const values = new Set<string>();
    for (const { variables } of this.#rules.values()) {
      for (const [own, value] of variables) if (own === name) values.add(value);
    }
    return values;
  }
}

/** Keys that are written in more than one way, in one. */
function spelledAlike(key: string): string {
  if (key.includes("=")) return lowerCaseAscii(key);
  if (!key.includes(":")) return key;
  const network = parseNetwork(key);
  return network === undefined ? canonicalIp(key) : networkKey(network);
}

/** The keys of a client in the order they are looked up (ucspi-tcp's interface; IPv6 networks stand where prefixes do). */
export function* lookupKeys({ ip, host, info }: Peer, networkBits: readonly number[] = []): Generator<string> {
  const address = parseClientIp(ip);
  const spelled = address === undefined ? ip : formatIp(address);
  const name = host === undefined ? undefined : `=${lowerCaseAscii(host)}`;
  if (info !== undefined) {
    yield `${info}@${spelled}`;
    if (name !== undefined) yield `${info}@${name}`;
  }
  yield spelled;
  if (name !== undefined) yield name;
  if (address?.kind === "ipv6") {
    for (const bits of networkBits) yield networkKey({ address, bits });
  } else {
    for (let dot = spelled.lastIndexOf("."); dot > 0; dot = spelled.lastIndexOf(".", dot - 1)) {
      yield spelled.slice(0, dot + 1);
    }
  }
  if (name !== undefined) {
    for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) yield `=${name.slice(dot)}`;
    yield "=";
  }
  yield "";
}
