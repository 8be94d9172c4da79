/**
 * How an operator's commands (commands.ts) reach the messages: each of them is done by whoever does the same for other
 * reasons as well.
 * @module
 */
import type { Arrivals } from "./arrivals.ts";
import type { Attempts } from "./attempts.ts";
import type { CommandHands } from "./commands.ts";
import type { Message } from "./message.ts";
import type { Retries } from "./retries.ts";
import type { Store } from "./store.ts";
import type { Transitions } from "./transitions.ts";

export interface CommandWays {
  readonly store: Store;
  /** Those in memory. */
  readonly messages: Map<number, Message>;
  readonly arrivals: Arrivals;
  readonly attempts: Attempts;
  readonly retries: Retries;
  readonly transitions: Transitions;
  nowSeconds(): number;
  lifetimeSeconds(): number;
}

export function commandHands(ways: CommandWays): CommandHands {
  const { store, messages, arrivals, attempts, retries, transitions } = ways;
  return {
    nowSeconds: () => ways.nowSeconds(),
    lifetimeSeconds: () => ways.lifetimeSeconds(),
    message: (id) => messages.get(id),
    busy: (message) => message.stage === "ending" ? undefined : message.moving ?? attempts.deciding(message),
    beginNow: (id) => {
      // A scan that is on its way through todo may not have come to it.
      if (!arrivals.has(id) && store.inTodo(id)) arrivals.todo([id], true);
      arrivals.beginNow(id);
    },
    reschedule: (id, channel, atSeconds) => retries.reschedule(id, channel, atSeconds),
    unschedule: (id, channel) => retries.unschedule(id, channel),
    takeBack: (message, atSeconds) => attempts.takeBack(message, atSeconds),
    putDown: (message, written) => attempts.putDown(message, written),
    expire: (message) => attempts.expire(message),
    finish: (message) => {
      messages.set(message.id, message);
      return transitions.finishSplit(message);
    },
    finishFirst: (message) => attempts.finishFirst(message),
  };
}
