/**
 * A world with a journal, in which an address says itself what becomes of it.
 * @module
 */
import { type Answer, World } from "./world.ts";

/** By the letter an address begins with, the first time; K after that. */
export function byLetter(address: string, attempt: number): Answer {
  return attempt > 1 ? "K" : ({ z: "Z", d: "D", h: "hold" } as Record<string, Answer>)[address[0]!] ?? "K";
}

export function journalWorld(controls = {}): World {
  return new World({ segments: 4, answer: byLetter, controls });
}

/** The number in the log line of the newest message. */
export function newest(world: World): number {
  return Number(world.log.lines().findLast((line) => line.startsWith("new msg "))!.slice(8));
}

/** What was asked of qmail-queue about messages of the journal. */
export function operations(world: World): string[] {
  return world.asked.map(({ op }) => op).filter((op) => op !== "writing");
}
