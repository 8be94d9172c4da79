/**
 * SCRAM's messages (RFC 5802 §7): attributes `letter=value` in a fixed order, parted by commas. Octet strings.
 * @module
 */
import { decodeBase64 } from "../smtp/base64.ts";

/** What a client says of channel binding: it cannot, it can but thinks the server cannot, or it binds to this type. */
export type ChannelBinding =
  | { readonly kind: "none" }
  | { readonly kind: "not-offered" }
  | { readonly kind: "bound"; readonly type: string };

export interface ClientFirst {
  readonly binding: ChannelBinding;
  /** "" where the client names none. */
  readonly authzid: string;
  readonly login: string;
  readonly nonce: string;
  /** What the client's binding has to begin with: up to the second comma, with it. */
  readonly gs2Header: string;
  /** The rest, which is signed. */
  readonly bare: string;
}

export interface ClientFinal {
  /** gs2 header and, where the client binds, the octets of the channel. */
  readonly binding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** The message without its proof, which is signed. */
  readonly withoutProof: string;
}

/** Far above any client's; a message of this size costs nothing yet. */
const longestMessage = 2048;

/** RFC 5802's `printable`: ASCII without blanks, control characters and the comma. */
const printable = /^[\x21-\x2b\x2d-\x7e]+$/;
/** An extension: a letter and a value without NUL and comma. */
// deno-lint-ignore no-control-regex
const attribute = /^[A-Za-z]=[^\x00,]+$/;

/** Undefined for anything that does not follow the grammar, an extension nobody here knows (`m=`) included. */
export function parseClientFirst(message: string): ClientFirst | undefined {
  if (message.length > longestMessage) return undefined;
  const [flag = "", identity, ...rest] = message.split(",");
  const [user = "", random = "", ...extensions] = rest;
  const binding = parseFlag(flag);
  const authzid = identity === "" ? "" : parseName(identity, "a=");
  const login = parseName(user, "n=");
  const nonce = valueOf(random, "r=");
  if (binding === undefined || authzid === undefined || login === undefined) return undefined;
  if (nonce === undefined || !printable.test(nonce) || !extensions.every((one) => attribute.test(one))) {
    return undefined;
  }
  return { binding, authzid, login, nonce, gs2Header: `${flag},${identity},`, bare: rest.join(",") };
}

/** Undefined for anything that does not follow the grammar. */
export function parseClientFinal(message: string): ClientFinal | undefined {
  if (message.length > longestMessage) return undefined;
  const end = message.lastIndexOf(",");
  const [channel = "", random = "", ...extensions] = message.slice(0, Math.max(end, 0)).split(",");
  const binding = decodeBase64(valueOf(channel, "c=") ?? "");
  const nonce = valueOf(random, "r=");
  const proof = decodeBase64(valueOf(message.slice(end + 1), "p=") ?? "");
  if (binding === undefined || binding.length === 0 || proof === undefined || proof.length === 0) return undefined;
  if (nonce === undefined || !extensions.every((one) => attribute.test(one))) return undefined;
  return { binding, nonce, proof, withoutProof: message.slice(0, end) };
}

function valueOf(text: string, name: string): string | undefined {
  return text.startsWith(name) ? text.slice(name.length) : undefined;
}

function parseFlag(flag: string): ChannelBinding | undefined {
  if (flag === "n") return { kind: "none" };
  if (flag === "y") return { kind: "not-offered" };
  return /^p=[A-Za-z0-9.-]{1,64}$/.test(flag) ? { kind: "bound", type: flag.slice(2) } : undefined;
}

/** A name in which `=2C` stands for a comma and `=3D` for `=`. */
function parseName(text: string | undefined, prefix: string): string | undefined {
  const escaped = valueOf(text ?? "", prefix);
  if (escaped === undefined || escaped === "" || /=(?!2C|3D)/.test(escaped)) return undefined;
  return escaped.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
