/**
 * verify's judge: checks a message that came from a stranger, says in its header what was found, and stops it where DMARC
 * and control/dmarc both ask for that, or control/spfbehavior does. Everything of the world is given to it.
 * @module
 */
import type { Observation } from "../lib/dmarc/observation.ts";
import type { ClientNote, FilterMessage, Judge, Verdict } from "../lib/filters/filter.ts";
import { checkSignatures, type SignatureCheck } from "../lib/mailauth/dkim.ts";
import { checkDmarc, type DmarcCheck } from "../lib/mailauth/dmarc.ts";
import { dmarcModeFor, type DmarcModes } from "../lib/mailauth/dmarc_file.ts";
import { type HeaderScan, scanHeader } from "../lib/mailauth/header_scan.ts";
import { Lookups, type Resolve } from "../lib/mailauth/lookups.ts";
import { formatResultsField, type MethodResult, withoutForgedResults } from "../lib/mailauth/results_field.ts";
import { checkSpf, type SpfCheck } from "../lib/mailauth/spf.ts";
import { toOctets } from "../lib/octets.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import {
  dispositionOf,
  type EventFields,
  type Findings,
  logFieldsOf,
  observationOf,
  resultsOf,
  spfDispositionOf,
} from "./findings.ts";

export interface VerifySettings {
  /** Control/me. */
  readonly me: string;
  readonly authservId: string;
  readonly dmarc: DmarcModes;
  /** Whether a field Received-SPF is added, too. */
  readonly receivedSpf: boolean;
  /** control/spfbehavior. */
  readonly spfBehavior: number;
}

export interface VerifyWorld {
  /** As they are now: a reload changes them. */
  readonly settings: () => VerifySettings;
  readonly resolve: Resolve;
  readonly nowMs: () => number;
  readonly observe: (observation: Observation) => void;
  readonly log: (fields: EventFields) => void;
  /** For the checks of one message; default 20,000. */
  readonly budgetMs?: number;
}

/** Questions to the DNS that one message may cost. */
export const mostLookups = 100;
const usualBudgetMs = 20_000;

export function makeJudge(world: VerifyWorld): Judge {
  return async (message, signal) => {
    const { client, origin, content } = message;
    // A forward, or a bounce of ours: what its header says of earlier checks was said here.
    if (origin === "alias" || origin === "bounce" || client?.entrance === "forward") return { kind: "pass" };
    const { authservId } = world.settings();
    const clean = withoutForgedResults(content, authservId);
    const rest = clean === undefined ? {} : { content: clean };
    if (client === undefined) return { kind: "pass", ...rest };
    if (client.relaying || client.login !== undefined) {
      return { kind: "pass", ...rest, header: toOctets(formatResultsField(authservId, trustedResults(client))) };
    }
    return await judgeStranger(world, message, client, rest, signal);
  };
}

/** Who has logged in may write as he likes: there is nobody else's word to check. */
function trustedResults({ login }: ClientNote): readonly MethodResult[] {
  // Whose login it was is nothing for those the message goes to.
  return login === undefined ? [] : [{ method: "auth", result: "pass", properties: [] }];
}

async function judgeStranger(
  world: VerifyWorld,
  message: FilterMessage,
  client: ClientNote,
  rest: { readonly content?: Uint8Array },
  signal: AbortSignal,
): Promise<Verdict> {
  const settings = world.settings();
  const mode = dmarcModeFor(settings.dmarc, client.entrance);
  const startMs = world.nowMs();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), world.budgetMs ?? usualBudgetMs);
  try {
    const lookups = new Lookups({
      resolve: world.resolve,
      most: mostLookups,
      signal: AbortSignal.any([signal, late.signal]),
    });
    const checks = { lookups, nowMs: startMs, receiver: settings.me, hasDmarc: mode !== "none" };
    const findings = await findingsOf(message, client, checks);
    const bySpf = spfDispositionOf(findings, settings.spfBehavior);
    const byDmarc = dispositionOf(findings, mode);
    // What is refused in any case need not come again.
    const disposition = [byDmarc, bySpf].find(({ kind }) => kind === "refuse") ??
      (byDmarc.kind === "pass" ? bySpf : byDmarc);
    world.log({
      ip: client.ip,
      from: message.sender,
      ...logFieldsOf(findings, disposition),
      lookups: lookups.count,
      ms: Math.round(world.nowMs() - startMs),
    });
    // Nobody waits any more: it comes again, and counts then.
    const observation = signal.aborted
      ? undefined
      : observationOf(findings, disposition, { ip: client.ip, sender: message.sender });
    if (observation !== undefined) world.observe(observation);
    switch (disposition.kind) {
      case "refuse":
        return { kind: "refuse", code: exitCode.refused, text: disposition.text };
      case "defer":
        return { kind: "refuse", code: exitCode.temporary, text: disposition.text };
      case "pass":
        return { kind: "pass", ...rest, header: headerOf(findings, settings) };
    }
  } finally {
    clearTimeout(timer);
  }
}

function headerOf(findings: Findings, { authservId, receivedSpf }: VerifySettings): Uint8Array {
  const field = formatResultsField(authservId, resultsOf(findings));
  return toOctets(receivedSpf && findings.spf !== undefined ? field + findings.spf.receivedSpf : field);
}

interface Checks {
  readonly lookups: Lookups;
  readonly nowMs: number;
  readonly receiver: string;
  readonly hasDmarc: boolean;
}

async function findingsOf(
  { sender, content }: FilterMessage,
  { ip, helo }: ClientNote,
  { lookups, nowMs, receiver, hasDmarc }: Checks,
): Promise<Findings> {
  const scan = scanHeader(content);
  const isKnown = ip !== "unknown" && ip !== "";
  const [spf, heloSpf, signatures] = await Promise.all([
    isKnown ? checkSpf({ ip, helo, sender, receiver }, lookups) : undefined,
    isKnown && sender !== "" && helo !== "" ? checkSpf({ ip, helo, sender: "", receiver }, lookups) : undefined,
    scan.isCheckable ? checkSignatures(content, lookups, nowMs) : undefined,
  ]);
  const dmarc = hasDmarc ? await dmarcOf(scan, spf, signatures, lookups) : undefined;
  return { spf, heloSpf, signatures, dmarc };
}

async function dmarcOf(
  { fromFields, hasAuthor }: HeaderScan,
  spf: SpfCheck | undefined,
  check: SignatureCheck | undefined,
  lookups: Lookups,
): Promise<DmarcCheck> {
  const signatures = check?.signatures ?? [];
  const domainsWith = (result: string) => signatures.flatMap((one) => one.result === result ? [one.domain] : []);
  const ofSpf = (result: string) => spf?.result === result ? [spf.domain] : [];
  // Readers may see a From where RFC 5322 sees none: then nobody knows whose name they show.
  const isPlain = check !== undefined && fromFields <= check.fromFields;
  return await checkDmarc({
    headerFrom: isPlain ? check.headerFrom : [],
    fromFields,
    hasAuthor,
    spf: { passed: ofSpf("pass"), unknown: ofSpf("temperror") },
    dkim: { passed: domainsWith("pass"), unknown: domainsWith("temperror") },
  }, lookups);
}
