/**
 * What admin knows of the whole at one moment: three answers, each of which may be missing, and what follows from them.
 * The overview, the health check and the metrics are three ways to write this down.
 * @module
 */
import type { ComponentStatus, QueueStatus, SendStatus, SupervisorStatus } from "../lib/wire/status_protocol.ts";

/** A status, or why there is none, as the rest of a sentence: "qmail-send" + " " + why. */
export type Answer<T> =
  | { readonly kind: "answered"; readonly status: T }
  | { readonly kind: "away"; readonly why: string };

export interface Overview {
  /** control/me. */
  readonly host: string;
  /** The home's folder: the page leaves it off the paths below it. */
  readonly homeDir: string;
  readonly takenAtMs: number;
  readonly supervisor: Answer<SupervisorStatus>;
  readonly queue: Answer<QueueStatus>;
  readonly send: Answer<SendStatus>;
}

/** The three parts of an overview that are asked for, with the component that answers. */
export const sources = [
  { part: "supervisor", name: "supervisor" },
  { part: "queue", name: "qmail-queue" },
  { part: "send", name: "qmail-send" },
] as const;

/** Components the supervisor keeps up, or starts when they are needed; those that others start come and go. */
export function supervisedOf(overview: Overview): readonly ComponentStatus[] {
  const { supervisor } = overview;
  return supervisor.kind === "away" ? [] : supervisor.status.components.filter(({ state }) => state !== "on demand");
}

/** Whether a component in this state is at work, or will be when it is needed. */
export function isAsItShouldBe(state: ComponentStatus["state"]): boolean {
  return state === "running" || state === "asleep";
}

/** What is wrong, a line each; empty when everything is as it should be. */
export function defectsOf(overview: Overview): string[] {
  const defects: string[] = [];
  for (const { part, name } of sources) {
    const answer = overview[part];
    if (answer.kind === "away") defects.push(`${name} ${answer.why}`);
  }
  const down = supervisedOf(overview).filter(({ state }) => !isAsItShouldBe(state));
  defects.push(...down.map(({ name, state }) => `${name} is not running: ${state}`));
  // Said only where nothing above explains it.
  if (defects.length === 0 && overview.supervisor.kind === "answered" && !overview.supervisor.status.ready) {
    defects.push("supervisor is not ready");
  }
  return defects;
}

/** Why mail is not taken and delivered at the moment, a line each; empty when it is. */
export function unreadyOf({ supervisor, queue, send }: Overview): string[] {
  const away = sources.flatMap(({ part, name }) => {
    const answer = { supervisor, queue, send }[part];
    return answer.kind === "away" ? [`${name} ${answer.why}`] : [];
  });
  const starting = supervisor.kind === "answered" && !supervisor.status.ready ? ["not all components are ready"] : [];
  return [...away, ...starting];
}
