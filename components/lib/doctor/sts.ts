/**
 * MTA-STS (RFC 8461): the record, and the policy behind it.
 * @module
 */
import { txtLine } from "../dkim/keys.ts";
import { isListedMx } from "../sts/mx_match.ts";
import { parseStsRecords } from "../sts/record.ts";
import type { StsPolicy } from "../sts/policy_text.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import type { Exchanger } from "./mx.ts";
import type { Site } from "./site.ts";

const sts = findings("MTA-STS");

/** What became of fetching a policy; `why`: one line. */
export type FetchedPolicy =
  | { readonly kind: "policy"; readonly policy: StsPolicy }
  | { readonly kind: "failed"; readonly why: string };

/** Undefined: policies are not to be fetched. */
export type FetchPolicy = ((domain: string) => Promise<FetchedPolicy>) | undefined;

/** Days that the policy which is proposed is valid for. */
const proposedSeconds = 7 * 86_400;

export async function examineSts(
  domain: string,
  site: Site,
  exchangers: readonly Exchanger[],
  world: { readonly ask: Ask; readonly fetchPolicy: FetchPolicy; readonly nowMs: number },
): Promise<readonly Finding[]> {
  const name = `_mta-sts.${domain}`;
  const reply = await world.ask(name, "TXT");
  if (reply.status === "temporary") return [sts.unsure(name, "no name server gave an answer")];
  const texts = valuesOf(reply).filter((text) => /^v=STSv1/i.test(text));
  const hosts = exchangers.length > 0 ? exchangers.map(({ host }) => host) : [site.me];
  if (texts.length === 0) {
    const paste = [
      txtLine(name, `v=STSv1; id=${idOf(world.nowMs)};`),
      `mta-sts.${domain}. IN CNAME ${site.me}.`,
      `; and at https://mta-sts.${domain}/.well-known/mta-sts.txt:`,
      ...["version: STSv1", "mode: testing", ...hosts.map((host) => `mx: ${host}`), `max_age: ${proposedSeconds}`]
        .map((line) => `; ${line}`),
    ];
    return [sts.missing(name, "other servers cannot know that there has to be TLS", paste)];
  }
  const id = parseStsRecords(texts);
  if (id === undefined) {
    const why = texts.length > 1 ? `${texts.length} records: none of them counts` : `it cannot be read: ${texts[0]}`;
    return [sts.wrong(name, why, [txtLine(name, `v=STSv1; id=${idOf(world.nowMs)};`)])];
  }
  const record = sts.good(name, `id=${id}`);
  if (world.fetchPolicy === undefined) return [record, sts.note(domain, "the policy was not fetched")];
  return [record, examinePolicy(domain, await world.fetchPolicy(domain), exchangers)];
}

/** The id of a policy made now (RFC 8461 §3.1 has the time as an example). */
function idOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[^0-9]/g, "").slice(0, 14);
}

function examinePolicy(domain: string, result: FetchedPolicy, exchangers: readonly Exchanger[]): Finding {
  const where = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  if (result.kind === "failed") {
    // Nobody who asks from elsewhere need have had the same trouble.
    return result.why.startsWith("no connection")
      ? sts.unsure(where, `the policy cannot be fetched from here: ${result.why}`)
      : sts.wrong(where, `no policy is to be had: ${result.why}`);
  }
  const { mode, mx, maxAgeSeconds } = result.policy;
  const astray = exchangers.filter(({ host }) => !isListedMx(mx, host)).map(({ host }) => host);
  if (mode !== "none" && astray.length > 0) {
    return sts.wrong(where, `the policy does not name the MX ${astray.join(", ")}`);
  }
  if (mode === "enforce") return sts.good(where, `mode enforce for ${maxAgeSeconds} s`);
  return sts.note(where, `mode ${mode}: it asks for nothing yet`);
}
