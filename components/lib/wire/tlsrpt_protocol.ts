/**
 * What tlsrpt is told (socket `tlsrpt`): `{op:"note", …}`, how one attempt to protect a connection ended. Nothing is
 * answered.
 * @module
 */
import { type TlsFlaw, tlsFlaws } from "../tls/client_policy.ts";
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** What the policy came from (RFC 8460 §4.2). */
export const policyTypes = ["sts", "tlsa", "no-policy-found"] as const;
export type PolicyType = (typeof policyTypes)[number];

export interface TlsrptNote {
  /** The recipients' domain: A-labels, without a final dot. */
  readonly domain: string;
  readonly policyType: PolicyType;
  /** The lines of an MTA-STS policy, or TLSA records as text; empty without a policy. */
  readonly policyStrings: readonly string[];
  /** The exchanger's name; "" where none was chosen yet. */
  readonly mxHost: string;
  /** The exchanger's address; "" where none was reached. */
  readonly ip: string;
  /** Our side of the connection. */
  readonly sendingIp?: string;
  /** Absent: TLS came about as the policy wants it. */
  readonly flaw?: TlsFlaw;
}

const longestName = 300;
const longestIp = 64;
/** Of a policy: its lines, and octets in one. A longer list is cut, and so is a longer line: TLSA records may hold whole certificates. */
export const mostStrings = 110;
export const longestString = 1100;

/** Throws ProtocolError. */
export function parseTlsrptNote({ head }: Frame): TlsrptNote {
  if (head["op"] !== "note") throw new ProtocolError(`expected the request "note"`);
  const strings = head["policyStrings"];
  if (!Array.isArray(strings)) throw new ProtocolError('expected a list in the field "policyStrings"');
  const sendingIp = field.optionalText(head, "sendingIp", longestIp);
  return {
    domain: field.text(head, "domain", longestName).toLowerCase(),
    policyType: field.oneOf(head, "policyType", policyTypes),
    policyStrings: strings.slice(0, mostStrings).map((line) => field.text({ line }, "line", longestString)),
    mxHost: field.text(head, "mxHost", longestName),
    ip: field.text(head, "ip", longestIp),
    ...(sendingIp === undefined ? {} : { sendingIp }),
    ...(head["flaw"] === undefined ? {} : { flaw: field.oneOf(head, "flaw", tlsFlaws) }),
  };
}
