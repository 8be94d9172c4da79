/**
 * What dmarcrpt is told (socket `dmarcrpt`): `{op:"note", …}`, what was found about one message. Nothing is answered.
 * @module
 */
import { isDomain } from "../../../config/values.ts";
import {
  alignments,
  discoveryMethods,
  type DkimObservation,
  dkimResults,
  type Observation,
  overrideTypes,
  policyActions,
  type PolicyOverride,
  type PublishedPolicy,
  type SpfObservation,
  spfResults,
} from "../dmarc/observation.ts";
import { clientAddress } from "../policy/networks.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Names in the DNS have 253 characters at the most; what is longer was made up, and is cut. */
const longestName = 300;
const longestComment = 200;
const longestFo = 20;
/** Of one message; the rest is left out. RFC 9990 §3.1.3 has 100 as the most, a few tell who sent it. */
const mostSignatures = 10;
const mostReasons = 5;

/** Whether it can be counted: its policy is a domain's, and the client's address is known. */
export function isCountable({ policy, sourceIp }: Observation): boolean {
  return isDomain(policy.domain) && clientAddress(sourceIp) !== "unknown";
}

/** As {@link parseObservation} takes it: nothing that a sender made up may cost others their connection. */
export function shortened(observation: Observation): Observation {
  const short = (text: string) => text.slice(0, longestName);
  const { policy, reasons, headerFrom, envelopeFrom, dkim, spf } = observation;
  return {
    ...observation,
    policy: { ...policy, ...(policy.fo === undefined ? {} : { fo: policy.fo.slice(0, longestFo) }) },
    ...(reasons === undefined ? {} : {
      reasons: reasons.map(({ type, comment }) => ({
        type,
        ...(comment === undefined ? {} : { comment: comment.slice(0, longestComment) }),
      })),
    }),
    headerFrom: short(headerFrom),
    ...(envelopeFrom === undefined ? {} : { envelopeFrom: short(envelopeFrom) }),
    dkim: dkim.slice(0, mostSignatures).map(({ domain, selector, result }) => ({
      domain: short(domain),
      selector: short(selector),
      result,
    })),
    ...(spf === undefined ? {} : { spf: { domain: short(spf.domain), result: spf.result } }),
  };
}

/** Throws ProtocolError. */
export function parseObservation({ head }: Frame): Observation {
  if (head["op"] !== "note") throw new ProtocolError(`expected the request "note"`);
  const sourceIp = clientAddress(field.text(head, "sourceIp", 64));
  if (sourceIp === "unknown") throw new ProtocolError('expected an address in the field "sourceIp"');
  const envelopeFrom = field.optionalText(head, "envelopeFrom", longestName);
  const reasons = head["reasons"] === undefined ? [] : field.objects(head, "reasons").slice(0, mostReasons);
  return {
    sourceIp,
    policy: parsePolicy(field.object(head, "policy")),
    disposition: field.oneOf(head, "disposition", policyActions),
    dkimAligned: field.flag(head, "dkimAligned"),
    spfAligned: field.flag(head, "spfAligned"),
    ...(reasons.length === 0 ? {} : { reasons: reasons.map(parseReason) }),
    headerFrom: field.text(head, "headerFrom", longestName),
    ...(envelopeFrom === undefined ? {} : { envelopeFrom }),
    dkim: field.objects(head, "dkim").slice(0, mostSignatures).map(parseDkim),
    ...(head["spf"] === undefined ? {} : { spf: parseSpf(field.object(head, "spf")) }),
  };
}

function parsePolicy(head: RawHead): PublishedPolicy {
  const domain = field.text(head, "domain", longestName).toLowerCase();
  // It is asked for in the DNS, and stands in a file's name.
  if (!isDomain(domain)) throw new ProtocolError('expected a domain in the field "domain"');
  const optional = <const C extends string>(name: string, choices: readonly C[]) =>
    head[name] === undefined ? {} : { [name]: field.oneOf(head, name, choices) };
  return {
    domain,
    p: field.oneOf(head, "p", policyActions),
    ...optional("sp", policyActions),
    ...optional("np", policyActions),
    ...optional("adkim", alignments),
    ...optional("aspf", alignments),
    ...(head["fo"] === undefined ? {} : { fo: field.text(head, "fo", longestFo) }),
    ...(head["testing"] === undefined ? {} : { testing: field.flag(head, "testing") }),
    ...optional("discovery", discoveryMethods),
  };
}

function parseReason(head: RawHead): PolicyOverride {
  const comment = field.optionalText(head, "comment", longestComment);
  return { type: field.oneOf(head, "type", overrideTypes), ...(comment === undefined ? {} : { comment }) };
}

function parseDkim(head: RawHead): DkimObservation {
  return {
    domain: field.text(head, "domain", longestName),
    selector: field.text(head, "selector", longestName),
    result: field.oneOf(head, "result", dkimResults),
  };
}

function parseSpf(head: RawHead): SpfObservation {
  return { domain: field.text(head, "domain", longestName), result: field.oneOf(head, "result", spfResults) };
}
