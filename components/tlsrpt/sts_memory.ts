/**
 * Keeps the policies of mta-sts, which may write no file: the socket `sts-memory`.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { realDisk } from "../lib/disk/disk.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { formatKeptPolicy, parseStsMemoryRequest } from "../lib/wire/sts_memory_protocol.ts";
import { KeptPolicies } from "./kept_policies.ts";

/** What tests put in the place of the world. */
export interface StsMemoryOptions {
  readonly nowSeconds?: () => number;
  /** How often policies are written: what a crash may cost. */
  readonly tickMs?: number;
}

const defaultTickMs = 5000;

/** Starts serving what was kept. */
export function serveStsMemory(
  home: Home,
  { nowSeconds = () => Math.floor(Date.now() / 1000), tickMs = defaultTickMs }: StsMemoryOptions,
): { stop(): Promise<void> } {
  const kept = new KeptPolicies({
    disk: realDisk(),
    dir: home.tlsrpt(),
    nowSeconds,
    onTrouble: (error) => log(`alert: cannot write tlsrpt/policies: ${describeError(error)}; mta-sts alone has them`),
    onDamage: (lines) => log(`warning: tlsrpt/policies was damaged; lines passed over: ${lines}`),
  });
  kept.load();
  let writing: Promise<void> | undefined;
  const timer = setInterval(() => writing ??= kept.flush().finally(() => writing = undefined), tickMs);

  async function tellAll(id: number, pipe: Pipe): Promise<void> {
    for (const policy of kept.all) {
      pipe.send(formatKeptPolicy(policy));
      await pipe.drained();
    }
    pipe.send({ id });
  }

  const server = serveUnix(home.socket("sts-memory"), {
    onFrame(frame, pipe) {
      const request = parseStsMemoryRequest(frame);
      if (request.op === "recall") return tellAll(request.id, pipe);
      kept.remember(request.kept);
    },
    onError: (error) => logEvent("garbage", { socket: "sts-memory", reason: describeError(error) }),
  });

  return {
    stop: async () => {
      clearInterval(timer);
      server.stop();
      server.closeAll();
      await writing;
      await kept.flush();
    },
  };
}
