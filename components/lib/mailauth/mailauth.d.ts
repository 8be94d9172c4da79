/**
 * What is used of the npm package mailauth, which has no types for all of it. One file for several of its modules.
 */
import type { Writable } from "node:stream";

/** Rejects with an error that has a `code` as node:dns has them. */
export type LibraryResolver = (name: string, type: string) => Promise<unknown[]>;

export interface LibraryStatus {
  readonly result: string;
  readonly comment?: string | false;
  readonly smtp?: Readonly<Record<string, string | undefined>>;
  readonly policy?: Readonly<Record<string, string>>;
  readonly testing?: boolean;
}

export function spf(options: {
  readonly sender: string;
  readonly ip: string;
  readonly helo: string;
  readonly mta: string;
  readonly strict: true;
  readonly resolver: LibraryResolver;
}): Promise<{
  readonly domain: string;
  readonly status: LibraryStatus;
  /** The field Received-SPF, folded with CRLF. */
  readonly header: string;
}>;

export interface SignatureHeader {
  readonly type: "DKIM" | "ARC";
  /** The field as it came. */
  readonly original: Uint8Array;
  readonly parsed?: { readonly [tag: string]: { readonly value?: unknown } | undefined };
  /** `c=` as it came; set by prepareSignature(). */
  readonly canonicalization?: string;
  /** Not looked at at all, and why. */
  skip?: string;
  /** Reported as "neutral" without a look at its key, and why. */
  invalid?: string;
  /** The octets of the body that are signed; "" is all of it. */
  readonly maxBodyLength?: number | "";
  readonly timestamp?: Date | null;
}

export interface SignatureResult {
  readonly status: LibraryStatus;
  readonly signingDomain?: string;
  readonly selector?: string;
  readonly signature?: string;
  readonly algo?: string;
}

export interface ArcData {
  readonly chain: readonly unknown[] | false;
}

export class DkimVerifier extends Writable {
  constructor(options: {
    readonly resolver: LibraryResolver;
    readonly minBitLength: number;
    readonly strict: true;
    readonly curTime: Date;
    readonly sender: string;
  });
  readonly results: readonly SignatureResult[];
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  readonly arc: ArcData;
  prepareSignature(header: SignatureHeader): void;
}

export function arc(data: ArcData, options: {
  readonly resolver: LibraryResolver;
  readonly minBitLength: number;
  readonly strict: true;
}): Promise<{ readonly status: LibraryStatus; readonly i?: number | false }>;

/** Of a record at `_dmarc`. */
export interface LibraryRecord {
  readonly p?: string;
  readonly sp?: string;
  readonly np?: string;
  readonly adkim?: string;
  readonly aspf?: string;
  readonly fo?: string;
  readonly rua?: string;
  readonly t?: string;
}

export interface LibraryDmarc {
  readonly status: LibraryStatus;
  /** Where the record was found. */
  readonly policyDomain?: string;
  /** What is asked for by the policy that applies, its test mode considered. */
  readonly policy?: string;
  readonly p?: string;
  readonly sp?: string;
  readonly np?: string;
  readonly testMode?: boolean;
  readonly alignment?: {
    readonly spf: { readonly result?: string | undefined; readonly strict: boolean };
    readonly dkim: { readonly result?: string | undefined; readonly strict: boolean };
  };
  readonly record?: LibraryRecord;
}

export function evaluateDmarc(options: {
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  readonly spfDomains: readonly string[];
  readonly dkimDomains: readonly { readonly domain: string }[];
  readonly resolver: LibraryResolver;
  readonly strict: true;
}): Promise<{
  readonly response: LibraryDmarc | false;
  readonly reason?: string;
  readonly authorDomains?: readonly string[];
}>;
