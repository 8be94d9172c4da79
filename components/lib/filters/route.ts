/**
 * What goes with a message through a chain, beside its envelope: who brought it, who is to see it yet, and what the one
 * who has it does with one that it cannot hold. As fields of the heads of `message` and `open` (queue_protocol.ts), and as
 * a text for a program's environment. qmail-queue does not look at them.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import * as field from "../wire/fields.ts";
import type { RawHead } from "../wire/frame.ts";
import { ProtocolError } from "../wire/server.ts";
import { type Chain, formatHop, type Hop, mostHops, parseHop, type Trouble } from "./chain.ts";
import type { ClientNote } from "./filter.ts";

/** What is done with a message that is larger than filters look at. */
export type Large = "pass" | "refuse";

/** How much a filter is to hold. */
export interface FilterLimits {
  /** Octets of one message (control/filterbytes). */
  readonly largestBytes: number;
  /** control/filterlarge. */
  readonly large: Large;
}

export interface Route extends FilterLimits {
  readonly client: ClientNote | undefined;
  /** Who is to see it yet, in order. */
  readonly chain: Chain;
}

export const usualLimits: FilterLimits = { largestBytes: 32 * 1024 * 1024, large: "pass" };

/** A filter's part of what came with a message. */
export interface Arrived extends Route {
  /** What the one before would do without this filter. */
  readonly onTrouble: Trouble;
}

/** The head's fields for `hop`, to whom the message goes, with `route` for those behind it. */
export function formatRoute(
  { client, chain, large, largestBytes }: Route,
  { onTrouble }: Pick<Hop, "onTrouble">,
): object {
  return {
    ...(client === undefined ? {} : { client: shortened(client) }),
    chain: chain.map(formatHop),
    filter: { onTrouble, large, largestBytes },
  };
}

/** As {@link parseClient} takes it: nothing a client calls itself may cost others their connection. */
function shortened({ entrance, ip, helo, host, login, tls, relaying }: ClientNote): ClientNote {
  const short = (text: string) => text.slice(0, longestName).replaceAll("\0", "?");
  return {
    entrance,
    ip: ip.slice(0, 100),
    helo: short(helo),
    ...(host === undefined ? {} : { host: short(host) }),
    ...(login === undefined ? {} : { login: short(login) }),
    tls,
    relaying,
  };
}

const longestName = 1000;

/** Throws ProtocolError. Without any of the fields nobody is to see it, and trouble means to try again. */
export function parseRoute(head: RawHead): Arrived {
  const client = head["client"] === undefined ? undefined : parseClient(field.object(head, "client"));
  const words = head["chain"] === undefined ? [] : field.addresses(head, "chain");
  if (words.length > mostHops) throw new ProtocolError(`expected at most ${mostHops} filters in the field "chain"`);
  const chain = words.map((word) => {
    const hop = parseHop(word);
    if (!hop.ok) throw new ProtocolError(`chain: ${hop.error}`);
    return hop.value;
  });
  if (head["filter"] === undefined) return { client, chain, ...usualLimits, onTrouble: "451" };
  const filter = field.object(head, "filter");
  return {
    client,
    chain,
    onTrouble: field.oneOf(filter, "onTrouble", ["pass", "451"]),
    large: field.oneOf(filter, "large", ["pass", "refuse"]),
    largestBytes: field.wholeNumber(filter, "largestBytes"),
  };
}

function parseClient(head: RawHead): ClientNote {
  const [host, login] = [optionalOctets(head, "host"), optionalOctets(head, "login")];
  return {
    entrance: field.text(head, "entrance", 100),
    ip: field.text(head, "ip", 100),
    helo: field.address(head, "helo"),
    ...(host === undefined ? {} : { host }),
    ...(login === undefined ? {} : { login }),
    tls: field.flag(head, "tls"),
    relaying: field.flag(head, "relaying"),
  };
}

function optionalOctets(head: RawHead, name: string): string | undefined {
  return head[name] === undefined ? undefined : field.address(head, name);
}

/** Names the variable in which an operator's program in a chain finds what qmail-queue, run by it, is to be told. */
export const routeVariable = "QMAILFILTERS";

/** One line of ASCII. */
export function formatRouteText(route: Route): string {
  const text = JSON.stringify(formatRoute(route, { onTrouble: "451" }));
  return text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Takes what {@link formatRouteText} makes. */
export function parseRouteText(text: string): Result<Route, string> {
  try {
    const head: unknown = JSON.parse(text);
    if (typeof head !== "object" || head === null || Array.isArray(head)) return err("expected an object");
    const { onTrouble: _, ...route } = parseRoute(head as RawHead);
    return ok(route);
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof SyntaxError) return err(error.message);
    throw error;
  }
}
