/**
 * One question to another component's socket, and what becomes of it.
 * @module
 */
import type { Home, SocketName } from "../../config/home.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { parseTrouble } from "../lib/wire/control_protocol.ts";
import type { Frame } from "../lib/wire/frame.ts";
import type { Answer } from "./overview.ts";

export interface Question<T> {
  readonly socket: SocketName;
  readonly request: object;
  readonly parse: (frame: Frame) => T;
  /** How long the component may take before it counts as away. */
  readonly limitMs: number;
}

/** Whoever is asked here and need not run before: it is given the time to start. */
const onDemand: ReadonlySet<SocketName> = new Set(["qread", "resolver"]);

/** Asks on a connection of its own: one that hangs cannot be in the way of the next question. */
export async function ask<T>(home: Home, { socket, request, parse, limitMs }: Question<T>): Promise<Answer<T>> {
  let over = false;
  const client = new Client(home.socket(socket), {
    // One attempt: a component that is away should show at once, and the operator can refresh.
    connectMs: onDemand.has(socket) ? limitMs : 0,
    onOpen: (pipe) => over && pipe.close(),
    onError: (error) => logEvent("status_defect", { socket, error: describeError(error) }),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), limitMs));
  try {
    const frame = await Promise.race([client.request(request), late]);
    if (frame === undefined) return { kind: "away", why: `gave no answer within ${inSeconds(limitMs)}` };
    const trouble = parseTrouble(frame);
    if (trouble !== undefined) return { kind: "away", why: `could not tell: ${trouble}` };
    return { kind: "answered", status: parse(frame) };
  } catch (error) {
    if (error instanceof ConnectionLost) return { kind: "away", why: "cannot be reached" };
    logEvent("status_defect", { socket, error: describeError(error) });
    return { kind: "away", why: "gave an answer that cannot be read" };
  } finally {
    over = true;
    clearTimeout(timer);
    client.close();
  }
}

function inSeconds(limitMs: number): string {
  return limitMs === 1000 ? "a second" : `${limitMs / 1000} seconds`;
}
