/**
 * What a server's certificate says of itself (RFC 5280 §4), read from its DER: node's class leaves out some of it, and shows
 * names as text that has to be taken apart again. As hostile as any input: whatever does not read as it should makes the
 * whole unreadable.
 * @module
 */
import { Buffer } from "node:buffer";
import { ipFromOctets } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { contextTag, type Element, element, oid, readElements, tags } from "./der.ts";

export interface PeerCertificate {
  /** SubjectPublicKeyInfo, the whole element. */
  readonly publicKey: Uint8Array;
  /** dNSName entries of the subject's alternative names; lower case, octet strings, each printable ASCII. */
  readonly dnsNames: readonly string[];
  /** iPAddress entries, as `formatIp` writes them. */
  readonly addresses: readonly string[];
  /** The subject's most particular common name, if it can be a host's. */
  readonly commonName: string | undefined;
  /** Whether it may issue certificates; `authoritiesBelow`: how many may stand between it and the server's. */
  readonly isAuthority: boolean;
  readonly authoritiesBelow: number;
  /** Whether it is for TLS servers, or for anything. */
  readonly isForServers: boolean;
  /** It says something critical that is not understood here, or restricts the names below it. */
  readonly isStrange: boolean;
}

const extensionOids = {
  keyUsage: hex(oid("2.5.29.15")),
  alternativeNames: hex(oid("2.5.29.17")),
  basicConstraints: hex(oid("2.5.29.19")),
  nameConstraints: hex(oid("2.5.29.30")),
  policies: hex(oid("2.5.29.32")),
  extendedKeyUsage: hex(oid("2.5.29.37")),
} as const;
const understood = new Set<string>(Object.values(extensionOids).filter((one) => one !== extensionOids.nameConstraints));

/** id-kp-serverAuth, anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const forServers = new Set([hex(oid("1.3.6.1.5.5.7.3.1")), hex(oid("2.5.29.37.0"))]);
const commonNameOid = hex(oid("2.5.4.3"));
/** keyCertSign is the sixth bit, from the left. */
const keyCertSign = 0x04;

const dnsNameTag = 0x82;
const addressTag = 0x87;

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

/** Reads a certificate (DER). Undefined: it is none, or a part of it that matters is malformed. */
export function readPeerCertificate(raw: Uint8Array): PeerCertificate | undefined {
  const certificate = readElements(raw);
  const tbs = inside(certificate?.[0], tags.sequence);
  const parts = inside(tbs?.[0], tags.sequence);
  if (parts === undefined) return undefined;
  // The version, [0], may be left out.
  const [, , , , subject, publicKey, ...rest] = parts[0]?.tag === contextTag(0) ? parts.slice(1) : parts;
  if (subject === undefined || publicKey?.tag !== tags.sequence) return undefined;
  const extensions = readExtensions(rest.find(({ tag }) => tag === contextTag(3)));
  if (extensions === undefined) return undefined;
  const said = (name: keyof typeof extensionOids) => extensions.find(({ id }) => id === extensionOids[name])?.value;

  const names = said("alternativeNames");
  const entries = names === undefined ? [] : inside(readElements(names)?.[0], tags.sequence);
  const authority = authorityOf(said("basicConstraints"), said("keyUsage"));
  const purposes = said("extendedKeyUsage");
  const purposeList = purposes === undefined ? undefined : inside(readElements(purposes)?.[0], tags.sequence);
  if (entries === undefined || authority === undefined || (purposes !== undefined && purposeList === undefined)) {
    return undefined;
  }
  return {
    publicKey: element(publicKey.tag, publicKey.content),
    dnsNames: entries.filter(({ tag }) => tag === dnsNameTag).map(({ content }) => textOf(content))
      .filter((name) => name !== undefined),
    addresses: entries.filter(({ tag }) => tag === addressTag).map(({ content }) => ipFromOctets(content))
      .filter((ip) => ip !== undefined).map(formatIp),
    commonName: commonNameOf(subject),
    ...authority,
    isForServers: purposeList === undefined ||
      purposeList.some(({ tag, content }) => forServers.has(hex(element(tag, content)))),
    isStrange: said("nameConstraints") !== undefined ||
      extensions.some(({ id, isCritical }) => isCritical && !understood.has(id)),
  };
}

function inside(outer: Element | undefined, tag: number): readonly Element[] | undefined {
  return outer?.tag === tag ? readElements(outer.content) : undefined;
}

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

function readExtensions(field: Element | undefined): readonly Extension[] | undefined {
  if (field === undefined) return [];
  const list = inside(readElements(field.content)?.[0], tags.sequence);
  const read = list?.map((one): Extension | undefined => {
    const parts = inside(one, tags.sequence);
    const [id, second] = parts ?? [];
    const isCritical = second?.tag === tags.boolean && second.content[0] !== 0;
    const value = parts?.at(-1);
    if (id?.tag !== tags.oid || value?.tag !== tags.octetString) return undefined;
    return { id: hex(element(id.tag, id.content)), isCritical, value: value.content };
  });
  return read?.every((one) => one !== undefined) === true ? read as Extension[] : undefined;
}

function authorityOf(
  constraints: Uint8Array | undefined,
  usage: Uint8Array | undefined,
): Pick<PeerCertificate, "isAuthority" | "authoritiesBelow"> | undefined {
  if (constraints === undefined) return { isAuthority: false, authoritiesBelow: 0 };
  const parts = inside(readElements(constraints)?.[0], tags.sequence);
  const bits = usage === undefined ? undefined : readElements(usage)?.[0];
  if (parts === undefined || (usage !== undefined && bits?.tag !== tags.bitString)) return undefined;
  const ca = parts.find(({ tag }) => tag === tags.boolean)?.content[0] ?? 0;
  const least = parts.find(({ tag }) => tag === tags.integer)?.content;
  // The first octet of a bit string counts its unused bits.
  const maySign = bits === undefined || ((bits.content[1] ?? 0) & keyCertSign) !== 0;
  if (ca === 0 || !maySign) return { isAuthority: false, authoritiesBelow: 0 };
  return {
    isAuthority: true,
    authoritiesBelow: least === undefined ? Infinity : least.reduce((sum, octet) => sum * 256 + octet, 0),
  };
}

/** A Name is a sequence of sets of pairs; the last pair is the most particular. */
function commonNameOf(subject: Element): string | undefined {
  const pairs = (inside(subject, tags.sequence) ?? []).flatMap((set) => inside(set, tags.set) ?? [])
    .map((pair) => inside(pair, tags.sequence) ?? []);
  const found = pairs.findLast(([id]) => id !== undefined && hex(element(id.tag, id.content)) === commonNameOid);
  return found?.[1] === undefined ? undefined : textOf(found[1].content);
}

/** Undefined for what is no name of a host: a NUL or a blank in it is a trick. */
function textOf(octets: Uint8Array): string | undefined {
  const text = Buffer.from(octets).toString("latin1");
  return /^[!-~]{1,255}$/.test(text) ? lowerCaseAscii(text) : undefined;
}
