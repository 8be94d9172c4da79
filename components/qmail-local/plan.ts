/**
 * What a delivery is to do: follow a `.qmail` file, or the default delivery.
 * @module
 */
import { logEvent } from "../lib/log/log.ts";
import { assertNever } from "../lib/result.ts";
import { parseLmtpSocket } from "../lib/smtp/lmtp_socket.ts";
import type { DeliveryReport, LocalRequest } from "../lib/wire/delivery_protocol.ts";
import { type Instruction, parseQmailFile, virtualDefect } from "./parse_qmail_file.ts";
import type { FoundFile, Lookup } from "./qmail_files.ts";
import { reports } from "./report.ts";

/** Instructions in order. */
export interface Plan {
  readonly kind: "plan";
  readonly instructions: readonly Instruction[];
  /** The file they are from; undefined: the default delivery. */
  readonly file: FoundFile | undefined;
}

/** What is done where nothing else can be followed. */
const plainPlan: Plan = { kind: "plan", instructions: [{ kind: "maildir", path: "./Maildir/" }], file: undefined };

/** To an LMTP server, which has the mailbox. */
export interface LmtpPlan {
  readonly kind: "lmtp";
  readonly socket: string;
}

/** `report`: the delivery ends here. */
export type PlanOrReport = Plan | LmtpPlan | { readonly kind: "report"; readonly report: DeliveryReport };

/** What is to be done for a request whose `.qmail` file was looked up. */
export function planOf(request: LocalRequest, lookup: Exclude<Lookup, { kind: "report" }>): PlanOrReport {
  const parsed = lookup.kind === "found" ? parseQmailFile(lookup.text) : undefined;
  if (parsed?.kind === "blank") return { kind: "report", report: reports.firstLineBlank };
  if (lookup.kind === "found" && parsed?.kind === "instructions") {
    const { instructions } = parsed;
    const defect = request.isVirtual ? virtualDefect(request.home, instructions) : undefined;
    if (defect === undefined) return { kind: "plan", instructions, file: lookup };
    // Not one line of it is followed: half of what somebody wanted may be the wrong half. The mail is kept for him.
    logEvent("refused", { file: `${request.home}/${lookup.name}`, reason: defect });
    return lmtpPlan(request) ?? plainPlan;
  }
  return defaultPlan(request);
}

/** Where control/defaultdelivery names a server. It is for virtual mailboxes: an account's own process has no right to it. */
function lmtpPlan({ isVirtual, defaultDelivery }: LocalRequest): PlanOrReport | undefined {
  const socket = parseLmtpSocket(defaultDelivery);
  if (!socket.ok) return { kind: "report", report: reports.defaultUnknown };
  if (socket.value === undefined) return undefined;
  return isVirtual ? { kind: "lmtp", socket: socket.value } : plainPlan;
}

function defaultPlan(request: LocalRequest): PlanOrReport {
  const overLmtp = lmtpPlan(request);
  if (overLmtp !== undefined) return overLmtp;
  const parsed = parseQmailFile(request.defaultDelivery);
  switch (parsed.kind) {
    case "empty":
      return plainPlan;
    case "blank":
      return { kind: "report", report: reports.firstLineBlank };
    case "instructions": {
      const { instructions } = parsed;
      // Programs are for accounts; a virtual mailbox has its Maildir, which keeps the mail.
      const refused = request.isVirtual && virtualDefect(request.home, instructions) !== undefined;
      return refused ? plainPlan : { kind: "plan", instructions, file: undefined };
    }
    default:
      return assertNever(parsed);
  }
}
