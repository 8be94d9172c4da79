/**
 * One delivery from beginning to end: the checks, the `.qmail` file or the default delivery, its instructions in order,
 * and at last the forwards, as one message to qmail-queue.
 * @module
 */
import { decodeUtf8 } from "../lib/address/parse_domain.ts";
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { Recent } from "../lib/delivery/recent.ts";
import type { Hops } from "../lib/filters/hand_on.ts";
import { toOctets, utf8Octets } from "../lib/octets.ts";
import { assertNever } from "../lib/result.ts";
import { exitText } from "../lib/queue/exit_code.ts";
import type { Client } from "../lib/wire/client.ts";
import type { DeliveryReport, LocalRequest } from "../lib/wire/delivery_protocol.ts";
import { parseForwardReply } from "../lib/wire/getpw_protocol.ts";
import { fromLine } from "../lib/message/mbox_lines.ts";
import { environmentOf } from "./environment.ts";
import { beginForward } from "./forward_queue.ts";
import type { Lmtp } from "./lmtp.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { countDeliveries, deliveredToLine, hasHeaderLine, returnPathLine } from "./message_head.ts";
import { readHeader } from "./message_pieces.ts";
import { newSender } from "./new_sender.ts";
import { absolutePath, type Instruction, isNowhere, startsProgram } from "./parse_qmail_file.ts";
import { type Plan, planOf } from "./plan.ts";
import { endText, programVerdict } from "./program_exit.ts";
import type { Programs } from "./programs.ts";
import { findOwners, findQmailFile, homeDefect, type Lookup } from "./qmail_files.ts";
import { deferral, delivered, didText, failure, reports } from "./report.ts";

export interface Means {
  readonly mailboxes: Mailboxes;
  readonly lmtp: Lmtp;
  /** qmail-queue's socket. */
  readonly queue: Client;
  /** qmail-getpw's; only used where a request says so. */
  readonly getpw: Client;
  /** Filters' sockets. */
  readonly hops: Hops;
  /** Only in a process that may run one. */
  readonly programs: Programs | undefined;
}

/** A virtual mailbox without `.qmail` is not looked at again for so long: that is one look for many messages. */
const absentMs = 1000;
/**
 * Unlike qmail: a message with so many Delivered-To lines is not forwarded any more. Addresses that forward to two others
 * each would else make a million copies within twenty steps, none of which is a loop.
 */
const mostDeliveries = 12;
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
    let header: Uint8Array;
    try {
      const read = readHeader(body);
      header = read instanceof Uint8Array ? read : await read;
    } catch {
      return reports.unreadable;
    }
    const deliveredTo = deliveredToLine(request.recipients[0] ?? "");
    if (hasHeaderLine(header, deliveredTo)) return reports.looping;
    const lookup = this.#lookUp(request, nowMs);
    if (lookup.kind === "report") return lookup.report;
    if (lookup.kind === "none" && request.dash !== "" && !request.isVirtual) return reports.noMailbox;
    const plan = planOf(request, lookup);
    if (plan.kind === "report") return plan.report;
    if (plan.kind === "lmtp") return await this.#overLmtp(plan.socket, request, deliveredTo, body);
    const barred = plan.file?.forwardOnly === true;
    if (this.#means.programs === undefined && startsProgram(plan.instructions, barred)) return needsPrograms;
    return await new Delivery(this.#means, request, { header, body }, plan, Math.floor(nowMs / 1000)).run();
  }

  /**
   * The server puts Return-Path in front, as who delivers finally does (RFC 2033 §1), and not we. Delivered-To is ours all
   * the same, beside any of the server's: the loop check needs it with every server, and it alone has the extension.
   */
  async #overLmtp(socket: string, request: LocalRequest, head: string, body: MessageBody): Promise<DeliveryReport> {
    const { hostName, sender } = request;
    const recipient = `${request.user}@${request.domain}`;
    const report = await this.#means.lmtp.deliver({ socket, hostName, sender, recipient, head, body });
    if (report.verdict !== "K") return report;
    return delivered(report.text + didText({ files: 1, forwards: 0, programs: 0 }, undefined));
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

/** How one instruction ended: `text` is what a program said. */
type Step =
  | { readonly kind: "next" | "stop"; readonly text: string }
  | { readonly kind: "end"; readonly report: DeliveryReport };

const next: Step = { kind: "next", text: "" };

function stepOf(report: DeliveryReport | undefined): Step {
  return report === undefined ? next : { kind: "end", report };
}

interface Message {
  readonly header: Uint8Array;
  readonly body: MessageBody;
}

/** One run through a plan. */
class Delivery {
  readonly #means: Means;
  readonly #request: LocalRequest;
  readonly #header: Uint8Array;
  readonly #body: MessageBody;
  readonly #plan: Plan;
  readonly #nowSeconds: number;
  readonly #recipient: string;
  readonly #forwards: string[] = [];
  #files = 0;
  #programs = 0;

  constructor(means: Means, request: LocalRequest, { header, body }: Message, plan: Plan, nowSeconds: number) {
    this.#means = means;
    this.#request = request;
    this.#header = header;
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

  /**
   * From whom forwards are: the list's owner, or the message's sender as SRS has it. Undefined: nobody can say now.
   * Programs are told the sender itself, as qmail tells them: whatever they send on is theirs.
   */
  async #forwardSender(): Promise<string | undefined> {
    const sender = this.#newSender();
    const { sender: original, srs } = this.#request;
    if (srs !== true || sender === "" || sender === "#@[]" || sender !== original) return sender;
    try {
      const asked = { op: "forward", sender, recipients: this.#forwards };
      return parseForwardReply(await this.#means.getpw.request(asked)).sender;
    } catch {
      // qmail-getpw is away, which is logged elsewhere.
      return undefined;
    }
  }

  /** Answers the forwarded message's number, or what became of it. */
  async #forward(): Promise<number | DeliveryReport> {
    if (this.#forwards.some((address) => address.length > longestForward)) return forwardTrouble(11);
    if (countDeliveries(this.#header) >= mostDeliveries) return reports.forwardedTooOften;
    const sender = await this.#forwardSender();
    if (sender === undefined) return reports.senderUnsure;
    const { uid, user, isVirtual, filters } = this.#request;
    const origin = !isVirtual && user === "alias" ? "alias" : "uid";
    const submission = beginForward(this.#means, { origin, uid, filters });
    try {
      await submission.write(toOctets(deliveredToLine(this.#recipient)));
      for await (const piece of this.#body.pieces()) await submission.write(piece);
    } catch {
      submission.abort();
      return reports.unreadable;
    }
    const { code, qp } = await submission.commit({ sender, recipients: this.#forwards });
    return code === 0 ? qp : forwardTrouble(code);
  }
}

function forwardTrouble(code: number): DeliveryReport {
  const text = exitText(code);
  return { verdict: text.startsWith("D") ? "D" : "Z", text: `Unable to forward message: ${text.slice(1)}.\n` };
}
