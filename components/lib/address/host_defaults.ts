/**
 * Completing addresses as people write them on this host (qmail-inject's rules): `joe` gets the default host, a host
 * without a dot the default domain, a host that ends in "+" the plus domain; source routes go.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { at, dot, localPartTokens, type Token, tokenize } from "./token.ts";

/** What is added, as tokens. */
export interface HostDefaults {
  readonly defaultHost: readonly Token[];
  /** Empty: nothing is added to a host without a dot. */
  readonly defaultDomain: readonly Token[];
  readonly plusDomain: readonly Token[];
}

/** A host as a control file or a variable has it; undefined for what cannot stand behind an "@". */
export function parseHost(text: string): Token[] | undefined {
  const tokens = tokenize(text)?.filter((token) => token.kind !== "comment");
  if (tokens === undefined) return undefined;
  const isHost = tokens.every((token, index) => {
    if (token.kind === ".") return true;
    if (token.kind !== "atom" && token.kind !== "literal") return false;
    return index === 0 || tokens[index - 1]!.kind === ".";
  });
  return isHost ? tokens : undefined;
}

/** `x@[]` is what qmail writes where no answer may go. */
function hasNoHost(address: readonly Token[]): boolean {
  const [before, last] = address.slice(-2);
  return before?.kind === "@" && last?.kind === "literal" && last.text === "";
}

/** Without `@a,@b:` in front. */
function withoutRoute(address: readonly Token[]): readonly Token[] {
  if (address[0]?.kind !== "@") return address;
  const colon = address.findIndex((token) => token.kind === ":");
  return colon < 0 ? [] : address.slice(colon + 1);
}

function without(address: readonly Token[], kind: "." | "@"): readonly Token[] {
  return address.at(-1)?.kind === kind ? address.slice(0, -1) : address;
}

/**
 * The address in full. `<>`, `x@[]`, and what is nothing but a route are left alone.
 *
 * @example
 * ```ts
 * import { formatTokens } from "./format_tokens.ts";
 * import { completeAddress, parseHost } from "./host_defaults.ts";
 * import { tokenize } from "./token.ts";
 * const hosts = { defaultHost: parseHost("h")!, defaultDomain: parseHost("example.com")!, plusDomain: parseHost("p.example")! };
 * formatTokens(completeAddress(tokenize("joe")!, hosts)); // "joe@h.example.com"
 * ```
 */
export function completeAddress(address: readonly Token[], hosts: HostDefaults): readonly Token[] {
  if (hasNoHost(address)) return address;
  const mailbox = without(without(withoutRoute(address), "."), "@");
  if (mailbox.length === 0) return mailbox;
  const withHost = mailbox.some((token) => token.kind === "@") ? mailbox : [...mailbox, at, ...hosts.defaultHost];
  return completeDomain(completePlus(withHost, hosts.plusDomain), hosts.defaultDomain);
}

function completePlus(address: readonly Token[], plusDomain: readonly Token[]): readonly Token[] {
  const last = address.at(-1)!;
  if (last.kind !== "atom" || !last.text.endsWith("+")) return address;
  const text = last.text.slice(0, -1);
  const host: Token[] = text === "" ? [] : [{ kind: "atom", text }, dot];
  return [...address.slice(0, -1), ...host, ...plusDomain];
}

function completeDomain(address: readonly Token[], defaultDomain: readonly Token[]): readonly Token[] {
  if (defaultDomain.length === 0) return address;
  for (let index = address.length - 1; index >= 0 && address[index]!.kind !== "@"; index--) {
    const { kind } = address[index]!;
    if (kind === "." || kind === "literal") return address;
  }
  return [...address, dot, ...defaultDomain];
}

/**
 * An address of a command line, in the form the queue keeps: the local part stands without quotes, the last "@" ends it.
 * Unlike qmail: angle brackets around it are taken off, for `-f "<>"` is what programs of other mail software say.
 * Error: no host behind the "@", or an octet no address may have.
 */
export function parseArgument(argument: string): Result<readonly Token[], "syntax"> {
  const text = /^<(.*)>$/s.exec(argument)?.[1] ?? argument;
  // deno-lint-ignore no-control-regex
  if (/[\x00\n\r]/.test(text)) return err("syntax");
  if (text === "") return ok([]);
  const separator = text.lastIndexOf("@");
  if (separator < 0) return ok(localPartTokens(text));
  const host = parseHost(text.slice(separator + 1));
  if (host === undefined) return err("syntax");
  return ok([...localPartTokens(text.slice(0, separator)), at, ...host]);
}
