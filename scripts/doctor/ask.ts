/**
 * Asks the name servers as the resolver component does, but without its memory: whoever has just published a record wants to
 * see that one. Each question is asked once in a run.
 * @module
 */
import type { Endpoint } from "../../config/values.ts";
import type { Ask } from "../../components/lib/doctor/ask.ts";
import { isQueryName } from "../../components/lib/dns/name.ts";
import type { RecordType, ResolveReply } from "../../components/lib/wire/resolver_protocol.ts";
import { exchange } from "../../components/resolver/exchange.ts";
import { beginLookup, continueLookup } from "../../components/resolver/lookup.ts";
import { believesAd, type TrustAd } from "../../components/resolver/name_servers.ts";

const nxdomain: ResolveReply = { status: "nxdomain", authenticated: false, records: [] };

export function askerOf(servers: readonly Endpoint[], trustAd: TrustAd): Ask {
  const answers = new Map<string, Promise<ResolveReply>>();
  const believes = (server: Endpoint) => believesAd(server, trustAd);

  async function lookUp(name: string, type: RecordType): Promise<ResolveReply> {
    let step = beginLookup({ name, type }, { servers, believes, sinceMs: performance.now() });
    while (step.kind === "ask") step = continueLookup(step.lookup, await exchange(step.ask), performance.now());
    return step.answer.reply;
  }

  return (name, type) => {
    const wanted = name.replace(/\.$/, "").toLowerCase();
    if (!isQueryName(wanted)) return Promise.resolve(nxdomain);
    const key = `${wanted} ${type}`;
    const answer = answers.get(key) ?? lookUp(wanted, type);
    answers.set(key, answer);
    return answer;
  };
}
