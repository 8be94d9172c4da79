/**
 * What qmail-queue says (lib/wire/queue_protocol.ts), each notice to whom it is for.
 * @module
 */
import { assertNever } from "../lib/result.ts";
import type { QueueNotice } from "../lib/wire/queue_protocol.ts";
import type { Manager } from "./manager.ts";
import type { Suspects } from "./suspects.ts";

export function takeNotice(manager: Manager, suspects: Suspects, notice: QueueNotice): void {
  switch (notice.op) {
    case "todo":
      for (const id of notice.messages) suspects.clear(id);
      return manager.arrivals.todo(notice.messages);
    case "journal":
      return manager.arrivals.journal(notice.entries);
    case "abandoned":
      for (const id of notice.messages) {
        const held = suspects.take(id);
        if (held !== undefined) manager.removeAbandoned(id, held);
      }
      return;
    case "settled":
      return manager.journal.settled(notice.serials);
    case "moved":
      return manager.journal.moved(notice.serial, notice.ok);
    case "vacate":
      return manager.vacate(notice.serials, notice.messages);
    default:
      return assertNever(notice);
  }
}
