/**
 * dial6's shell: the socket `dial6` and the connections that go through it.
 * @module
 */
import { createServer, type Socket } from "node:net";
import { ifThere } from "../lib/disk/if_there.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { relay } from "./relay.ts";

/** Far more than qmail-remote has deliveries and kept connections; each takes two descriptors. */
const mostConnections = 300;

/** Starts serving. */
export async function run({ home }: Start): Promise<Running> {
  const path = home.socket("dial6");
  const open = new Set<Socket>();
  const onError = (error: unknown) => logEvent("garbage", { socket: "dial6", reason: describeError(error) });
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (open.size >= mostConnections) return void client.destroy();
    open.add(client);
    client.on("close", () => open.delete(client));
    relay(client, { onError });
  });
  // A socket that a dead process left there.
  ifThere(() => Deno.removeSync(path));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  server.on("error", onError);
  // The folder around it decides who may connect.
  Deno.chmodSync(path, 0o666);

  return {
    // What it may do, the supervisor decides.
    reload: () => [],
    stop: () => {
      // Those who need a connection have stopped before.
      server.close();
      for (const client of open) client.destroy();
      return Promise.resolve();
    },
  };
}
