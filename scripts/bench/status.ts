/**
 * What a private dqmail says of itself on its status sockets.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { parseSendStatus, parseSupervisorStatus, type SendStatus } from "../../components/lib/wire/status_protocol.ts";
import { askStatus } from "../ask.ts";

/** qmail-send's figures; undefined where none runs in `home`. */
export async function sendStatus(home: string): Promise<SendStatus | undefined> {
  return await askStatus(homeAt(home), "send-status", parseSendStatus).catch(() => undefined);
}

/** The process id of a component; undefined where it does not run. */
export async function componentPid(home: string, name: string): Promise<number | undefined> {
  const status = await askStatus(homeAt(home), "supervisor-status", parseSupervisorStatus).catch(() => undefined);
  return status?.components.find((component) => component.name === name)?.pid;
}
