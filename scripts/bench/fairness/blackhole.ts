/**
 * A host on loopback that answers nothing: a listening socket whose queue is full, for the system then drops what asks to
 * connect.
 * @module
 */

/** The system queues one connection more. */
const backlog = 1;

export interface Blackhole extends Disposable {
  readonly port: number;
}

/** Makes `hostname` silent at a port of the system's choice. */
export async function blackhole(hostname: string): Promise<Blackhole> {
  const listener = Deno.listen({ hostname, port: 0, tcpBacklog: backlog });
  const { port } = listener.addr;
  const queued: Deno.Conn[] = [];
  while (queued.length <= backlog) queued.push(await Deno.connect({ hostname, port }));
  return {
    port,
    [Symbol.dispose]: () => {
      for (const one of [listener, ...queued]) one.close();
    },
  };
}
