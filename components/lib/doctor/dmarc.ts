/**
 * The DMARC record: the domain's own, or that of its organization (RFC 9989 §4.10).
 * @module
 */
import { txtLine } from "../dkim/keys.ts";
import { organizationalDomain, permissionName } from "../dmarc/destinations.ts";
import { policyActions } from "../dmarc/observation.ts";
import { type DmarcRecord, isDmarc, parseDmarcRecord, reportUrisOf } from "../dmarc/record.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";

const dmarc = findings("DMARC");

export async function examineDmarc(domain: string, ask: Ask): Promise<readonly Finding[]> {
  const wanted = [txtLine(`_dmarc.${domain}`, `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`)];
  for (const owner of new Set([domain, organizationalDomain(domain)])) {
    const name = `_dmarc.${owner}`;
    const reply = await ask(name, "TXT");
    if (reply.status === "temporary") return [dmarc.unsure(name, "no name server gave an answer")];
    const [text, ...more] = valuesOf(reply).filter(isDmarc);
    if (more.length > 0) return [dmarc.wrong(name, `${more.length + 1} records: none of them counts`)];
    if (text !== undefined) return await examineRecord(owner, domain, text, ask, wanted);
  }
  return [
    dmarc.missing(`_dmarc.${domain}`, "nobody is told what to do with mail that only claims to be from it", wanted),
  ];
}

async function examineRecord(
  owner: string,
  domain: string,
  text: string,
  ask: Ask,
  wanted: readonly string[],
): Promise<readonly Finding[]> {
  const name = `_dmarc.${owner}`;
  const parsed = parseDmarcRecord(text);
  if (!parsed.ok) return [dmarc.wrong(name, parsed.error, wanted)];
  const { tags } = parsed.value;
  for (const tag of ["p", "sp", "np"]) {
    const action = tags.get(tag);
    if (action === undefined ? tag === "p" : !(policyActions as readonly string[]).includes(action.toLowerCase())) {
      const why = action === undefined ? "there is no p=" : `${tag}=${action} is none of ${policyActions.join(", ")}`;
      return [dmarc.wrong(name, why, wanted)];
    }
  }
  const policy = owner === domain ? tags.get("p")! : tags.get("sp") ?? tags.get("p")!;
  const from = owner === domain ? "" : `, by the record of ${owner}`;
  const found = [
    policy.toLowerCase() === "none"
      ? dmarc.note(
        name,
        `p=none${from}: it asks for nothing; p=quarantine or p=reject when the reports show all is well`,
      )
      : dmarc.good(name, `p=${policy}${from}`),
  ];
  return [...found, ...await examineReports(name, owner, parsed.value, ask)];
}

async function examineReports(name: string, owner: string, record: DmarcRecord, ask: Ask): Promise<readonly Finding[]> {
  const uris = reportUrisOf(record);
  if (uris.length === 0) {
    return [
      record.tags.has("rua")
        ? dmarc.wrong(name, `rua=${record.tags.get("rua")} has no mailto: address`)
        : dmarc.note(name, "no rua=: nobody sends reports"),
    ];
  }
  return await Promise.all(uris.map(async ({ address }) => {
    const host = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
    const permission = permissionName(owner, host);
    if (permission === undefined) return dmarc.good(name, `reports go to ${address}`);
    const reply = await ask(permission, "TXT");
    if (reply.status === "temporary") return dmarc.unsure(permission, "no name server gave an answer");
    if (valuesOf(reply).some(isDmarc)) return dmarc.good(name, `reports go to ${address}, and ${host} agrees`);
    const why = `reports for ${address} are not sent before ${host} agrees (RFC 9990 §4)`;
    return dmarc.missing(permission, why, [txtLine(permission, "v=DMARC1")]);
  }));
}
