/**
 * SPF (RFC 7208) by the npm package mailauth in its strict mode, its DNS bounded by {@link Lookups}.
 * @module
 */
// @ts-types="./mailauth.d.ts"
import { spf } from "mailauth/lib/spf/index.js";
import { type spfResults } from "../dmarc/observation.ts";
import { decodeUtf8Octets } from "./text.ts";
import type { Lookups } from "./lookups.ts";
import type { LibraryResolver } from "./mailauth.d.ts";

export type SpfResult = (typeof spfResults)[number];

/** The most that RFC 7208 §4.6.4 allows is 10 terms with 10 hosts each; no honest record comes near. */
const mostLookups = 40;

/** No honest record has them; the cost of one in the library grows with the square of a term's length. */
const longestRecord = 8192;
const longestTerm = 512;

/** mailauth takes `spfResult` as the answer. */
class UnreadableRecord extends Error {
  readonly code = "EUNREADABLE";
  readonly spfResult = { error: "permerror", text: "the record is too long" };
}

export interface SpfInput {
  readonly ip: string;
  /** As the client said it, an octet string. */
  readonly helo: string;
  /** The reverse-path, an octet string. "": the HELO name is checked (RFC 7208 §2.4). */
  readonly sender: string;
  /** This host's name. */
  readonly receiver: string;
}

export interface SpfCheck {
  readonly identity: "mailfrom" | "helo";
  /** Lower case, A-labels; what stands there may be no domain. */
  readonly domain: string;
  readonly result: SpfResult;
  /** What is said of it in Authentication-Results: the domain, or the address where the record asked for its local part. */
  readonly value: string;
  /** The field Received-SPF, with LF line ends. */
  readonly receivedSpf: string;
}

/** Checks one identity. Whatever the input and the DNS say, the answer is a result. */
export async function checkSpf({ ip, helo, sender, receiver }: SpfInput, lookups: Lookups): Promise<SpfCheck> {
  const { domain, status, header } = await spf({
    ip,
    helo: decodeUtf8Octets(helo),
    sender: decodeUtf8Octets(sender),
    mta: receiver,
    strict: true,
    resolver: withBoundedRecords(lookups.share(mostLookups)),
  });
  const identity = sender === "" ? "helo" : "mailfrom";
  return {
    identity,
    domain,
    result: status.result as SpfResult,
    value: status.smtp?.[identity] ?? domain,
    receivedSpf: `${header.replaceAll("\r\n", "\n")}\n`,
  };
}

function withBoundedRecords(resolver: LibraryResolver): LibraryResolver {
  return async (name, type) => {
    const values = await resolver(name, type);
    if (type === "TXT" && values.some(isTooLong)) throw new UnreadableRecord("the record is too long");
    return values;
  };
}

function isTooLong(strings: unknown): boolean {
  const record = Array.isArray(strings) ? strings.join("") : "";
  return /^v=spf1( |$)/i.test(record) &&
    (record.length > longestRecord || record.split(" ").some((term) => term.length > longestTerm));
}
