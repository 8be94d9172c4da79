/**
 * What several rules share, prepared once from the control files: which addresses are ours, where they are delivered, and
 * who is on an allow list.
 * @module
 */
import { formatMailbox, type ForwardPath, type ReversePath } from "../address/mailbox.ts";
import { domainOf, lowerCaseAscii } from "../address/parse_domain.ts";
import { findInCdb } from "../cdb/reader.ts";
import { toOctets } from "../octets.ts";
import { rewriteRecipient, type RewriteRules, suffixMatch } from "../queue/rewrite.ts";
import { isReturnPath } from "../srs/srs.ts";
import type { ClientFacts, MailFacts } from "./decision.ts";
import { listedBy } from "./listed.ts";
import { NetworkSet } from "./networks.ts";
import type { Oracles, PluginStage, Soon } from "./oracles.ts";
import type { ClientAsked, PolicyControls, PolicyOptions, RcptAsked } from "./rule.ts";
import { soon } from "./rule.ts";

export interface Ground {
  readonly controls: PolicyControls;
  readonly plugins: ReadonlySet<PluginStage>;
  /** Whether strangers may send to that address; "unsure" where a list of it is damaged. */
  isOurs(address: string): boolean | "unsure";
  /** Whether control/allowclients names the client. */
  isAllowed(ip: string): boolean;
  /** That, or a zone of control/dnsallowlist does. */
  isAllowlisted(client: ClientFacts, oracles: Oracles): Soon<boolean>;
}

/** Prepares the control files. */
export function groundOf(controls: PolicyControls, { plugins = new Set() }: PolicyOptions): Ground {
  const rcpthosts = new Map(controls.rcpthosts.map((domain) => [domain, true]));
  const allowed = new NetworkSet(controls.allowclients);
  const more = controls["morercpthosts.cdb"];
  return {
    controls: { ...controls, locals: lookedUp(controls.locals), percenthack: lookedUp(controls.percenthack) },
    plugins,
    isOurs: (address) => {
      const domain = domainOf(address);
      if (rcpthosts.has(domain) || suffixMatch(domain, rcpthosts) !== undefined) return true;
      return more === "none" ? false : isInCdb(domain, more);
    },
    isAllowed: (ip) => allowed.has(ip),
    isAllowlisted: (client, oracles) => {
      if (allowed.has(client.ip)) return true;
      const lists = controls.dnsallowlist.filter((list) => list.entrances.includes(client.entrance));
      return lists.length > 0 && soon(listedBy(client.ip, lists, oracles), ({ list }) => list !== undefined);
    },
  };
}

/** The same array, whose `includes` does not go through all of it: rewriting asks that for every recipient. */
function lookedUp(domains: readonly string[]): readonly string[] {
  const set = new Set(domains);
  return Object.assign([...domains], { includes: (domain: string) => set.has(domain) });
}

/** qmail's keys: the domain, then each of its suffixes that begins with a dot. */
function isInCdb(domain: string, cdb: Exclude<PolicyControls["morercpthosts.cdb"], "none">): boolean | "unsure" {
  for (let at = 0; at >= 0; at = domain.indexOf(".", at + 1)) {
    const found = findInCdb(cdb, toOctets(domain.slice(at)));
    if (!found.ok) return "unsure";
    if (found.value !== undefined) return true;
  }
  return false;
}

/** An address of an envelope as the queue keeps it. */
export function addressOf(path: ReversePath): string {
  return path.kind === "null" ? "" : formatMailbox(path.mailbox);
}

export function clientAsked(client: ClientFacts): ClientAsked {
  return { client, trusted: client.relaying || client.login !== undefined || client.entrance === "lmtp" };
}

/** Works out what the rules want to know of a recipient. */
export function rcptAsked(client: ClientFacts, mail: MailFacts, path: ForwardPath, ground: Ground): RcptAsked {
  const bare = path.kind === "postmaster";
  const given = bare ? `postmaster@${ground.controls.me}` : formatMailbox(path.mailbox);
  const appended = client.environment.size === 0 ? "" : client.environment.get("RELAYCLIENT") ?? "";
  return askedAbout(clientAsked(client), mail, appended === "" ? given : given + appended, bare, ground);
}

/** The same for an address that stands in the place of the one that was given. */
export function askedAbout(
  { client, trusted }: ClientAsked,
  mail: MailFacts,
  recipient: string,
  bare: boolean,
  ground: Ground,
): RcptAsked {
  const routed = rewriteRecipient(recipient, ground.controls satisfies RewriteRules);
  const isPostmaster = bare ||
    (recipient.lastIndexOf("@") === "postmaster".length && lowerCaseAscii(recipient).startsWith("postmaster@") &&
      ground.isOurs(recipient) === true);
  return {
    client,
    trusted,
    mail,
    recipient,
    bare,
    local: routed.channel === "local",
    routed: routed.address,
    returnPath: isReturnPath(recipient, ground.controls.srsdomain),
    postmaster: isPostmaster,
  };
}
