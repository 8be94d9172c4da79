/**
 * The report of one day to one policy domain, as XML (RFC 9990 §3.1 and appendix A; who knows only the older schema of RFC 7489
 * appendix C finds its elements in the same places). An octet string of US-ASCII.
 * @module
 */
import { secondsOfDay } from "../reports/days.ts";
import type { CountedObservation, DomainCounts } from "./counts.ts";
import type { Observation, PublishedPolicy } from "./observation.ts";

export interface ReportSource {
  readonly organization: string;
  readonly contact: string;
  readonly reportId: string;
  /** When the day began. */
  readonly startSeconds: number;
  readonly counts: DomainCounts;
}

type Node = readonly [name: string, content: string | readonly Node[]];

export function formatReport({ organization, contact, reportId, startSeconds, counts }: ReportSource): string {
  const metadata: Node = ["report_metadata", [
    ["org_name", organization],
    ["email", contact],
    ["report_id", reportId],
    ["date_range", [["begin", `${startSeconds}`], ["end", `${startSeconds + secondsOfDay - 1}`]]],
    ["generator", "dqmail"],
  ]];
  const records = counts.rows.map((row) => recordOf(row, counts.policy));
  const content: readonly Node[] = [["version", "1.0"], metadata, policyOf(counts.policy), ...records];
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'];
  for (const node of content) write(node, "  ", lines);
  return [...lines, "</feedback>", ""].join("\n");
}

function write([name, content]: Node, indent: string, lines: string[]): void {
  if (typeof content === "string") {
    lines.push(`${indent}<${name}>${escaped(content)}</${name}>`);
    return;
  }
  lines.push(`${indent}<${name}>`);
  for (const node of content) write(node, `${indent}  `, lines);
  lines.push(`${indent}</${name}>`);
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Senders choose names in any octets, and XML 1.0 has no way to write some of them. */
function escaped(text: string): string {
  return text.replace(/[^ -~]/g, "?").replace(/[&<>]/g, (char) => entities[char]!);
}

/** An element where there is something to say. */
function optional(name: string, value: string | undefined): readonly Node[] {
  return value === undefined ? [] : [[name, value]];
}

function policyOf({ domain, p, sp, np, adkim, aspf, fo, testing, discovery }: PublishedPolicy): Node {
  return ["policy_published", [
    ["domain", domain],
    ...optional("discovery_method", discovery),
    ["p", p],
    // The schema of RFC 7489 has none without it; absent, p is its value.
    ["sp", sp ?? p],
    ...optional("np", np),
    ...optional("fo", fo),
    ...optional("adkim", adkim),
    ...optional("aspf", aspf),
    ...(testing === undefined ? [] : optional("testing", testing ? "y" : "n")),
  ]];
}

function recordOf({ observation, count }: CountedObservation, policy: PublishedPolicy): Node {
  const { sourceIp, dkimAligned, spfAligned, reasons = [], headerFrom, envelopeFrom, dkim, spf } = observation;
  return ["record", [
    ["row", [
      ["source_ip", sourceIp],
      ["count", `${count}`],
      ["policy_evaluated", [
        ["disposition", dispositionOf(observation, policy)],
        ["dkim", dkimAligned ? "pass" : "fail"],
        ["spf", spfAligned ? "pass" : "fail"],
        ...reasons.map(({ type, comment }): Node => ["reason", [["type", type], ...optional("comment", comment)]]),
      ]],
    ]],
    ["identifiers", [...optional("envelope_from", envelopeFrom), ["header_from", headerFrom]]],
    ["auth_results", [
      ...dkim.map(({ domain, selector, result }): Node => [
        "dkim",
        [["domain", domain], ["selector", selector], ["result", result]],
      ]),
      ...(spf === undefined
        ? []
        : [["spf", [["domain", spf.domain], ["scope", "mfrom"], ["result", spf.result]]] satisfies Node]),
    ]],
  ]];
}

/** "pass" is for what a policy that asks for something has let through (RFC 9990 appendix A). */
function dispositionOf({ disposition, dkimAligned, spfAligned }: Observation, { p }: PublishedPolicy): string {
  return disposition === "none" && p !== "none" && (dkimAligned || spfAligned) ? "pass" : disposition;
}
