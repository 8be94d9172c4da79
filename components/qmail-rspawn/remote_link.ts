/**
 * The connection to qmail-remote: made when first needed, and again, with back-off, after qmail-remote was restarted.
 * @module
 */
import { DeliveryLink } from "../lib/delivery/link.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { tellNeed } from "../lib/wire/needs.ts";
import { Pipe } from "../lib/wire/pipe.ts";

// A start takes a fraction of a second; who waits longer than this had better be deferred than hold a delivery slot.
const patienceMs = 10_000;
const firstRetryMs = 5;
const lastRetryMs = 250;

export class RemoteLink {
  readonly #path: string;
  #link: DeliveryLink | undefined;
  #connecting: Promise<DeliveryLink | undefined> | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** The open link; `undefined` when qmail-remote cannot be reached. */
  get(): Promise<DeliveryLink | undefined> {
    if (this.#link !== undefined && !this.#link.closed) return Promise.resolve(this.#link);
    this.#connecting ??= this.#dial().finally(() => this.#connecting = undefined);
    return this.#connecting;
  }

  close(): void {
    this.#closed = true;
    this.#link?.close();
  }

  async #dial(): Promise<DeliveryLink | undefined> {
    const end = Date.now() + patienceMs;
    for (let waitMs = firstRetryMs; !this.#closed; waitMs = Math.min(waitMs * 2, lastRetryMs)) {
      try {
        const pipe = new Pipe(await Deno.connect({ transport: "unix", path: this.#path }));
        const link = new DeliveryLink(pipe, (error) => {
          logEvent("garbage", { socket: "qmail-remote", reason: describeError(error) });
        });
        this.#link = link;
        return link;
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error;
        if (waitMs === firstRetryMs) tellNeed(this.#path);
        if (Date.now() + waitMs > end) {
          logEvent("unreachable", { socket: "qmail-remote", reason: describeError(error) });
          return undefined;
        }
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    return undefined;
  }
}
