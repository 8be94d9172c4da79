/**
 * One delivery from beginning to end: the checks, the `.qmail` file or the default delivery, its instructions in order,
 * and at last the forwards, as one message to qmail-queue.
 * @module
 */
import { decodeUtf8 } from "../lib/address/parse_domain.ts";
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { Recent } from "../lib/delivery/recent.ts";
import { logEvent } from "../lib/log/log.ts";
import { toOctets, utf8Octets } from "../lib/octets.ts";
import { assertNever } from "../lib/result.ts";
import { exitText } from "../lib/queue/exit_code.ts";
import { Submission } from "../lib/queue/submission.ts";
import type { Client } from "../lib/wire/client.ts";
import type { DeliveryReport, LocalRequest } from "../lib/wire/delivery_protocol.ts";
import { fromLine } from "../lib/message/mbox_lines.ts";
import { environmentOf } from "./environment.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { deliveredToLine, hasHeaderLine, returnPathLine } from "./message_head.ts";
import { readHeader } from "./message_pieces.ts";
import { newSender } from "./new_sender.ts";
import {
  absolutePath,
  type Instruction,
  isNowhere,
  parseQmailFile,
  startsProgram,
  virtualDefect,
} from "./parse_qmail_file.ts";
import { endText, programVerdict } from "./program_exit.ts";
import type { Programs } from "./programs.ts";
import { findOwners, findQmailFile, type FoundFile, homeDefect, type Lookup } from "./qmail_files.ts";
import { deferral, delivered, didText, failure, reports } from "./report.ts";

export interface Means {
  readonly mailboxes: Mailboxes;
  /** qmail-queue's socket. */
  readonly queue: Client;
  /** Only in a process that may run one. */
  readonly programs: Programs | undefined;
}

/** A virtual mailbox without `.qmail` is not looked at again for so long: that is one look for many messages. */
const absentMs = 1000;
/** What a virtual mailbox is delivered to where nothing else can be followed. */
const plainDelivery: readonly Instruction[] = [{ kind: "maildir", path: "./Maildir/" }];
/** Octets of an address that qmail-queue takes. */
const longestForward = 1000;

/** Said by a process that may run no program before it has done anything; qmail-lspawn asks one that may. */
const needsPrograms: DeliveryReport = {
  verdict: "Z",
  text: "A program is to be run, and this process may not. (#4.3.0)\n",
  needsPrograms: true,
};

/** Carries out requests for the mailboxes of one user. */
export class Deliveries {
  readonly #means: Means;
  /** Lookups that found nothing, by their request. */
  readonly #absent = new Recent<true>(absentMs);

  constructor(means: Means) {
    this.#means = means;
  }

  /** Throws what nobody foresaw: a deferral, too. */
  async deliver(request: LocalRequest, body: MessageBody): Promise<DeliveryReport> {
    const nowMs = Date.now();
    const defect = request.isVirtual ? undefined : homeDefect(request.home);
    if (defect !== undefined) return defect;
    const header = await readHeader(body).catch(() => undefined);
    if (header === undefined) return reports.unreadable;
    const deliveredTo = deliveredToLine(request.recipients[0] ?? "");
    if (hasHeaderLine(header, deliveredTo)) return reports.looping;
    const lookup = this.#lookUp(request, nowMs);
    if (lookup.kind === "report") return lookup.report;
    if (lookup.kind === "none" && request.dash !== "" && !request.isVirtual) return reports.noMailbox;
    const plan = planOf(request, lookup);
    if (plan.kind === "report") return plan.report;
    const barred = plan.file?.forwardOnly === true;
    if (this.#means.programs === undefined && startsProgram(plan.instructions, barred)) return needsPrograms;
    return await new Delivery(this.#means, request, body, plan, Math.floor(nowMs / 1000)).run();
  }

  #lookUp(request: LocalRequest, nowMs: number): Lookup {
    if (!request.isVirtual) return findQmailFile({ ...request, followLinks: true });
    const key = `${request.home}\0${request.dash}\0${request.extension}`;
    if (this.#absent.get(key, nowMs) !== undefined) return { kind: "none" };
    const lookup = findQmailFile({ ...request, followLinks: false });
    if (lookup.kind === "none") this.#absent.set(key, true, nowMs);
    return lookup;
  }
}

interface Plan {
  readonly kind: "plan";
  readonly instructions: readonly Instruction[];
  /** The file they are from; undefined: the default delivery. */
  readonly file: FoundFile | undefined;
}

type PlanOrReport = Plan | { readonly kind: "report"; readonly report: DeliveryReport };

function planOf(request: LocalRequest, lookup: Exclude<Lookup, { kind: "report" }>): PlanOrReport {
  const parsed = lookup.kind === "found" ? parseQmailFile(lookup.text) : undefined;
  if (parsed?.kind === "blank") return { kind: "report", report: reports.firstLineBlank };
  if (lookup.kind === "found" && parsed?.kind === "instructions") {
    const { instructions } = parsed;
    const defect = request.isVirtual ? virtualDefect(request.home, instructions) : undefined;
    if (defect === undefined) return { kind: "plan", instructions, file: lookup };
    // Not one line of it is followed: half of what somebody wanted may be the wrong half. The mail is kept for him.
    logEvent("refused", { file: `${request.home}/${lookup.name}`, reason: defect });
    return { kind: "plan", instructions: plainDelivery, file: undefined };
  }
  return defaultPlan(request);
}

function defaultPlan(request: LocalRequest): PlanOrReport {
  const parsed = parseQmailFile(request.defaultDelivery);
  switch (parsed.kind) {
    case "empty":
      return { kind: "plan", instructions: plainDelivery, file: undefined };
    case "blank":
      return { kind: "report", report: reports.firstLineBlank };
    case "instructions": {
      const { instructions } = parsed;
      // Programs are for accounts; a virtual mailbox has its Maildir, which keeps the mail.
      const refused = request.isVirtual && virtualDefect(request.home, instructions) !== undefined;
      return { kind: "plan", instructions: refused ? plainDelivery : instructions, file: undefined };
    }
    default:
      return assertNever(parsed);
  }
}

/** How one instruction ended: `text` is what a program said. */
type Step =
  | { readonly kind: "next" | "stop"; readonly text: string }
  | { readonly kind: "end"; readonly report: DeliveryReport };

const next: Step = { kind: "next", text: "" };

function stepOf(report: DeliveryReport | undefined): Step {
  return report === undefined ? next : { kind: "end", report };
}

/** One run through a plan. */
class Delivery {
  readonly #means: Means;
  readonly #request: LocalRequest;
  readonly #body: MessageBody;
  readonly #plan: Plan;
  readonly #nowSeconds: number;
  readonly #recipient: string;
  readonly #forwards: string[] = [];
  #files = 0;
  #programs = 0;

  constructor(means: Means, request: LocalRequest, body: MessageBody, plan: Plan, nowSeconds: number) {
    this.#means = means;
    this.#request = request;
    this.#body = body;
    this.#plan = plan;
    this.#nowSeconds = nowSeconds;
    this.#recipient = request.recipients[0] ?? "";
  }

  async run(): Promise<DeliveryReport> {
    let forwardOnly = this.#plan.file?.forwardOnly === true;
    let said = "";
    for (const instruction of this.#plan.instructions) {
      if (instruction.kind === "list") forwardOnly = true;
      const step = await this.#follow(instruction, forwardOnly);
      if (step.kind === "end") return { ...step.report, text: said + step.report.text };
      said += step.text;
      if (step.kind === "stop") break;
    }
    const queued = this.#forwards.length === 0 ? undefined : await this.#forward();
    if (typeof queued === "object") return { ...queued, text: said + queued.text };
    const done = { files: this.#files, forwards: this.#forwards.length, programs: this.#programs };
    return delivered(said + didText(done, queued));
  }

  async #follow(instruction: Instruction, forwardOnly: boolean): Promise<Step> {
    switch (instruction.kind) {
      case "list":
        return next;
      case "forward":
        this.#forwards.push(instruction.address);
        return next;
      case "mbox":
      case "maildir":
        if (forwardOnly) return stepOf(reports.fileBarred);
        this.#files++;
        return stepOf(await this.#store(instruction));
      case "program":
        if (forwardOnly) return stepOf(reports.programBarred);
        this.#programs++;
        return await this.#program(instruction.command);
      default:
        return assertNever(instruction);
    }
  }

  async #store(
    { kind, path }: Instruction & { readonly kind: "mbox" | "maildir" },
  ): Promise<DeliveryReport | undefined> {
    if (isNowhere(path)) return undefined;
    const { home, sender, hostName, isVirtual } = this.#request;
    const text = decodeUtf8(path);
    // Deno's paths are text.
    if (text === undefined) return deferral("Unable to open a file whose name is not UTF-8. (#4.3.0)\n");
    const head = returnPathLine(sender) + deliveredToLine(this.#recipient);
    const place = { path: absolutePath(home, text), home: isVirtual ? home : undefined, hostName };
    return kind === "maildir"
      ? await this.#means.mailboxes.maildir(place, head, this.#body)
      : await this.#means.mailboxes.mbox(place, fromLine(sender, this.#nowSeconds) + head, this.#body);
  }

  #newSender(): string {
    const { sender } = this.#request;
    const owners = sender === "" || sender === "#@[]"
      ? { owner: false, ownerDefault: false }
      : findOwners({ ...this.#request, followLinks: true });
    return newSender(sender, this.#recipient, owners);
  }

  async #program(command: string): Promise<Step> {
    const { home, user, sender, extension, programSeconds } = this.#request;
    const environment = environmentOf({
      sender,
      newSender: this.#newSender(),
      recipient: this.#recipient,
      user: utf8Octets(user),
      home: utf8Octets(home),
      extension,
      default: this.#plan.file?.default,
      unixSeconds: this.#nowSeconds,
    });
    const program = { command, environment, home, seconds: programSeconds };
    // startsProgram() has said that none is needed, or that there are some.
    if (this.#means.programs === undefined) return stepOf(needsPrograms);
    const { end, output } = await this.#means.programs.run(program, this.#body);
    const text = output.split("\0", 1)[0]! + endText(end);
    const verdict = programVerdict(end);
    switch (verdict) {
      case "next":
      case "stop":
        return { kind: verdict, text };
      case "failure":
        return stepOf(failure(text));
      case "deferral":
        return stepOf(deferral(text));
      default:
        return assertNever(verdict);
    }
  }

  /** Answers the forwarded message's number, or what became of it. */
  async #forward(): Promise<number | DeliveryReport> {
    if (this.#forwards.some((address) => address.length > longestForward)) return forwardTrouble(11);
    const { uid, user } = this.#request;
    const submission = new Submission(this.#means.queue, user === "alias" ? "alias" : "uid", uid);
    try {
      await submission.write(toOctets(deliveredToLine(this.#recipient)));
      for await (const piece of this.#body.pieces()) await submission.write(piece);
    } catch {
      submission.abort();
      return reports.unreadable;
    }
    const { code, qp } = await submission.commit({ sender: this.#newSender(), recipients: this.#forwards });
    return code === 0 ? qp : forwardTrouble(code);
  }
}

function forwardTrouble(code: number): DeliveryReport {
  const text = exitText(code);
  return { verdict: text.startsWith("D") ? "D" : "Z", text: `Unable to forward message: ${text.slice(1)}.\n` };
}
