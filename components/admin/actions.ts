/**
 * What an operator can have done, in words.
 * @module
 */
import type { Action } from "../lib/wire/control_protocol.ts";

export interface ActionWords {
  readonly action: Action;
  readonly title: string;
  /** What it does, as a sentence. */
  readonly does: string;
  /** Whether it cannot be taken back. */
  readonly final: boolean;
}

export const actionWords: readonly ActionWords[] = [
  { action: "retry", title: "Retry", does: "All recipients that are left are tried now.", final: false },
  { action: "hold", title: "Hold", does: "What is held is not delivered until it is released.", final: false },
  { action: "release", title: "Release", does: "What is held is tried again.", final: false },
  {
    action: "expire",
    title: "Expire",
    does: "It is tried a last time now; recipients that are not reached fail for good, and the sender gets a bounce.",
    final: true,
  },
  { action: "delete", title: "Delete", does: "What is deleted is gone, and nobody is told.", final: true },
];

export function wordsOf(action: Action): ActionWords {
  return actionWords.find((words) => words.action === action)!;
}

/** Said in a question about what is final. */
export const finalWords = " This cannot be taken back.";

/** "message 12", "3 messages". */
export function messagesInWords(messages: readonly number[]): string {
  return messages.length === 1 ? `message ${messages[0]}` : `${messages.length} messages`;
}

/** The question before it is done. */
export function questionFor(action: Action, messages: readonly number[]): string {
  const { title, does, final } = wordsOf(action);
  return `${title} ${messagesInWords(messages)}? ${does}${final ? finalWords : ""}`;
}
