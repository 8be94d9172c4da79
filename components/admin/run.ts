/**
 * admin's shell: listens where control/listeners says, asks the other components when a request needs it.
 * @module
 */
import { isLoopback } from "../../config/ip/ranges.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { netAddress } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { createApp } from "./app.ts";
import { Sessions } from "./auth/sessions.ts";
import { Throttle } from "./auth/throttle.ts";
import { adminEndpoints } from "./listeners.ts";
import { fingerprintOf } from "./live/fingerprint.ts";
import { Ticker } from "./live/ticker.ts";
import { worldOf } from "./sockets.ts";

/** How often it is looked whether a page that somebody has open has changed. */
const tickMs = 1000;

/** Starts listening. Throws {@link CannotStart} for an address outside loopback. */
export function run({ home, portOffset, requestStop }: Start): Running {
  const values = new ControlValues(home, "admin");
  const endpoints = adminEndpoints(values.current.listeners, portOffset);
  const outside = endpoints.find(({ host }) => !isLoopback(host));
  if (outside !== undefined) {
    throw new CannotStart(
      `Cannot listen on ${netAddress(outside)} (control file "listeners"): ` +
        "admin speaks no TLS and takes loopback addresses only, 127.0.0.0/8 and ::1",
    );
  }
  if (endpoints.length === 0) logEvent("no_listener", { service: "admin" });

  const world = worldOf(home, () => values.current);
  const sessions = new Sessions();
  const ticker = new Ticker(() => fingerprintOf(world), tickMs);
  const app = createApp({
    world,
    sessions,
    throttle: new Throttle((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
    ticker,
    onError: (error) => {
      logEvent("request_defect", { error: describeError(error) });
      if (isReplaced(error)) requestStop();
    },
    onEvent: logEvent,
  });

  const servers = endpoints.map(({ host, port }) =>
    Deno.serve({
      hostname: host,
      port,
      // Standard output speaks to the supervisor: Deno's own greeting has no place there.
      onListen: (at) => logEvent("listening", { address: netAddress({ host: at.hostname, port: at.port }) }),
    }, (request) => app.fetch(request))
  );
  const ports = Object.fromEntries(
    servers.map((server, at) => [at === 0 ? "admin" : `admin${at + 1}`, server.addr.port]),
  );
  return {
    ports,
    reload: () => {
      const before = values.current.admintoken;
      const defects = values.reload();
      // Whoever logged in by the old token has none now.
      if (values.current.admintoken !== before) sessions.closeAll();
      return defects;
    },
    stop: async () => {
      world[Symbol.dispose]();
      // Open pages would keep their streams of events until the end.
      ticker.stop();
      await Promise.all(servers.map((server) => server.shutdown()));
    },
  };
}

/**
 * Whether a part that is loaded when it is first asked for has been replaced on the disk since this process began: deno takes
 * it for another file then, which is not granted. The supervisor's next admin has it.
 */
function isReplaced(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("Requires read access");
}
