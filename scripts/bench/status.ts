/**
 * What a private dqmail says of itself on its status sockets.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import type { SendStatus, SupervisorStatus } from "../../components/lib/wire/status_protocol.ts";
import { askSupervisor } from "../ask.ts";

/** qmail-send's figures; undefined where none runs in `home`. */
export async function sendStatus(home: string): Promise<SendStatus | undefined> {
  const reply = await askSupervisor(homeAt(home), { op: "status" }, "send-status").catch(() => undefined);
  return reply as SendStatus | undefined;
}

/** The process id of a component; undefined where it does not run. */
export async function componentPid(home: string, name: string): Promise<number | undefined> {
  const reply = await askSupervisor(homeAt(home), { op: "status" }, "supervisor-status").catch(() => undefined);
  return (reply as SupervisorStatus | undefined)?.components.find((component) => component.name === name)?.pid;
}
