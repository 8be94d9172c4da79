/**
 * A small SMTP server around ClientSocket alone, for what TLS does to a connection; and certificates for it.
 * @module
 */
import { fromOctets } from "../../components/lib/octets.ts";
import { parseServerCertificate } from "../../components/lib/tls/certificate.ts";
import { parseAuthorities } from "../../components/lib/tls/client_certificate.ts";
import { makeContext, type TlsContexts } from "../../components/lib/tls/contexts.ts";
import type { Secured } from "../../components/lib/tls/server_stream.ts";
import { ClientSocket, type SocketEvents } from "../../components/lib/server/client_socket.ts";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";

/** Contexts of self-signed certificates, the first one the default; and each one's PEM. */
export async function makeContexts(
  names: readonly string[],
  { authorities = "" }: { readonly authorities?: string } = {},
): Promise<{ contexts: TlsContexts; pems: string[] }> {
  const trusted = authorities === "" ? [] : valueOf(parseAuthorities(authorities));
  const pems = await Promise.all(names.map((name) => selfSignedCertificate([name], Date.now())));
  const [first, ...more] = pems.map((pem) =>
    makeContext(valueOf(parseServerCertificate([pem], Date.now())), { authorities: trusted })
  );
  const byName = new Map(more.map((context, index) => [names[index + 1]!, context]));
  return { contexts: { default: first!, byName, authorities: trusted, warnings: [] }, pems };
}

function valueOf<T>(result: { ok: true; value: T } | { ok: false; error: string }): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

export interface TlsServerOptions {
  readonly contexts: TlsContexts;
  /** TLS from the first octet. */
  readonly implicit?: boolean;
  readonly limitMs?: number;
  /** Keeps nothing of clients that are gone. */
  readonly forget?: boolean;
}

/** One client, as the server sees it. */
export interface Seen {
  readonly socket: ClientSocket;
  /** Lines of plaintext, and what came over TLS. */
  readonly lines: string[];
  secured?: Secured;
  /** Why its handshake failed. */
  failure?: string;
  readonly closed: Promise<void>;
  readonly ended: Promise<void>;
  /** All that was written has left, for the first time since the greeting. */
  readonly drained: Promise<void>;
}

/** `250` for every command, `221` and the end for QUIT, as many octets as asked for with `BLOW n`. */
export class TlsServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #options: TlsServerOptions;
  readonly clients: Seen[] = [];
  /** Those whose connection is not over. */
  open = 0;
  #accepting: Promise<void>;

  constructor(options: TlsServerOptions) {
    this.#options = options;
    this.#accepting = this.#acceptAll();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #acceptAll(): Promise<void> {
    try {
      for (;;) this.#serve(await this.#listener.accept());
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  #serve(conn: Deno.TcpConn): void {
    const socket = new ClientSocket(conn);
    const closed = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    const [whenClosed, whenEnded, whenDrained] = [closed.promise, ended.promise, drained.promise];
    const seen: Seen = { socket, lines: [], closed: whenClosed, ended: whenEnded, drained: whenDrained };
    this.clients.push(seen);
    this.open++;
    let rest = "";
    const events: SocketEvents = {
      data: (chunk) => {
        const lines = (rest + fromOctets(chunk)).split("\r\n");
        rest = lines.pop()!;
        for (const line of lines) {
          seen.lines.push(line);
          if (line === "STARTTLS") {
            // What came with it is forgotten.
            rest = "";
            socket.write("220 ready for tls\r\n");
            return void this.#secure(seen);
          }
          this.#answer(socket, line);
        }
      },
      end: () => {
        ended.resolve();
        socket.destroySoon();
      },
      drain: () => {
        if (seen.lines.length > 0) drained.resolve();
      },
      close: () => {
        this.open--;
        if (this.#options.forget) this.clients.splice(this.clients.indexOf(seen), 1);
        closed.resolve();
      },
    };
    if (this.#options.implicit) {
      void this.#secure(seen).then(() => {
        if (seen.secured) socket.write("220 small server\r\n");
        socket.listen(events);
      });
    } else {
      socket.write("220 small server\r\n");
      socket.listen(events);
    }
  }

  async #secure(seen: Seen): Promise<void> {
    const { contexts, limitMs } = this.#options;
    try {
      seen.secured = await seen.socket.startTls(contexts, limitMs === undefined ? {} : { limitMs });
    } catch (error) {
      seen.failure = (error as Error).message;
    }
  }

  #answer(socket: ClientSocket, line: string): void {
    const [verb, count] = line.split(" ");
    if (verb === "BLOW") socket.write("x".repeat(Number(count)));
    if (verb === "EHLO") return socket.write("250-small server\r\n250 STARTTLS\r\n");
    if (verb === "PAUSE") return socket.pause();
    socket.write(verb === "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
    if (verb === "QUIT") socket.destroySoon();
    if (verb === "END") socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const { socket } of this.clients) socket.destroy();
  }
}
