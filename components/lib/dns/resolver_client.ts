/**
 * Asks the resolver. All trouble on the way to it is the answer `temporary`: whoever needs DNS must be able to defer.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { Client, ConnectionLost } from "../wire/client.ts";
import { parseResolveReply, type RecordType, type ResolveReply } from "../wire/resolver_protocol.ts";
import { ProtocolError } from "../wire/server.ts";
import { isQueryName } from "./name.ts";

export interface ResolverClientOptions {
  /** When an answer that has not come is `temporary`. The default, 15 s, is longer than the resolver itself ever takes. */
  readonly timeoutMs?: number;
}

const temporary: ResolveReply = { status: "temporary", authenticated: false, records: [] };
const nxdomain: ResolveReply = { status: "nxdomain", authenticated: false, records: [] };
const defaultTimeoutMs = 15_000;

/** One connection to the socket `resolver`, made when first needed and made again after a restart. */
export class ResolverClient {
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor(home: Home, options: ResolverClientOptions = {}) {
    this.#client = new Client(home.socket("resolver"));
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  }

  /**
   * The records of `name` (any case, with or without a final dot). A name that cannot be in the DNS (an empty label, one
   * of 64 characters, a control character) does not exist: `nxdomain`, without a question.
   */
  async resolve(name: string, type: RecordType): Promise<ResolveReply> {
    const wanted = name.endsWith(".") ? name.slice(0, -1) : name;
    if (!isQueryName(wanted)) return nxdomain;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<ResolveReply>((resolve) => {
      timer = setTimeout(() => resolve(temporary), this.#timeoutMs);
    });
    try {
      return await Promise.race([this.#ask(wanted.toLowerCase(), type), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(name: string, type: RecordType): Promise<ResolveReply> {
    try {
      return parseResolveReply(await this.#client.request({ op: "resolve", name, type }));
    } catch (error) {
      if (error instanceof ConnectionLost || error instanceof ProtocolError) return temporary;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }
}
