/**
 * A private dqmail that has a queue of messages which wait, and knows all of them.
 * @module
 */
import { provideHome, users } from "../backlog/queue.ts";
import { watchScan } from "../backlog/scan.ts";
import { writeControls } from "../home.ts";
import { freePort, host, startInstance } from "../instance.ts";
import { controlFiles, maildirsOf, type Starter } from "../server.ts";

/** A starter of such servers; `limitMs` is for each of its waits. */
export function startFilled(messages: number, limitMs: number, signal: AbortSignal): Starter {
  return async (plan) => {
    const queue = await provideHome({ kind: "temporary", dir: plan.dir }, messages, signal);
    try {
      const port = freePort();
      await writeControls(queue.home, controlFiles(plan, { smtp: port, admin: freePort() }));
      const limits = { startLimitMs: limitMs, stopLimitMs: limitMs };
      let instance = await startInstance(queue.home, port, limits);
      let disposed: Promise<void> | undefined; // a second call waits as well
      const dispose = () => disposed ??= instance.stop().then(() => queue[Symbol.asyncDispose]());
      const scan = await watchScan({ home: queue.home, messages, options: { limitMs } }, signal);
      if (scan.seconds === undefined) {
        await dispose();
        throw new Error(
          `Cannot measure: qmail-send did not know its ${messages} messages in ${limitMs / 1000} seconds`,
        );
      }
      return {
        home: queue.home,
        host,
        port,
        get pid() {
          return instance.pid;
        },
        maildirs: maildirsOf(queue.home, users),
        async restart() {
          await instance.stop();
          instance = await startInstance(queue.home, port, limits);
          return instance.greetingSeconds;
        },
        [Symbol.asyncDispose]: dispose,
      };
    } catch (error) {
      await queue[Symbol.asyncDispose]();
      throw error;
    }
  };
}
