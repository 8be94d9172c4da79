/**
 * Memory of a server that has nothing to do, and of one with many connections that say nothing.
 * @module
 */
import { measureTree } from "../processes.ts";
import { settle } from "../quiet.ts";
import type { Starter } from "../server.ts";
import { Connections } from "./connections.ts";
import type { FigureName } from "./table_rows.ts";

export interface IdleOptions {
  readonly dir: string;
  /** Ascending. */
  readonly connections: readonly number[];
  readonly settleMs: number;
}

/** In MB (1,000,000 octets) of proportional set size; connections' figures are what they take on top of the rest. */
export type IdleFigures = Readonly<Partial<Record<FigureName, number>>>;

/** What the embedded default serves besides SMTP. */
const defaultServices = ["submission", "qmtp", "qmqp", "pop3", "admin"];
/** A server that has a process for each connection is not asked for more. */
const mostAtPeers = 500;

/** A private dqmail as the embedded default, and as a mail exchanger without POP3, QMTP and admin. */
export async function measureOwnIdle(options: IdleOptions, start: Starter): Promise<IdleFigures> {
  const { dir, connections } = options;
  const plan = { dir, users: 0, hold: false, relayPort: undefined, connections: Math.max(0, ...connections) };
  const rest = await startedIdle(options, () => start({ ...plan, services: defaultServices }));
  const { "rest MB": mx } = await startedIdle({ ...options, connections: [] }, () => start({ ...plan, services: [] }));
  return mx === undefined ? rest : { ...rest, "mx MB": mx };
}

/** A server of another make, as it comes. */
export async function measurePeerIdle(options: IdleOptions, start: Starter): Promise<IdleFigures> {
  const connections = options.connections.filter((count) => count <= mostAtPeers);
  const plan = { dir: options.dir, users: 0, hold: false, relayPort: undefined };
  return await startedIdle(
    { ...options, connections },
    () => start({ ...plan, connections: Math.max(0, ...connections) }),
  );
}

async function startedIdle(options: IdleOptions, start: () => ReturnType<Starter>): Promise<IdleFigures> {
  await using server = await start();
  return await measureIdle(server, options);
}

/** A server that runs. */
export async function measureIdle(
  server: { readonly host: string; readonly port: number; readonly pid: number },
  { connections, settleMs }: Omit<IdleOptions, "dir">,
): Promise<IdleFigures> {
  await settle(settleMs);
  const restMb = megabytesOf(server.pid);
  const figures: Partial<Record<FigureName, number>> = { "rest MB": restMb };
  using open = new Connections(server);
  for (const count of connections) {
    await open.growTo(count);
    await settle(settleMs);
    figures[`+${count} MB`] = megabytesOf(server.pid) - restMb;
  }
  return figures;
}

function megabytesOf(pid: number): number {
  return measureTree(pid).pssKib * 1024 / 1e6;
}
