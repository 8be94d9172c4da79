/** A Unix socket in a temporary folder, with both of its sides. */
import { encodeFrame } from "../../../components/lib/wire/frame.ts";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import { serveUnix, type Serving, type UnixServer } from "../../../components/lib/wire/server.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A place for a socket; servers begun by {@link Place.serve} end with it. */
export interface Place extends Disposable {
  readonly path: string;
  /** What a server was told of garbage and surprises. */
  readonly errors: unknown[];
  serve(serving: Partial<Serving>): UnixServer;
  /** Sends octets as they are; settles with what came back when the server closed. */
  shout(octets: Uint8Array): Promise<Uint8Array>;
}

export function place(): Place {
  const dir = tempDir();
  const path = `${dir.path}/s`;
  const errors: unknown[] = [];
  const servers: UnixServer[] = [];
  return {
    path,
    errors,
    serve: (serving) => {
      const server = serveUnix(path, { onFrame: () => {}, onError: (error) => void errors.push(error), ...serving });
      servers.push(server);
      return server;
    },
    shout: async (octets) => {
      using conn = await Deno.connect({ transport: "unix", path });
      // The server may close before it has read all of it.
      await conn.write(octets).catch(() => 0);
      return await answersUntilClosed(conn);
    },
    [Symbol.dispose]: () => {
      servers.forEach(end);
      dir[Symbol.dispose]();
    },
  };
}

async function answersUntilClosed(conn: Deno.Conn): Promise<Uint8Array> {
  const received: number[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await conn.read(buffer).catch(() => null);
    if (count === null) return Uint8Array.from(received);
    received.push(...buffer.subarray(0, count));
  }
}

/** Ends a server as its process's death would. */
export function end(server: UnixServer): void {
  try {
    server.stop();
  } catch {
    // Stopped by the test already.
  }
  server.closeAll();
}

/** A request of some protocol, as octets. */
export const request = (head: object) => encodeFrame(head);

/** Answers each frame with its own head. */
export const echo = (frame: { head: object; body: Uint8Array }, pipe: Pipe) => pipe.send(frame.head, frame.body);
