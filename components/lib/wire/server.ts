/**
 * The listening side of a Unix socket between components.
 * @module
 */
import { type Frame, FrameError } from "./frame.ts";
import { joinIdle, noteFrame } from "./idle.ts";
import { Pipe } from "./pipe.ts";

export interface UnixServer {
  /** Stops accepting; connections that are open stay so. */
  stop(): void;
  /** Ends every open connection. */
  closeAll(): void;
  readonly connections: ReadonlySet<Pipe>;
}

export interface Serving {
  /** Called for each frame, in order, without waiting for what it may have started. */
  readonly onFrame: (frame: Frame, pipe: Pipe) => void | Promise<void>;
  readonly onOpen?: (pipe: Pipe) => void;
  readonly onClose?: (pipe: Pipe) => void;
  /** Told about garbage and about surprises; the connection in question is closed. */
  readonly onError: (error: unknown) => void;
  /** A connection is work under way for as long as it stands: the process is not idle then (idle.ts). */
  readonly keepsSessions?: boolean;
  /** Bodies are valid only until `onFrame` has returned. */
  readonly lendsBodies?: boolean;
}

/** A frame whose head is not one of the protocol's: the connection ends, nothing of it is carried out. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
}

/**
 * Listens on `path`, taking the place of a socket that a dead process left there. The folder around it decides who may
 * connect, so the socket itself is open to all who get that far.
 */
export function serveUnix(path: string, serving: Serving): UnixServer {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const listener = Deno.listen({ transport: "unix", path });
  Deno.chmodSync(path, 0o666);
  const connections = new Set<Pipe>();
  const leaveIdle = joinIdle({ connections, keepsSessions: serving.keepsSessions === true });
  void acceptAll(listener, connections, serving);
  return {
    connections,
    stop: () => {
      leaveIdle();
      listener.close();
    },
    closeAll: () => connections.forEach((pipe) => pipe.close()),
  };
}

async function acceptAll(listener: Deno.Listener, connections: Set<Pipe>, serving: Serving): Promise<void> {
  for (;;) {
    try {
      const pipe = new Pipe(await listener.accept());
      connections.add(pipe);
      void serveOne(pipe, connections, serving);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      // Out of descriptors, say: those in use will come free, meanwhile a client waits in the backlog.
      serving.onError(error);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function serveOne(pipe: Pipe, connections: Set<Pipe>, serving: Serving): Promise<void> {
  serving.onOpen?.(pipe);
  try {
    await pipe.each((frame) => {
      noteFrame();
      return serving.onFrame(frame, pipe);
    }, serving);
  } catch (error) {
    serving.onError(error);
    if (!(error instanceof FrameError || error instanceof ProtocolError)) throw error;
  } finally {
    pipe.close();
    connections.delete(pipe);
    serving.onClose?.(pipe);
  }
}
