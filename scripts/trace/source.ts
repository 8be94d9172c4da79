/**
 * Where a trace comes from: multilog's socket, or the files of the log where nobody answers there.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { traceAddress, traceMessage } from "../../components/lib/trace/answers.ts";
import { ask, NoAnswer } from "../../components/lib/wire/ask.ts";
import {
  type AddressTrace,
  type MessageTrace,
  parseAddressTrace,
  parseMessageTrace,
  parseTail,
  type Tail,
} from "../../components/lib/wire/trace_protocol.ts";
import { carryOut } from "../../components/multilog/answer.ts";
import { OpenLog } from "../../components/multilog/log_files.ts";

/** Nobody keeps this process waiting but its user. */
const ownBudgetMs = 30_000;

/** The log cannot be read; the message says why. */
export class NoLog extends Error {
  override name = "NoLog";
}

export interface TraceSource {
  message(message: number, life: number): Promise<MessageTrace>;
  address(address: string, count: number): Promise<AddressTrace>;
  /** The newest lines with `contains` in them since an earlier answer. Only a multilog that runs tells it. */
  tail(count: number, contains: string, after: string | undefined): Promise<Tail>;
}

/** Throws {@link NoLog}, and ProtocolError. */
export function traceSource(home: Home): TraceSource {
  const path = home.socket("multilog");
  return {
    message: async (message, life) =>
      await asked(
        async () => parseMessageTrace(await ask(path, { op: "trace", message, life })),
        () => fromFiles(home, (log) => carryOut((spent) => traceMessage(log, message, life, spent), ownBudgetMs)),
      ),
    address: async (address, count) =>
      await asked(
        async () => parseAddressTrace(await ask(path, { op: "trace", address, count })),
        () => fromFiles(home, (log) => carryOut((spent) => traceAddress(log, address, count, spent), ownBudgetMs)),
      ),
    tail: async (count, contains, after) =>
      await asked(async () => parseTail(await ask(path, { op: "tail", count, contains, after })), () => {
        throw new NoLog(`nothing runs in ${home.dir}, so nothing more is logged`);
      }),
  };
}

async function asked<T>(first: () => Promise<T>, otherwise: () => T | Promise<T>): Promise<T> {
  try {
    return await first();
  } catch (error) {
    if (error instanceof NoAnswer) return await otherwise();
    throw error;
  }
}

async function fromFiles<T>(home: Home, read: (log: OpenLog) => Promise<T>): Promise<T> {
  try {
    if (ifThere(() => Deno.statSync(home.log())) === undefined) {
      throw new NoLog(`there is no log in ${home.log()}; a start makes one unless control/logfiles is 0`);
    }
    using log = new OpenLog(home.log());
    return await read(log);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new NoLog(`cannot read ${home.log()}: permission denied; it is for root and the account qmaill`);
  }
}
