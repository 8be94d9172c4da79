/**
 * The record of TLS reports (RFC 8460 §3).
 * @module
 */
import { txtLine } from "../dkim/keys.ts";
import { parseTlsrptRecords } from "../tlsrpt/record.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";

const tlsrpt = findings("TLS-RPT");

export async function examineTlsrpt(domain: string, ask: Ask): Promise<Finding> {
  const name = `_smtp._tls.${domain}`;
  const wanted = [txtLine(name, `v=TLSRPTv1; rua=mailto:postmaster@${domain}`)];
  const reply = await ask(name, "TXT");
  if (reply.status === "temporary") return tlsrpt.unsure(name, "no name server gave an answer");
  const texts = valuesOf(reply).filter((text) => /^v=TLSRPTv1/i.test(text));
  if (texts.length === 0) return tlsrpt.missing(name, "nobody tells when TLS to this domain fails", wanted);
  const targets = parseTlsrptRecords(texts);
  if (targets === undefined) {
    const why = texts.length > 1 ? `${texts.length} records: none of them counts` : `it cannot be read: ${texts[0]}`;
    return tlsrpt.wrong(name, why, wanted);
  }
  const { addresses, others } = targets;
  if (addresses.length + others === 0) return tlsrpt.wrong(name, "rua= names nobody", wanted);
  const web = others > 0 ? [`${others} that no mail goes to`] : [];
  return tlsrpt.good(name, `reports go to ${[...addresses, ...web].join(", ")}`);
}
