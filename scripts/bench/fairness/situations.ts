/**
 * What fresh mail may find in its way.
 * @module
 */
import type { LoadJob } from "../load.ts";
import type { FairnessOptions } from "./options.ts";

/** In the order they are measured; the others are compared with the first. */
export const situations = ["idle", "many local", "many remote", "dead host"] as const;
export type Situation = (typeof situations)[number];

/** Mailboxes u0@localhost and so on: the large message's recipients. The one after them gets fresh mail. */
export const crowdedMailboxes = 4;
export const freshLocal = `u${crowdedMailboxes}@localhost`;
export const freshRemote = "fresh@fresh.example";

/** Where all routes for dead.example lead to. */
export const deadAddress = "127.0.0.2";
/** Longer than a working host would take, short enough for many attempts in one measurement. */
const timeoutConnectSeconds = 5;

/** The control files: default concurrencies, all remote mail to the sink but what is for the dead host. */
export function controlsOf(sinkPort: number, deadPort: number | undefined): Readonly<Record<string, string>> {
  const rest = `:127.0.0.1:${sinkPort}`;
  return {
    smtproutes: deadPort === undefined ? rest : `dead.example:${deadAddress}:${deadPort}\n${rest}`,
    timeoutconnect: String(timeoutConnectSeconds),
  };
}

/** The load that makes a situation; undefined where nothing is in the way. */
export function loadOf(
  situation: Situation,
  options: FairnessOptions,
  server: { readonly host: string; readonly port: number },
): LoadJob | undefined {
  const { recipients, domains, waiting, limitMs } = options;
  const common = { ...server, limitMs, sizeBytes: 1024, reuse: false, pipelining: true, firstNumber: 0 };
  const one = { ...common, reversePath: "sender@source.example", sessions: 1, messages: 1 };
  const large = { ...one, recipientsPerMessage: recipients, users: crowdedMailboxes, domains };
  switch (situation) {
    case "idle":
      return undefined;
    case "many local":
      return { ...large, recipient: "u%u-%n@localhost" };
    case "many remote":
      return { ...large, recipient: "r%n@d%h.sink.example" };
    case "dead host":
      return { ...large, recipient: "x%n@dead.example", recipientsPerMessage: 1, messages: waiting, sessions: 20 };
  }
}
