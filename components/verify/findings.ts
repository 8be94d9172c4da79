/**
 * What was found of one message, and what is made of it: the lines of Authentication-Results, the fields of the log's event,
 * the note for the aggregate report, and whether DMARC stops it.
 * @module
 */
import type { Observation, PolicyAction, PolicyOverride } from "../lib/dmarc/observation.ts";
import type { SignatureCheck } from "../lib/mailauth/dkim.ts";
import type { DmarcCheck } from "../lib/mailauth/dmarc.ts";
import type { DmarcMode } from "../lib/mailauth/dmarc_file.ts";
import type { MethodResult } from "../lib/mailauth/results_field.ts";
import type { SpfCheck } from "../lib/mailauth/spf.ts";

export interface Findings {
  /** Absent where the client's address is not known. */
  readonly spf: SpfCheck | undefined;
  /** The HELO name, where `spf` is about the reverse-path. */
  readonly heloSpf: SpfCheck | undefined;
  /** Absent where the header is too large to be looked at. */
  readonly signatures: SignatureCheck | undefined;
  /** Absent where control/dmarc says "none". */
  readonly dmarc: DmarcCheck | undefined;
}

/** Of the log's event. */
export type EventFields = Readonly<Record<string, string | number>>;

export type Disposition =
  | { readonly kind: "pass" }
  /** DMARC asks for it, or control/spfbehavior. */
  | { readonly kind: "refuse"; readonly text: string }
  /** The DNS did not say. */
  | { readonly kind: "defer"; readonly text: string };

const pass: Disposition = { kind: "pass" };

/**
 * A message for which SPF could not be asked came from no client that is known: it is never stopped, for it may have come by
 * way of another server that is ours.
 */
export function dispositionOf({ spf, dmarc }: Findings, mode: DmarcMode): Disposition {
  if (mode !== "enforce" || dmarc === undefined || spf === undefined) return pass;
  switch (dmarc.result) {
    case "temperror":
      return { kind: "defer", text: "Zcannot check the domain in From now (#4.7.0)" };
    case "fail":
    case "permerror":
      return dmarc.policy === "reject" ? { kind: "refuse", text: refusalOf(dmarc) } : pass;
    case "none":
    case "pass":
      return pass;
  }
}

/** From which control/spfbehavior on a result stops a message; what is not here never does. */
const stoppedFrom: ReadonlyMap<string, number> = new Map([
  ["temperror", 2],
  ["fail", 3],
  ["softfail", 4],
  ["neutral", 5],
  ["none", 6],
  ["permerror", 6],
]);

/** What SPF alone makes of it, by control/spfbehavior. */
export function spfDispositionOf({ spf }: Findings, spfBehavior: number): Disposition {
  if (spf === undefined || spfBehavior < (stoppedFrom.get(spf.result) ?? Infinity)) return pass;
  if (spf.result === "temperror") {
    return { kind: "defer", text: "Zcannot check the sender's domain by SPF now (#4.7.24)" };
  }
  const code = spf.result === "permerror" ? "5.7.24" : "5.7.23";
  return { kind: "refuse", text: `Dthe sender's domain does not let you send its mail: SPF ${spf.result} (#${code})` };
}

/** At most 255 octets of printable ASCII, as a verdict's text has to be. */
function refusalOf({ domain, result }: DmarcCheck): string {
  if (result === "permerror") return "DFrom has to name one domain, so that it can be checked (#5.7.1)";
  const named = /^[a-z0-9._-]{1,150}$/.test(domain) ? domain : "the domain in From";
  return `D${named} wants mail refused that it did not authenticate (DMARC) (#5.7.1)`;
}

/** One for each method and identity, in the order in which DMARC builds on them. */
export function resultsOf({ spf, heloSpf, signatures, dmarc }: Findings): readonly MethodResult[] {
  return [
    ...[spf, heloSpf].flatMap((check): MethodResult[] =>
      check === undefined ? [] : [{
        method: "spf",
        result: check.result,
        properties: [[`smtp.${check.identity}`, check.value]],
      }]
    ),
    ...dkimResultsOf(signatures),
    ...(dmarc === undefined ? [] : [dmarcResultOf(dmarc)]),
    ...arcResultsOf(signatures),
  ];
}

function dkimResultsOf(check: SignatureCheck | undefined): readonly MethodResult[] {
  if (check === undefined) {
    return [{ method: "dkim", result: "permerror", comment: "the header is too large", properties: [] }];
  }
  const { signatures, passedOver } = check;
  if (signatures.length === 0) return [{ method: "dkim", result: "none", properties: [] }];
  return signatures.map(({ result, comment, domain, selector, algorithm, start }, index) => {
    const isLast = index === signatures.length - 1 && passedOver > 0;
    const said = [comment, isLast ? `${passedOver} more not looked at` : undefined].filter((text) =>
      text !== undefined
    );
    return {
      method: "dkim",
      result,
      ...(said.length === 0 ? {} : { comment: said.join("; ") }),
      properties: [
        ["header.d", domain],
        ["header.s", selector],
        ["header.a", algorithm],
        ["header.b", start],
      ],
    };
  });
}

function dmarcResultOf({ result, domain, policy, comment, published }: DmarcCheck): MethodResult {
  const said = [published === undefined ? undefined : `p=${published.p}`, comment].filter((text) => text !== undefined);
  const isAsked = result === "fail" || result === "permerror";
  return {
    method: "dmarc",
    result,
    ...(said.length === 0 ? {} : { comment: said.join("; ") }),
    properties: [["header.from", domain], ...(isAsked ? [["policy.dmarc", policy] as const] : [])],
  };
}

function arcResultsOf(check: SignatureCheck | undefined): readonly MethodResult[] {
  if (check === undefined || check.arc.result === "none") return [];
  const { result, instances, comment } = check.arc;
  return [{ method: "arc", result, comment: comment ?? `i=${instances}`, properties: [] }];
}

/** Signatures that are named in the log. */
const mostLogged = 5;

/** All of it in one event. */
export function logFieldsOf(findings: Findings, { kind }: Disposition): EventFields {
  const { spf, heloSpf, signatures, dmarc } = findings;
  const dkim = signatures?.signatures.slice(0, mostLogged).map(({ result, domain }) => `${result}:${domain}`).join(",");
  return {
    spf: spf === undefined ? "-" : `${spf.result}:${spf.domain}`,
    ...(heloSpf === undefined ? {} : { helo: `${heloSpf.result}:${heloSpf.domain}` }),
    dkim: signatures === undefined ? "permerror" : dkim === "" ? "none" : dkim ?? "",
    arc: signatures?.arc.result ?? "none",
    ...(dmarc === undefined ? {} : {
      dmarc: `${dmarc.result}:${dmarc.domain}`,
      policy: dmarc.policy,
    }),
    verdict: kind,
  };
}

/** For the report of the day; `undefined` where nobody wants one. `sender`: the reverse-path. */
export function observationOf(
  { spf, signatures, dmarc }: Findings,
  disposition: Disposition,
  { ip, sender }: { readonly ip: string; readonly sender: string },
): Observation | undefined {
  const published = dmarc?.published;
  if (dmarc === undefined || published === undefined || !dmarc.wantsReports) return undefined;
  if (dmarc.result !== "pass" && dmarc.result !== "fail") return undefined;
  const done: PolicyAction = disposition.kind === "refuse" ? "reject" : "none";
  const reasons = reasonsOf(dmarc, published.testing === true, done);
  return {
    sourceIp: ip,
    policy: published,
    disposition: done,
    dkimAligned: dmarc.dkimAligned,
    spfAligned: dmarc.spfAligned,
    ...(reasons.length === 0 ? {} : { reasons }),
    headerFrom: dmarc.domain,
    envelopeFrom: sender.slice(sender.lastIndexOf("@") + 1).toLowerCase(),
    dkim: (signatures?.signatures ?? []).map(({ domain, selector, result }) => ({ domain, selector, result })),
    ...(spf === undefined ? {} : { spf: { domain: spf.domain, result: spf.result } }),
  };
}

function reasonsOf({ result, policy }: DmarcCheck, isTesting: boolean, done: PolicyAction): readonly PolicyOverride[] {
  if (result !== "fail") return [];
  return [
    ...(isTesting ? [{ type: "policy_test_mode" } as const] : []),
    ...(policy !== done ? [{ type: "local_policy" } as const] : []),
  ];
}
