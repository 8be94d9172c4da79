/**
 * What becomes of ports that are opened and closed, as one JSON object: a program, for deno shares a port only in a process
 * with `--unstable-net`.
 * @module
 */
import { acceptAll, closeQuietDoor, openPort, type TcpListening } from "../../components/lib/server/listening.ts";
import { freePort } from "./free_port.ts";

const hostname = "127.0.0.1";
const at = (port: number): TcpListening<"smtp"> => ({
  kind: "tcp",
  entrance: "smtp",
  proxy: false,
  host: hostname,
  port,
});
const open = (port: number, shared: boolean) => {
  try {
    return openPort(at(port), { shared })!.listener.addr.transport;
  } catch (error) {
    return (error as Error).name;
  }
};

async function closing() {
  const door = openPort(at(0), { shared: false })!;
  const { port } = door.listener.addr as Deno.NetAddr;
  await Promise.all(Array.from({ length: 20 }, () => Deno.connect({ hostname, port })));
  let taken = 0;
  const accepting = acceptAll(door, () => void taken++);
  await closeQuietDoor(door);
  await accepting;
  const after = await Deno.connect({ hostname, port }).then(() => "connected", (error: Error) => error.name);
  return { taken, after };
}

if (import.meta.main) {
  const port = freePort();
  const own = [open(port, false), open(port, true), open(port, false)];
  const held = Deno.listen({ hostname, port: 0 });
  const foreign = [open(held.addr.port, false), open(held.addr.port, true)];
  console.log(JSON.stringify({ own, foreign, closing: await closing() }));
  Deno.exit(0);
}
