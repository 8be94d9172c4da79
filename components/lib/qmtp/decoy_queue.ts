/**
 * What stands in the queue's place for a message that nobody can get.
 * @module
 */
import { exitCode } from "../queue/exit_code.ts";
import type { IntoQueue } from "../smtp/incoming_message.ts";

export const decoyQueue: IntoQueue = {
  write: () => undefined,
  commit: () => Promise.resolve({ code: exitCode.refused, qp: 0 }),
  abort: () => {},
};
