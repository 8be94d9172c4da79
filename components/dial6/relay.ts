/**
 * One connection of qmail-remote: reads whom to connect to, connects, says what came of it, and then passes octets both
 * ways until each side has ended its own. What is said is not looked at: TLS goes from end to end.
 * @module
 */
import { connect, isIPv6, type Socket } from "node:net";
import {
  type DialAnswer,
  type DialRequest,
  formatDialAnswer,
  longestDialRequest,
  parseDialRequest,
} from "../lib/wire/dial_protocol.ts";
import { type Frame, FrameReader } from "../lib/wire/frame.ts";

export interface RelayOptions {
  /** So long qmail-remote may take to say what it wants. */
  readonly askMs?: number;
  /** So long the other server may be silent once qmail-remote has said its last word, or is gone. */
  readonly lingerMs?: number;
  /** Told about garbage; the connection ends. */
  readonly onError: (error: unknown) => void;
}

/** Serves a connection that was just accepted, with half-open ends allowed. Never throws. */
export function relay(client: Socket, { askMs = 5000, lingerMs = 30_000, onError }: RelayOptions): void {
  const reader = new FrameReader(longestDialRequest);
  const late = setTimeout(() => client.destroy(), askMs);
  let server: Socket | undefined;
  client.on("close", () => {
    clearTimeout(late);
    server?.destroy();
  });
  // "close" follows.
  client.on("error", () => {});

  const giveUp = (): void => void client.destroy();
  const onData = (chunk: Uint8Array): void => {
    try {
      const frames = reader.push(chunk);
      if (frames.length === 0) return;
      if (server !== undefined || frames.length > 1 || reader.partial) throw new Error("octets before the answer");
      clearTimeout(late);
      server = dial(frames[0]!);
    } catch (error) {
      onError(error);
      client.destroy();
    }
  };
  const dial = (frame: Frame): Socket | undefined =>
    connectTo(parseDialRequest(frame), (answer, connected) => {
      if (client.destroyed) return void connected?.destroy();
      if (connected === undefined) return void client.end(formatDialAnswer(answer), giveUp);
      client.off("data", onData);
      client.off("end", giveUp);
      client.write(formatDialAnswer(answer));
      join(client, connected, lingerMs);
    });
  client.on("data", onData);
  // Before the answer there is nothing it could have said its last word about.
  client.on("end", giveUp);
}

/** Calls `onAnswer` once: with the connection, or with why there is none. Undefined where it was answered at once. */
function connectTo(
  { address, port, localAddress }: DialRequest,
  onAnswer: (answer: DialAnswer, connected?: Socket) => void,
): Socket | undefined {
  const isOurs = (text: string) => isIPv6(text) && !text.includes("%");
  // A name would be looked up, and this process may ask nobody.
  if (!isOurs(address) || (localAddress !== undefined && !isOurs(localAddress))) {
    onAnswer("not granted");
    return undefined;
  }
  const trouble = localAddress === undefined ? undefined : troubleWith(localAddress);
  if (trouble !== undefined) {
    onAnswer(trouble);
    return undefined;
  }
  const socket = connect({
    host: address,
    port,
    noDelay: true,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  const fail = (error: Error & { code?: string }): void => {
    socket.destroy();
    onAnswer(answerFor(error));
  };
  socket.once("error", fail);
  socket.once("connect", () => {
    socket.off("error", fail);
    onAnswer("connected", socket);
  });
  return socket;
}

/**
 * What stands in the way of connecting from an address of this machine. node:net throws that refusal where nobody can
 * catch it, and what deno tells of its permissions knows nothing of a broker, so the address is bound once before.
 */
function troubleWith(localAddress: string): DialAnswer | undefined {
  try {
    Deno.listen({ hostname: localAddress, port: 0 }).close();
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.NotCapable ? "not granted" : "unreachable";
  }
}

function answerFor(error: Error & { code?: string }): DialAnswer {
  if (error instanceof Deno.errors.NotCapable) return "not granted";
  switch (error.code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
      return "refused";
    case "ETIMEDOUT":
      return "timeout";
    default:
      // No route, no such address of this machine (EINVAL, EADDRNOTAVAIL), no descriptors left.
      return "unreachable";
  }
}

/** Passes octets both ways, no faster than they are taken; the end of one way ends only that way. */
function join(client: Socket, server: Socket, lingerMs: number): void {
  // What it said last is still handed on.
  server.on("error", () => client.destroySoon());
  server.on("close", () => client.destroySoon());
  // A Unix socket does not say whether its other end has stopped speaking or is gone.
  client.on("end", () => server.setTimeout(lingerMs, () => server.destroy()));
  client.pipe(server);
  server.pipe(client);
}
