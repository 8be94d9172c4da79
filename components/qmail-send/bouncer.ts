/**
 * Sends a message's bounce through qmail-queue: the report, then a copy of the message.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { MessageFile } from "../lib/delivery/message_file.ts";
import { formatBounce, planBounce } from "../lib/dsn/qsbmf.ts";
import { log } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import { Submission } from "../lib/queue/submission.ts";
import type { Client } from "../lib/wire/client.ts";
import { bounceAddress } from "./verp.ts";

export interface Bounce {
  readonly id: number;
  /** As in info: may ask for VERP. */
  readonly sender: string;
  readonly paragraphs: string;
  readonly nowSeconds: number;
}

/** Settles with true once the bounce is queued, or there is nobody to send one to. Throws when the message is unreadable. */
export async function sendBounce(home: Home, queue: Client, controls: Controls, bounce: Bounce): Promise<boolean> {
  const { id, paragraphs, nowSeconds } = bounce;
  const originalSender = bounceAddress(bounce.sender);
  const plan = planBounce(originalSender, `${controls.doublebounceto}@${controls.doublebouncehost}`);
  if (plan.kind === "triple") {
    log(`triple bounce: discarding bounce/${id}`);
    return true;
  }
  const head = formatBounce({
    kind: plan.kind,
    unixSeconds: nowSeconds,
    from: `${controls.bouncefrom}@${controls.bouncehost}`,
    host: controls.bouncehost,
    recipient: plan.recipient,
    originalSender,
    paragraphs,
  });
  const submission = new Submission(queue, "bounce", 0);
  const file = MessageFile.open(home, id);
  try {
    await submission.write(toOctets(head));
    for (let offset = 0; offset < file.sizeBytes;) {
      const piece = file.read(offset);
      offset += piece.length;
      await submission.write(piece);
    }
  } catch (error) {
    submission.abort();
    throw error;
  } finally {
    file.close();
  }
  const reply = await submission.commit({ sender: plan.sender, recipients: [plan.recipient] });
  if (reply.code === 0) log(`bounce msg ${id} qp ${reply.qp}`);
  else log("warning: trouble injecting bounce message, will try later");
  return reply.code === 0;
}
