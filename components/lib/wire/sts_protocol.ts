/**
 * What mta-sts is asked (socket `mta-sts`): `{op:"policy", id, domain}`, which MTA-STS policy holds for mail to a domain.
 * @module
 */
import { type StsMode, stsModes } from "../sts/policy_text.ts";
import { type TlsFlaw, tlsFlaws } from "../tls/client_policy.ts";
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Longer than any domain name in text form. */
const longestName = 300;

export interface StsRequest {
  readonly id: number;
  /** Of the recipients: A-labels, any case, without a final dot. */
  readonly domain: string;
}

export type StsReply =
  /**
   * `flaw`: the domain says that it has a policy, and no valid one could be had: why (RFC 8460 §4.3.3). `isWithdrawn`: a
   * policy says that there is none, so any that is remembered is over (RFC 8461 §8.3).
   */
  | { readonly kind: "none"; readonly flaw?: TlsFlaw; readonly isWithdrawn?: true }
  | {
    readonly kind: "policy";
    readonly mode: Exclude<StsMode, "none">;
    /** Patterns of exchangers, lower case. */
    readonly mx: readonly string[];
    /** As the policy says. */
    readonly maxAgeSeconds: number;
    /** How long it is valid from now on, also where nobody can be asked again. */
    readonly leftSeconds: number;
  };

/** Throws ProtocolError. */
export function parseStsRequest({ head }: Frame): StsRequest {
  if (head["op"] !== "policy") throw new ProtocolError(`expected the request "policy"`);
  return { id: field.wholeNumber(head, "id"), domain: field.text(head, "domain", longestName) };
}

/** Throws ProtocolError. */
export function parseStsReply({ head }: Frame): StsReply {
  if (field.oneOf(head, "kind", ["none", "policy"]) === "none") {
    return {
      kind: "none",
      ...(head["flaw"] === undefined ? {} : { flaw: field.oneOf(head, "flaw", tlsFlaws) }),
      ...(head["isWithdrawn"] === true ? { isWithdrawn: true } : {}),
    };
  }
  const mx = head["mx"];
  if (!Array.isArray(mx)) throw new ProtocolError('expected a list in the field "mx"');
  return {
    kind: "policy",
    mode: field.oneOf(head, "mode", stsModes.filter((mode) => mode !== "none")),
    mx: mx.map((name) => field.text({ name }, "name", longestName)),
    maxAgeSeconds: field.wholeNumber(head, "maxAgeSeconds"),
    leftSeconds: field.wholeNumber(head, "leftSeconds"),
  };
}
