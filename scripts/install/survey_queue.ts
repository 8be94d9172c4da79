/**
 * What lies in a queue that is to be taken over: how it is split, how much is in which state, and what is wrong with it.
 * @module
 */
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../../config/home.ts";
import type { Finding } from "../../components/lib/queue/check.ts";
import { ownDirs, parseQueueId, splitDirs } from "../../components/lib/queue/layout.ts";
import { checkQueue } from "../../components/lib/queue/look.ts";
import { foldersOf, splitOf } from "../home/queue_split.ts";

export interface QueueFacts {
  /** 0: there is none yet. */
  readonly split: number;
  /** What about its folders cannot be used, undefined where nothing is wrong. */
  readonly defect: string | undefined;
  /** Envelopes in todo: accepted, not preprocessed (S4). */
  readonly accepted: number;
  /** Messages with info and no todo: recipients are left (S5). */
  readonly waiting: number;
  /** Texts in mess without an envelope: being written, or garbage (S2, S3). */
  readonly unfinished: number;
  /** Of those that wait: with failures that will be bounced. */
  readonly bouncing: number;
  /** What is wrong with it. */
  readonly findings: readonly Finding[];
}

/** Between two looks at what seems wrong. */
const pauseMs = 100;

function idsIn(dir: string): number[] {
  if (!existsSync(dir)) return [];
  return Array.from(Deno.readDirSync(dir), ({ name }) => parseQueueId(name)).filter((id) => id !== undefined);
}

/** `isRunning`: somebody may be at work there, so that a half-written message is nothing wrong. */
export async function surveyQueue(at: Home, isRunning: boolean): Promise<QueueFacts | undefined> {
  if (!existsSync(at.queue("mess"))) return undefined;
  const split = splitOf(foldersOf(at));
  if (!split.ok || split.value === 0) {
    const defect = split.ok ? undefined : split.error;
    return { split: 0, defect, accepted: 0, waiting: 0, unfinished: 0, bouncing: 0, findings: [] };
  }
  const home = homeAt(at.dir, { queueSplit: split.value });
  const inParts = (dir: (typeof splitDirs)[number]) =>
    Array.from({ length: split.value }, (_, part) => idsIn(home.queue(dir, String(part)))).flat();
  const todo = new Set(idsIn(home.queue("todo")));
  const info = new Set(inParts("info").filter((id) => !todo.has(id)));
  const mess = inParts("mess");
  const findings = await checkQueue(home, {
    writing: () => Promise.resolve(isRunning),
    pause: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
  });
  return {
    split: split.value,
    defect: undefined,
    accepted: todo.size,
    waiting: info.size,
    unfinished: mess.filter((id) => !todo.has(id) && !info.has(id)).length,
    bouncing: idsIn(home.queue("bounce")).length,
    findings: findings.filter(isQmails),
  };
}

/** Folders and locks of ours that are not there yet are nothing that is wrong. */
function isQmails({ kind, path, note }: Finding): boolean {
  const ours = (ownDirs as readonly string[]).some((dir) => path === dir);
  return note !== true && !(kind === "missing-folder" && ours);
}
