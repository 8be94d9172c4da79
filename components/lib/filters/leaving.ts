/**
 * A message that leaves a filter: its content in pieces that the next can take, its envelope as it came or as the verdict
 * has it, with what the client asked for each recipient that is still there.
 * @module
 */
import { exitCode } from "../queue/exit_code.ts";
import { type KeptOptions, type MessageOptions, parseMessageOptions } from "../queue/message_options.ts";
import { dataBytes, type EnvelopeFields, type QueueReply } from "../wire/queue_protocol.ts";
import type { ChainSubmission } from "./hand_on.ts";

/** What of an envelope is another. */
export interface Changes {
  readonly sender?: string;
  readonly recipients?: readonly string[];
}

export class Leaving {
  readonly #submission: ChainSubmission;

  constructor(submission: ChainSubmission) {
    this.#submission = submission;
  }

  /** Settles when more may follow; never rejects. A large piece does not wait whole in a second place. */
  async write(content: Uint8Array): Promise<void> {
    for (let at = 0; at < content.length; at += dataBytes) {
      const room = this.#submission.write(content.subarray(at, at + dataBytes));
      if (room !== undefined) await room;
    }
  }

  /** What becomes of it. A connection lost on the way is the next one's trouble, not this filter's: code 71. */
  async commit(envelope: EnvelopeFields, changes: Changes): Promise<QueueReply> {
    const { sender, recipients } = { ...envelope, ...changes };
    const options = optionsFor(envelope, recipients);
    const submitted = { sender, recipients, ...(options === undefined ? {} : { options }) };
    const reply = await this.#submission.commit(submitted);
    return reply.code === exitCode.connectionLost ? { ...reply, code: exitCode.temporary } : reply;
  }

  abort(): void {
    this.#submission.abort();
  }
}

/** What was asked for, by the places that the recipients have now. */
export function optionsFor(
  { options, recipients: before }: Pick<EnvelopeFields, "options" | "recipients">,
  recipients: readonly string[],
): MessageOptions | undefined {
  const parsed = options === undefined ? undefined : parseMessageOptions(options);
  // The request's parser has read them already.
  if (parsed?.ok !== true) return undefined;
  return recipients === before ? parsed.value : { ...parsed.value, recipients: moved(parsed.value, recipients) };
}

function moved({ recipients: kept }: KeptOptions, recipients: readonly string[]): MessageOptions["recipients"] {
  const byAddress = new Map(Array.from(kept.values(), (options) => [options.address, options]));
  return new Map(recipients.flatMap((address, place) => {
    const options = byAddress.get(address);
    return options === undefined ? [] : [[place, options] as const];
  }));
}
