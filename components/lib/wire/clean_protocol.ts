/**
 * What qmail-clean is asked (socket `qmail-clean`), many messages at once. `todo`: intd, then todo (the message was
 * preprocessed). `foop`: intd, options, then mess (it is finished, or was abandoned). `done`: todo, then intd, options,
 * mess (it was finished without being preprocessed; todo goes first, so that a crash in between leaves no envelope without
 * text).
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";

export const cleanOps = ["todo", "foop", "done"] as const;
export type CleanOp = (typeof cleanOps)[number];

export interface CleanRequest {
  readonly op: CleanOp;
  readonly id: number;
  readonly messages: readonly number[];
}

export interface CleanReply {
  /** Those of which something could not be removed. */
  readonly failed: readonly number[];
}

/** Throws ProtocolError. */
export function parseCleanRequest(frame: Frame): CleanRequest {
  return {
    op: field.oneOf(frame.head, "op", cleanOps),
    id: field.wholeNumber(frame.head, "id"),
    messages: field.wholeNumbers(frame.head, "messages"),
  };
}

/** Throws ProtocolError. */
export function parseCleanReply(frame: Frame): CleanReply {
  return { failed: field.wholeNumbers(frame.head, "failed") };
}
