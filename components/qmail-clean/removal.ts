/**
 * Which files of a message go, and in which order. The order is what a crash in between is judged by: see
 * clean_protocol.ts.
 * @module
 */
import type { CleanOp } from "../lib/wire/clean_protocol.ts";

/** Folders of the queue in the order of removal. */
export function removalOrder(op: CleanOp): readonly ("mess" | "intd" | "todo" | "options")[] {
  switch (op) {
    case "todo":
      return ["intd", "todo"];
    case "foop":
      return ["intd", "options", "mess"];
    case "done":
      return ["todo", "intd", "options", "mess"];
  }
}
