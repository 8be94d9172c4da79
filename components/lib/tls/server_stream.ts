/**
 * The server side of one TLS connection (RFC 8446, RFC 5246), over octets that somebody else reads and writes: encrypted
 * octets go in by {@link TlsServerStream.receive} and out by {@link Wire.send}, plain ones the other way round. Made of
 * node's `tls.TLSSocket`, whose plaintext side is a stream of ours, so that the one who reads the connection goes on reading
 * it and no octet can fall between two readers.
 *
 * Whatever a client does inside TLS ends its own connection and nothing else: octets that are no TLS, a handshake that
 * fails, a wrong record, octets after its close_notify (they are not looked at). A client that closes the connection
 * without a close_notify is taken for one that has ended: what ends a message is in the message.
 * Of the library (Deno 2.9.6, tried): it takes in any amount while its reader is paused, so it is this class that stops
 * the one who reads the connection; it says of a wrong record in a session nothing but `_tlsError`, and goes on taking in;
 * and it sends no alert, so the one for a handshake that cannot begin is written here.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import type tls from "node:tls";
import { utf8Octets } from "../octets.ts";
import { isTrusted, subjectLine } from "./client_certificate.ts";
import { nodeStream, nodeTls } from "../process/builtin.ts";
import { chooseContext, type TlsContexts } from "./contexts.ts";

/** What came of a handshake. Octet strings. */
export interface Secured {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
  /** The host the client asked for, as it wrote it; octets of its choosing. */
  readonly servername: string | undefined;
  /** The subject of a certificate that one of the authorities has issued to the client; for people to read. */
  readonly clientSubject?: string;
  /** That certificate's SHA-256, `AB:CD:…`: what decisions can be made by. */
  readonly clientFingerprint?: string;
  /** The channel binding tls-server-end-point (RFC 5929 §4.1). */
  readonly endPoint: Uint8Array;
}

/** The connection below. */
export interface Wire {
  /** Sends octets; `sent` is to be called once they have left. One call at a time. */
  send(octets: Uint8Array, sent: () => void): void;
  /** Whether more octets are wanted; with `false`, what comes still is taken. */
  want(more: boolean): void;
}

/** What comes out of it, after {@link TlsServerStream.secured}. */
export interface TlsEvents {
  /** The chunk is the listener's to keep. */
  data(chunk: Uint8Array): void;
  /** The client ends: close_notify, or the end of the connection. */
  end(): void;
  /** All that was written has left. */
  drain(): void;
  /** After {@link TlsServerStream.end}: everything, and the close_notify, has left. */
  finished(): void;
  /** It is broken; nothing comes after it. */
  failed(reason: string): void;
}

/** Application protocols (ALPN, RFC 7301) for a client that insists on one; what it offers has to be among them. */
export const smtpProtocols: readonly string[] = ["smtp", "esmtp"];

/** Alerts (RFC 8446 §6.2) for a handshake that ends before the server has said anything: the library sends none. */
const alerts = { handshakeFailure: 40, noApplicationProtocol: 120 } as const;

/** A fatal alert as a plaintext record (RFC 8446 §5.1). */
function alertRecord(description: number): Uint8Array {
  return Uint8Array.of(21, 3, 3, 0, 2, 2, description);
}

/** Octets kept on each side of the library, beyond which the client is not read. */
const keptBytes = 16 * 1024;

/** The plaintext side of node's TLSSocket. */
function wireStream(wire: Wire): Duplex {
  return new (wireStreamClass())(wire);
}

/** Made when there is a first one: what it extends is loaded then. */
function makeWireStreamClass(): new (wire: Wire) => Duplex {
  return class WireStream extends nodeStream().Duplex {
    readonly #wire: Wire;

    constructor(wire: Wire) {
      super({ allowHalfOpen: true, readableHighWaterMark: keptBytes, writableHighWaterMark: keptBytes });
      this.#wire = wire;
    }

    override _read(): void {
      this.#wire.want(true);
    }

    override _write(chunk: Uint8Array, _encoding: string, sent: () => void): void {
      this.#wire.send(chunk, sent);
    }

    /** The library destroys it when both sides have ended; what waits to leave, its close_notify, is to leave first. */
    override destroy(error?: Error): this {
      if (error || this.destroyed || this.writableLength === 0) return super.destroy(error);
      this.end(() => super.destroy());
      return this;
    }
  };
}

let madeClass: ReturnType<typeof makeWireStreamClass> | undefined;

function wireStreamClass(): ReturnType<typeof makeWireStreamClass> {
  return madeClass ??= makeWireStreamClass();
}

export class TlsServerStream {
  readonly #contexts: TlsContexts;
  readonly #events: TlsEvents;
  readonly #below: Wire;
  readonly #wire: Duplex;
  readonly #tls: tls.TLSSocket;
  readonly #handshake = Promise.withResolvers<Secured>();
  #chosen;
  #alert: number = alerts.handshakeFailure;
  #hasSent = false;
  #isSecured = false;
  #readEnded = false;
  #isWriting = false;
  #isEnding = false;
  #isFinished = false;
  #over = false;

  constructor(contexts: TlsContexts, below: Wire, events: TlsEvents, protocols: readonly string[] = smtpProtocols) {
    this.#contexts = contexts;
    this.#events = events;
    this.#chosen = contexts.default;
    this.#below = below;
    this.#wire = wireStream({
      send: (octets, sent) => {
        this.#hasSent = true;
        below.send(octets, sent);
      },
      want: (more) => below.want(more && !this.#isHeld),
    });
    const options: tls.TLSSocketOptions = {
      isServer: true,
      secureContext: contexts.default.secureContext,
      requestCert: contexts.authorities.length > 0,
      rejectUnauthorized: false,
      SNICallback: (name, answer) => {
        this.#chosen = chooseContext(contexts, name);
        answer(null, this.#chosen.secureContext);
      },
      // HTTP, say, that somebody redirects to a mail server: undefined ends the handshake.
      ALPNCallback: ({ protocols: offered }) => {
        const found = offered.find((protocol) => protocols.includes(protocol));
        if (found === undefined) this.#alert = alerts.noApplicationProtocol;
        return found;
      },
    };
    this.#tls = new (nodeTls().TLSSocket)(this.#wire as never, options);
    this.#tls.on("secure", () => this.#onSecure());
    // A socket that no tls.Server has made says only this way that a record of a session was wrong.
    this.#tls.on("_tlsError", (error: Error) => this.#fail(error.message));
    this.#tls.on("error", (error: Error) => this.#fail(error.message));
    this.#tls.on("close", () => this.#onClose());
    this.#wire.on("error", (error: Error) => this.#fail(error.message));
  }

  /** Rejects, with a reason for the log, where the handshake comes to nothing; then nothing else comes. */
  get secured(): Promise<Secured> {
    return this.#handshake.promise;
  }

  /** Octets written that have not left, encrypted or not yet. */
  get writableLength(): number {
    return this.#tls.writableLength + this.#wire.writableLength;
  }

  /** Takes encrypted octets; the chunk is its own from then on. */
  receive(chunk: Uint8Array): void {
    // What follows a close_notify is none of TLS's, whoever sent it (RFC 8446 §6.1).
    if (this.#over || this.#readEnded || !this.#wire.push(chunk)) this.#below.want(false);
  }

  /** The connection's other end has closed its side. */
  receiveEnd(): void {
    if (!this.#isSecured) this.#fail("the client ended the connection");
    else if (!this.#over) this.#wire.push(null);
  }

  write(octets: Uint8Array): void {
    if (this.#over || this.#isEnding) return;
    this.#isWriting = true;
    this.#tls.write(octets, () => this.checkDrained());
  }

  /** To be called after octets have left, too. */
  checkDrained(): void {
    if (!this.#isWriting || this.#over || this.writableLength > 0) return;
    this.#isWriting = false;
    if (!this.#isEnding) this.#events.drain();
  }

  /** Nothing more comes out, and after the handshake nothing more is taken in: the library would keep any amount of it. */
  pause(): void {
    this.#tls.pause();
    if (this.#isHeld) this.#below.want(false);
  }

  get paused(): boolean {
    return this.#tls.isPaused();
  }

  resume(): void {
    this.#tls.resume();
    if (!this.#over && !this.#readEnded) this.#below.want(true);
  }

  get #isHeld(): boolean {
    return this.#isSecured && this.#tls.isPaused();
  }

  /** Says close_notify once all has left. In a handshake: as {@link destroy}. */
  end(): void {
    if (!this.#isSecured) return this.destroy();
    if (this.#over || this.#isEnding) return;
    this.#isEnding = true;
    this.#tls.end(() => this.#onFlushed());
  }

  /** Ends at once; nothing comes any more. */
  destroy(reason = "ended by the server"): void {
    if (!this.#isSecured) this.#handshake.reject(new Error(reason));
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }

  #release(): void {
    this.#tls.destroy();
    this.#wire.destroy();
  }

  #onSecure(): void {
    if (this.#over) return;
    this.#isSecured = true;
    this.#tls.on("data", (chunk: Uint8Array) => {
      if (!this.#over) this.#events.data(chunk);
    });
    this.#tls.on("end", () => {
      this.#readEnded = true;
      if (!this.#over) this.#events.end();
    });
    if (this.#isHeld) this.#below.want(false);
    this.#handshake.resolve(this.#describe());
  }

  #describe(): Secured {
    const { servername } = this.#tls as { servername?: string | false | null };
    const { authorities } = this.#contexts;
    const shown = authorities.length === 0
      ? undefined
      : this.#tls.getPeerX509Certificate() as X509Certificate | undefined;
    const client = shown !== undefined && isTrusted(shown, authorities, Date.now()) ? shown : undefined;
    return {
      protocol: this.#tls.getProtocol() ?? "unknown",
      cipher: this.#tls.getCipher().name,
      servername: typeof servername === "string" ? utf8Octets(servername) : undefined,
      endPoint: this.#chosen.certificate.endPoint,
      ...(client && { clientSubject: subjectLine(client), clientFingerprint: client.fingerprint256 }),
    };
  }

  #onClose(): void {
    if (this.#isEnding) this.#onFlushed();
    else this.#fail(this.#alert === alerts.noApplicationProtocol ? "no application protocol in common" : "broken off");
  }

  #onFlushed(): void {
    if (this.#over) return;
    // The close_notify has been handed to the wire at the latest now; behind it nothing comes.
    this.#wire.end(() => {
      if (this.#over || this.#isFinished) return;
      this.#isFinished = true;
      this.#events.finished();
    });
  }

  #fail(reason: string): void {
    if (this.#over) return;
    if (this.#isSecured) {
      this.destroy(reason);
      this.#events.failed(reason);
    } else if (this.#hasSent) {
      this.destroy(reason);
    } else {
      this.#over = true;
      this.#release();
      this.#below.send(alertRecord(this.#alert), () => this.destroy(reason));
    }
  }
}
