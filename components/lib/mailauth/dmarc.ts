/**
 * DMARC (RFC 9989; policies as RFC 7489 has them) by the npm package mailauth in its strict mode. Beyond it: what becomes
 * of a message whose From names several domains or cannot be read, and of one whose checks the DNS kept from being made.
 * @module
 */
// @ts-types="./mailauth.d.ts"
import { evaluateDmarc } from "mailauth/lib/dmarc/index.js";
import { type PolicyAction, policyActions, type PublishedPolicy } from "../dmarc/observation.ts";
import type { Lookups } from "./lookups.ts";
import type { LibraryDmarc, LibraryResolver } from "./mailauth.d.ts";

export interface DmarcInput {
  /** The addresses in From. */
  readonly headerFrom: readonly string[];
  /** The number of fields of that name. */
  readonly fromFields: number;
  /** Whether a From names somebody, as far as one can see. */
  readonly hasAuthor: boolean;
  /** Domains that SPF passed for (at most one), and that it could not be checked for. */
  readonly spf: Identifiers;
  /** Domains of signatures that passed, and that could not be checked. */
  readonly dkim: Identifiers;
}

export interface Identifiers {
  readonly passed: readonly string[];
  /** The DNS was silent: asked again, they may pass. */
  readonly unknown: readonly string[];
}

export interface DmarcCheck {
  /** `permerror`: From does not name one domain. */
  readonly result: "none" | "pass" | "fail" | "temperror" | "permerror";
  /** The domain in From; "" where there is not one. */
  readonly domain: string;
  /**
   * What the domain asks for: for a message that failed, or (the strictest of several domains) whose From cannot be read.
   */
  readonly policy: PolicyAction;
  readonly spfAligned: boolean;
  readonly dkimAligned: boolean;
  readonly comment?: string;
  /** The record that was found. */
  readonly published?: PublishedPolicy;
  /** Whether it asks for aggregate reports. */
  readonly wantsReports: boolean;
}

/** A walk up the tree is eight questions, and there may be a walk for each identifier. */
const mostLookups = 30;
/** Domains of a From that names several. */
const mostAuthors = 4;

const nobody: Identifiers = { passed: [], unknown: [] };

/** Whatever the input and the DNS say, the answer is a result. */
export async function checkDmarc(input: DmarcInput, lookups: Lookups): Promise<DmarcCheck> {
  const resolver = lookups.share(mostLookups);
  const { response, reason, authorDomains = [] } = await evaluate(input, resolver);
  if (response === false) return await withoutAuthor(input, reason ?? "", authorDomains, resolver);
  const found = checkOf(response, input.headerFrom);
  if (found.result !== "fail" || input.spf.unknown.length + input.dkim.unknown.length === 0) return found;
  // Each lookup is remembered: to ask whether what could not be checked would have helped costs few more.
  const best = { spf: allOf(input.spf), dkim: allOf(input.dkim) };
  const hoped = await evaluate({ ...input, ...best }, resolver);
  const mayPass = hoped.response !== false && hoped.response.status.result === "pass";
  return mayPass ? { ...found, result: "temperror", comment: "SPF or DKIM could not be checked" } : found;
}

function allOf({ passed, unknown }: Identifiers): Identifiers {
  return { passed: [...passed, ...unknown], unknown: [] };
}

function evaluate({ headerFrom, fromFields, spf, dkim }: DmarcInput, resolver: LibraryResolver) {
  return evaluateDmarc({
    headerFrom,
    fromFields,
    spfDomains: spf.passed,
    dkimDomains: dkim.passed.map((domain) => ({ domain })),
    resolver,
    strict: true,
  });
}

/**
 * Not one domain in From: nobody's policy can be kept to, but a forger shall not get around one so. The strictest policy of
 * those that are named counts (RFC 7489 §6.6.1); an address that cannot be read at all asks for refusal itself.
 */
async function withoutAuthor(
  input: DmarcInput,
  reason: string,
  domains: readonly string[],
  resolver: LibraryResolver,
): Promise<DmarcCheck> {
  const unreadable = {
    result: "permerror",
    domain: "",
    spfAligned: false,
    dkimAligned: false,
    comment: reason.replaceAll("-", " "),
    wantsReports: false,
  } as const;
  if (domains.length === 0 || domains.length > mostAuthors) {
    return { ...unreadable, policy: input.hasAuthor ? "reject" : "none" };
  }
  const asked = await Promise.all(domains.map(async (domain) => {
    const { response } = await evaluate(
      { ...input, headerFrom: [domain], fromFields: 1, spf: nobody, dkim: nobody },
      resolver,
    );
    return response === false ? "reject" : checkOf(response, [domain]).policy;
  }));
  const policy = policyActions.findLast((action) => asked.includes(action)) ?? "none";
  return { ...unreadable, policy };
}

function checkOf(response: LibraryDmarc, headerFrom: readonly string[]): DmarcCheck {
  const { status, alignment, record } = response;
  const published = publishedOf(response);
  const from = headerFrom[0] ?? "";
  return {
    result: status.result === "pass" || status.result === "fail" || status.result === "none"
      ? status.result
      : "temperror",
    domain: domainOf(from),
    policy: status.result === "fail" ? actionOf(response.policy) ?? "none" : "none",
    spfAligned: alignment?.spf.result !== undefined,
    dkimAligned: alignment?.dkim.result !== undefined,
    ...(published === undefined ? {} : { published }),
    wantsReports: (record?.rua ?? "") !== "",
  };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase().replace(/\.$/, "");
}

function actionOf(text: string | undefined): PolicyAction | undefined {
  return policyActions.find((action) => action === text);
}

function publishedOf({ policyDomain, p, record, testMode }: LibraryDmarc): PublishedPolicy | undefined {
  const action = actionOf(p);
  if (policyDomain === undefined || action === undefined || record === undefined) return undefined;
  const [sp, np] = [actionOf(record.sp), actionOf(record.np)];
  return {
    domain: policyDomain,
    p: action,
    ...(sp === undefined ? {} : { sp }),
    ...(np === undefined ? {} : { np }),
    ...(record.adkim === "s" || record.adkim === "r" ? { adkim: record.adkim } : {}),
    ...(record.aspf === "s" || record.aspf === "r" ? { aspf: record.aspf } : {}),
    ...(record.fo === undefined ? {} : { fo: record.fo }),
    ...(testMode === true ? { testing: true } : {}),
    discovery: "treewalk",
  };
}
