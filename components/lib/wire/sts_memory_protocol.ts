/**
 * What mta-sts tells and asks whoever keeps its policies over a restart (socket `sts-memory`, made by tlsrpt):
 * `{op:"remember", …}` for a policy that was fetched, which is not answered; `{op:"recall", id}`, answered by a frame for
 * each policy, as in `remember`, and then by `{id}`. Both sides read what comes as if it came from the network.
 * @module
 */
import { isDomain } from "../../../config/values.ts";
import type { KnownPolicy } from "../sts/cache_rules.ts";
import { longestPolicy, parsePolicyText, policyStrings } from "../sts/policy_text.ts";
import { isPolicyId } from "../sts/record.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

export interface KeptPolicy {
  /** Lower case. */
  readonly domain: string;
  readonly known: KnownPolicy;
}

export type StsMemoryRequest =
  | { readonly op: "remember"; readonly kept: KeptPolicy }
  | { readonly op: "recall"; readonly id: number };

const longestName = 300;

/** Throws ProtocolError. */
export function parseStsMemoryRequest({ head }: Frame): StsMemoryRequest {
  const op = field.oneOf(head, "op", ["remember", "recall"]);
  return op === "remember" ? { op, kept: parseKeptPolicy(head) } : { op, id: field.wholeNumber(head, "id") };
}

/** The inverse of {@link formatKeptPolicy}. Throws ProtocolError. */
export function parseKeptPolicy(head: RawHead): KeptPolicy {
  const domain = field.text(head, "domain", longestName);
  if (!isDomain(domain) || domain !== domain.toLowerCase()) throw new ProtocolError("expected a domain");
  const id = field.text(head, "policyId", longestName);
  if (!isPolicyId(id)) throw new ProtocolError("expected a policy's id");
  const policy = parsePolicyText(field.text(head, "text", longestPolicy));
  if (!policy.ok) throw new ProtocolError(`expected a policy: ${policy.error}`);
  return { domain, known: { id, policy: policy.value, fetchedSeconds: field.wholeNumber(head, "fetchedSeconds") } };
}

/** The fields of a policy, `op` included. */
export function formatKeptPolicy({ domain, known: { id, policy, fetchedSeconds } }: KeptPolicy): object {
  return { op: "remember", domain, policyId: id, fetchedSeconds, text: policyStrings(policy).join("\n") };
}
