/**
 * Who may send what where: qmail's rcpthosts and RELAYCLIENT, and the question whether a local recipient exists, as pure
 * functions of the control files, the client's address and one RCPT. Whoever calls asks qmail-getpw where this says so.
 *
 * Unlike qmail: an absent rcpthosts admits nobody, not everybody; a recipient in a local or virtual domain must exist;
 * `user%host@local` is no way past rcpthosts.
 * @module
 */
import ipaddr from "ipaddr.js";
import type { Controls } from "../../config/schema.ts";
import { formatMailbox, type ForwardPath } from "../lib/address/mailbox.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { rewriteRecipient, type RewriteRules, suffixMatch } from "../lib/queue/rewrite.ts";
import type { Verdict } from "../lib/smtp/server_session.ts";
import type { GetpwReply } from "../lib/wire/getpw_protocol.ts";

type Address = ReturnType<typeof ipaddr.process>;

/** An address and how many of its leading bits count. */
type Network = readonly [Address, number];

/** The control files as the policy needs them; made once per reading of them. */
export interface Rules {
  readonly me: string;
  /** Domains, and suffixes that begin with a dot; the values mean nothing. */
  readonly rcpthosts: ReadonlyMap<string, true>;
  readonly relayclients: readonly Network[];
  readonly rewrite: RewriteRules;
}

/** A verdict, or that it hangs on whether there is such a mailbox. */
export type Judgement = Verdict | { readonly kind: "ask"; readonly recipient: string };

/** Prepares the control files. */
export function compileRules(
  controls: Pick<Controls, "me" | "rcpthosts" | "relayclients" | keyof RewriteRules>,
): Rules {
  return {
    me: controls.me,
    rcpthosts: new Map(controls.rcpthosts.map((domain) => [domain, true])),
    relayclients: controls.relayclients.map(parseNetwork),
    rewrite: controls,
  };
}

/**
 * A socket's remote address in one spelling: IPv4 where it is IPv4 mapped into IPv6, no zone; `unknown` where the socket
 * could not tell.
 *
 * @example
 * ```ts
 * import { clientAddress } from "./policy.ts";
 * clientAddress("::ffff:192.0.2.1"); // "192.0.2.1"
 * ```
 */
export function clientAddress(remoteAddress: string | undefined): string {
  const address = remoteAddress?.split("%", 1)[0] ?? "";
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : "unknown";
}

/** Whether the client at `ip` (as {@link clientAddress} writes it) is in control/relayclients. */
export function mayRelay(ip: string, rules: Rules): boolean {
  if (!ipaddr.isValid(ip)) return false;
  const address = ipaddr.process(ip);
  return rules.relayclients.some(([network, bits]) =>
    network.kind() === address.kind() && address.match(network as ipaddr.IPv4 & ipaddr.IPv6, bits)
  );
}

/** A client as the rules see it. */
export interface KnownClient {
  readonly ip: string;
  readonly relaying: boolean;
}

/** Clients whose addresses are remembered; most come again soon. */
const mostClients = 1000;

/** {@link clientAddress} and {@link mayRelay} of sockets' remote addresses, each worked out once. */
export class KnownClients {
  readonly #rules: Rules;
  readonly #known = new Map<string | undefined, KnownClient>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  at(remoteAddress: string | undefined): KnownClient {
    let client = this.#known.get(remoteAddress);
    if (client === undefined) {
      const ip = clientAddress(remoteAddress);
      client = { ip, relaying: mayRelay(ip, this.#rules) };
      if (this.#known.size >= mostClients) this.#known.clear();
      this.#known.set(remoteAddress, client);
    }
    return client;
  }
}

/** Judges one RCPT of a client that may relay, or may not. */
export function judge(path: ForwardPath, relaying: boolean, rules: Rules): Judgement {
  const bare = path.kind === "postmaster";
  const recipient = bare ? `postmaster@${rules.me}` : formatMailbox(path.mailbox);
  const routed = rewriteRecipient(recipient, rules.rewrite);
  // Everyone may write to the postmaster (RFC 5321 §4.5.1).
  const welcome = relaying || bare ||
    isOurs(recipient, rules) && (routed.channel === "local" || isOurs(routed.address, rules));
  if (!welcome) return { kind: "refuse", recipient, reason: "rcpthosts" };
  return { kind: routed.channel === "local" ? "ask" : "accept", recipient };
}

/** The verdict on a recipient that {@link judge} asked for. */
export function verdictOf(recipient: string, reply: GetpwReply["kind"]): Verdict {
  if (reply === "exists" || reply === "possible" || reply === "account") return { kind: "accept", recipient };
  return { kind: "refuse", recipient, reason: reply === "none" ? "no-mailbox" : "unsure" };
}

function isOurs(recipient: string, rules: Rules): boolean {
  const domain = lowerCaseAscii(recipient.slice(recipient.lastIndexOf("@") + 1));
  return rules.rcpthosts.has(domain) || suffixMatch(domain, rules.rcpthosts) !== undefined;
}

/** `text` has been found good by the control file's reader. */
function parseNetwork(text: string): Network {
  const [address, bits] = ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : [ipaddr.parse(text), undefined];
  const most = address.kind() === "ipv4" ? 32 : 128;
  // A client is looked up in the IPv4 spelling, so a network of mapped addresses is turned into that as well.
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && (bits ?? most) >= 96) {
    return [address.toIPv4Address(), (bits ?? most) - 96];
  }
  return [address, bits ?? most];
}
