/**
 * admin's shell: listens where control/listeners says, asks the three status sockets when a request needs it.
 * @module
 */
import type { SocketName } from "../../config/home.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { netAddress } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import type { Frame } from "../lib/wire/frame.ts";
import { parseQueueStatus, parseSendStatus, parseSupervisorStatus } from "../lib/wire/status_protocol.ts";
import { createApp } from "./app.ts";
import { adminEndpoints, isLoopback } from "./listeners.ts";
import type { Answer, Overview } from "./overview.ts";

/** How long a component may take to answer before it shows as away. */
const answerMs = 1000;

/** Starts listening. Throws {@link CannotStart} for an address outside loopback. */
export function run({ home, portOffset }: Start): Running {
  const values = new ControlValues(home, "admin");
  const endpoints = adminEndpoints(values.current.listeners, portOffset);
  const outside = endpoints.find(({ host }) => !isLoopback(host));
  if (outside !== undefined) {
    throw new CannotStart(
      `Cannot listen on ${netAddress(outside)} (control file "listeners"): ` +
        "admin has no login and takes loopback addresses only, 127.0.0.0/8 and ::1",
    );
  }
  if (endpoints.length === 0) logEvent("no_listener", { service: "admin" });

  const takeOverview = async (): Promise<Overview> => {
    const [supervisor, queue, send] = await Promise.all([
      ask(home.socket("supervisor-status"), "supervisor-status", parseSupervisorStatus),
      ask(home.socket("queue-status"), "queue-status", parseQueueStatus),
      ask(home.socket("send-status"), "send-status", parseSendStatus),
    ]);
    return { host: values.current.me, homeDir: home.dir, takenAtMs: Date.now(), supervisor, queue, send };
  };
  // Requests that come while a question is under way share its answer, so that no flood of them gets through to others.
  let underWay: Promise<Overview> | undefined;
  const overview = () => underWay ??= takeOverview().finally(() => underWay = undefined);
  const onError = (error: unknown) => logEvent("request_defect", { error: describeError(error) });
  const app = createApp({ me: () => values.current.me, overview, onError });

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
    reload: () => values.reload(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.shutdown()));
    },
  };
}

/** Asks one socket, on a connection of its own: one that hangs cannot be in the way of the next question. */
async function ask<T>(path: string, name: SocketName, parse: (frame: Frame) => T): Promise<Answer<T>> {
  let over = false;
  const client = new Client(path, {
    // One attempt: a component that is away should show at once, and the operator can refresh.
    connectMs: 0,
    onOpen: (pipe) => over && pipe.close(),
    onError: (error) => logEvent("status_defect", { socket: name, error: describeError(error) }),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), answerMs));
  try {
    const frame = await Promise.race([client.request({ op: "status" }), late]);
    if (frame === undefined) return { kind: "away", why: "gave no answer within a second" };
    return { kind: "answered", status: parse(frame) };
  } catch (error) {
    if (error instanceof ConnectionLost) return { kind: "away", why: "cannot be reached" };
    logEvent("status_defect", { socket: name, error: describeError(error) });
    return { kind: "away", why: "gave an answer that is no status" };
  } finally {
    over = true;
    clearTimeout(timer);
    client.close();
  }
}
