/**
 * Sends a message's bounce through qmail-queue: the report, then a copy of the message or of its header, in pieces. What
 * the client asked for says how much is copied, and is told back to it (RFC 3461 §4.3, §4.4).
 * @module
 */
import { Buffer } from "node:buffer";
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { type MessageText, openMessage, pieceBytes } from "../lib/delivery/message_file.ts";
import { cutHeader, headerOf, messageIdOf } from "../lib/dsn/original.ts";
import { type FailedRecipient, parseParagraphs } from "../lib/dsn/paragraphs.ts";
import { type BounceFields, formatBounce, planBounce } from "../lib/dsn/qsbmf.ts";
import { formatReport, type Report, type ReportedRecipient, type ReportFields } from "../lib/dsn/report.ts";
import { log } from "../lib/log/log.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import type { JournalReader } from "../lib/queue/journal/reader.ts";
import type { MessageOptions } from "../lib/queue/message_options.ts";
import { Submission } from "../lib/queue/submission.ts";
import type { Client } from "../lib/wire/client.ts";
import type { JournalPlace } from "../lib/wire/queue_protocol.ts";
import type { Asked } from "./asked.ts";
import { logMail } from "./log_lines.ts";
import { bounceAddress } from "./verp.ts";

export interface Bounce {
  readonly id: number;
  /** Where the message stands in the journal; undefined: in mess. */
  readonly place: JournalPlace | undefined;
  /** As in info: may ask for VERP. */
  readonly sender: string;
  readonly paragraphs: string;
  /** What its client asked for. */
  readonly asked?: Asked | undefined;
  /** Of the message's birth, and of the last failure; seconds since 1970. */
  readonly arrivalSeconds: number;
  readonly failureSeconds: number;
}

/** Where a bounce goes, and what is needed for one. */
export interface BounceWays {
  readonly home: Home;
  readonly queue: Client;
  readonly controls: Controls;
  readonly journal: JournalReader;
  readonly nowSeconds: number;
  /** Answers letters and digits. */
  readonly random?: () => string;
}

/** A bounce around the first `copyBytes` octets of the message. */
interface Framed extends Report {
  readonly copyBytes: number;
}

const dsnMaxBytes = 50_000;

/** Settles with true once the bounce is queued, or there is nobody to send one to. Throws when the message is unreadable. */
export async function sendBounce(ways: BounceWays, bounce: Bounce): Promise<boolean> {
  const { queue, controls, random = randomHex } = ways;
  const { id, paragraphs } = bounce;
  const originalSender = bounceAddress(bounce.sender);
  const { doublebounceto, doublebouncehost } = controls;
  const plan = planBounce(originalSender, doublebounceto === "" ? "" : `${doublebounceto}@${doublebouncehost}`);
  if (plan.kind === "triple" || plan.kind === "discarded double") {
    logMail({ event: plan.kind === "triple" ? "triple bounce" : "double bounce", msg: id });
    return true;
  }
  const fields: BounceFields = {
    kind: plan.kind,
    unixSeconds: ways.nowSeconds,
    from: `${controls.bouncefrom}@${controls.bouncehost}`,
    host: controls.bouncehost,
    recipient: plan.recipient,
    originalSender,
    paragraphs,
    customText: controls.custombouncetext,
  };
  const submission = new Submission(queue, "bounce", 0);
  const file = openMessage(ways.home, ways.journal, id, bounce.place);
  try {
    const { before, copyBytes, after } = frame({ bounce, controls, file, random }, fields);
    await submission.write(toOctets(before));
    for (const piece of pieces(file, copyBytes)) await submission.write(piece);
    await submission.write(toOctets(after));
  } catch (error) {
    submission.abort();
    throw error;
  } finally {
    file.close();
  }
  const reply = await submission.commit({ sender: plan.sender, recipients: [plan.recipient] });
  if (reply.code === 0) logMail({ event: "bounce", msg: id, qp: reply.qp });
  else log("warning: trouble injecting bounce message, will try later");
  return reply.code === 0;
}

/** What a bounce is framed from. */
interface Sources {
  readonly bounce: Bounce;
  readonly controls: Controls;
  readonly file: MessageText;
  readonly random: () => string;
}

function frame(sources: Sources, fields: BounceFields): Framed {
  const failed = parseParagraphs(fields.paragraphs);
  // A DSN needs somebody who failed; where a damaged bounce file names none, its text goes out as it is.
  return sources.controls.bounceformat === "qsbmf" || failed.length === 0
    ? frameQsbmf(sources, fields)
    : frameReport(sources, { ...fields, failed: withOriginals(failed, sources.bounce.asked) });
}

function withOriginals(failed: readonly FailedRecipient[], asked: Asked | undefined): readonly ReportedRecipient[] {
  if (asked === undefined) return failed;
  const originals = asked.originals();
  return failed.map((one) => ({ ...one, orcpt: originals.get(one.recipient) }));
}

function frameReport(
  { bounce, controls, file, random }: Sources,
  fields: BounceFields & Pick<ReportFields, "failed">,
): Framed {
  const options = bounce.asked?.options;
  const limit = limitOf(controls, options?.ret === "FULL" ? 0 : dsnMaxBytes);
  const header = headerOf(fromOctets(file.read(0)));
  const whole = !headerOnly(options) && (limit === 0 || file.sizeBytes <= limit);
  // A header that goes on behind the first piece ends with the last whole field before.
  const copied = whole ? header : cutHeader(header, Math.min(limit === 0 ? pieceBytes : limit, pieceBytes - 1));
  const copyBytes = whole ? file.sizeBytes : copied.length;
  const copy = {
    part: whole ? "message" as const : "header" as const,
    header: copied,
    eightBit: hasEightBit(file, copyBytes),
    messageId: messageIdOf(header),
  };
  const reportFields: ReportFields = {
    ...fields,
    reportingMta: controls.me,
    arrivalSeconds: bounce.arrivalSeconds,
    envid: options?.envid,
    lastFailureSeconds: bounce.failureSeconds,
    copy,
    idToken: `${fields.unixSeconds}.${random()}`,
  };
  for (;;) {
    const boundary = `=_${random()}`;
    const report = formatReport(reportFields, boundary);
    if (report !== undefined && !occurs(file, copyBytes, boundary)) return { ...report, copyBytes };
  }
}

/** RFC 3461 §4.3; and what only goes through TLS must not come back without it (RFC 8689 §5). */
function headerOnly(options: MessageOptions | undefined): boolean {
  return options?.ret === "HDRS" || options?.requireTls === true;
}

function frameQsbmf({ bounce, controls, file }: Sources, fields: BounceFields): Framed {
  const limit = limitOf(controls, 0);
  if (headerOnly(bounce.asked?.options)) {
    const header = cutHeader(
      headerOf(fromOctets(file.read(0))),
      Math.min(limit === 0 ? pieceBytes : limit, pieceBytes - 1),
    );
    return { before: formatBounce(fields), copyBytes: header.length, after: "" };
  }
  const whole = limit === 0 || file.sizeBytes <= limit;
  return {
    before: formatBounce(fields),
    copyBytes: whole ? file.sizeBytes : limit,
    after: whole ? "" : "\n\n--- End of message stripped.\n",
  };
}

/** Octets of the largest message that is copied whole, 0 for no limit; `byFormat` is the format's own. */
function limitOf({ bouncemaxbytes }: Controls, byFormat: number): number {
  return bouncemaxbytes === "by format" ? byFormat : bouncemaxbytes;
}

/** The first `sizeBytes` octets of a message. */
function* pieces(file: MessageText, sizeBytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < sizeBytes;) {
    const piece = file.read(offset).subarray(0, sizeBytes - offset);
    offset += piece.length;
    yield piece;
  }
}

function hasEightBit(file: MessageText, sizeBytes: number): boolean {
  return pieces(file, sizeBytes).some((piece) => piece.some((octet) => octet >= 0x80));
}

function occurs(file: MessageText, sizeBytes: number, boundary: string): boolean {
  let end = Buffer.alloc(0);
  for (const piece of pieces(file, sizeBytes)) {
    const joined = Buffer.concat([end, piece]);
    if (joined.includes(boundary, 0, "latin1")) return true;
    end = joined.subarray(Math.max(0, joined.length - boundary.length));
  }
  return false;
}

/** For ids and boundaries nobody can guess. */
export function randomHex(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
}
