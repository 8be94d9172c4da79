/**
 * A connection to a scanner, for one message: it ends with the message's signal, so that no scanner can hold anybody up
 * for longer than the filter's time.
 * @module
 */
import { formatScannerAddress, type ScannerAddress } from "./address.ts";
import { ScannerError } from "./failure.ts";

export class ScannerConnection implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #signal: AbortSignal;
  readonly #where: string;
  readonly #buffer = new Uint8Array(64 * 1024);
  #isClosed = false;

  constructor(conn: Deno.Conn, where: string, signal: AbortSignal) {
    this.#conn = conn;
    this.#where = where;
    this.#signal = signal;
    // A hanging read or write ends by it.
    signal.addEventListener("abort", this.#close, { once: true });
    if (signal.aborted) this.#close();
  }

  /** Writes all of it. Throws {@link ScannerError}. */
  async write(octets: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < octets.length;) at += await this.#conn.write(octets.subarray(at));
    } catch (error) {
      throw this.#failure("cannot write to", error);
    }
  }

  /** The next octets, valid until the next read; undefined at the end. Throws {@link ScannerError}. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      const length = await this.#conn.read(this.#buffer);
      return length === null ? undefined : this.#buffer.subarray(0, length);
    } catch (error) {
      throw this.#failure("cannot read from", error);
    }
  }

  #failure(what: string, error: unknown): ScannerError {
    const why = this.#signal.aborted ? "the time is over" : error instanceof Error ? error.message : String(error);
    return new ScannerError(`${what} ${this.#where}: ${why}`);
  }

  readonly #close = (): void => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#conn.close();
    } catch {
      // The other end was faster.
    }
  };

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#close);
    this.#close();
  }
}

/** Throws {@link ScannerError}, also when `signal` was faster. */
export async function connectToScanner(address: ScannerAddress, signal: AbortSignal): Promise<ScannerConnection> {
  const where = formatScannerAddress(address);
  const connecting: Promise<Deno.Conn> = address.kind === "unix"
    ? Deno.connect({ transport: "unix", path: address.path })
    : Deno.connect({ hostname: address.host, port: address.port });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new Error("the time is over"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return new ScannerConnection(await Promise.race([connecting, aborted]), where, signal);
  } catch (error) {
    // Connecting cannot be called off: what comes of it later is closed.
    connecting.then((conn) => conn.close(), () => {});
    throw new ScannerError(`cannot connect to ${where}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
