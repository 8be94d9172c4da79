/**
 * A queue's listing as text: qmail-qread's and qmail-qstat's output to the octet, and JSON for programs. Works event by
 * event, so that no listing is ever held whole.
 * @module
 */
import { formatQmailDate } from "../message/date.ts";
import type { ListedMessage, ListingEvent, QueueCounts } from "./listing.ts";

/** Octets a terminal might act on, and all that is not ASCII, as "_" (qmail's interface). */
function harmless(octets: string): string {
  // deno-lint-ignore no-control-regex
  return octets.replace(/[\x00-\x1f\x7f-\xff]/g, "_");
}

/** The lines of qmail-qread for one event; "" for a warning, which belongs elsewhere. */
export function formatQread(event: ListingEvent): string {
  switch (event.kind) {
    case "message":
      return formatMessage(event.message);
    case "recipient": {
      const { done, channel, address } = event.recipient;
      return `${done ? "  done" : ""}\t${channel}\t${harmless(address)}\n`;
    }
    case "warning":
      return "";
  }
}

function formatMessage({ id, birthSeconds, sizeBytes, sender, bouncing }: ListedMessage): string {
  const date = formatQmailDate(Math.max(0, birthSeconds)).replace("-0000", "GMT");
  return `${date}  #${id}  ${sizeBytes}  <${harmless(sender)}> ${bouncing ? " bouncing" : ""}\n`;
}

/** The two lines of qmail-qstat. */
export function formatQstat({ messages, notPreprocessed }: QueueCounts): string {
  return `messages in queue: ${messages}\nmessages in queue but not yet preprocessed: ${notPreprocessed}\n`;
}

/**
 * One array of messages, each on a line of its own. Addresses are octet strings: an octet above 127 is the character
 * of that number.
 */
export class JsonListing {
  #messages = 0;
  #recipients = 0;

  push(event: ListingEvent): string {
    switch (event.kind) {
      case "message": {
        const before = this.#messages++ === 0 ? "[\n" : "]},\n";
        this.#recipients = 0;
        return `${before}${JSON.stringify(event.message).slice(0, -1)},"recipients":[`;
      }
      case "recipient":
        return `${this.#recipients++ === 0 ? "" : ","}${JSON.stringify(event.recipient)}`;
      case "warning":
        return "";
    }
  }

  end(): string {
    return this.#messages === 0 ? "[]\n" : "]}\n]\n";
  }
}
