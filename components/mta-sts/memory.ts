/**
 * Has policies kept by a process that may write files (sts_memory_protocol.ts), and asks for them at the start: else
 * whoever can stop the DNS and https while this machine starts would have mail sent without them (RFC 8461 §10.2). On each
 * new connection both sides tell what the other may lack, so neither's death loses what the other one has.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { KnownPolicy } from "../lib/sts/cache_rules.ts";
import { Client } from "../lib/wire/client.ts";
import { mayCall } from "../lib/wire/may_call.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import type { Frame } from "../lib/wire/frame.ts";
import { formatKeptPolicy, parseKeptPolicy } from "../lib/wire/sts_memory_protocol.ts";

/** What is remembered here. */
export interface Remembered {
  learn(domain: string, known: KnownPolicy): void;
  known(): Iterable<readonly [string, KnownPolicy]>;
}

/** Between a lost connection and the next. */
const againMs = 500;

export class PolicyMemory {
  readonly #client: Client;
  readonly #remembered: Remembered;
  readonly #ready = Promise.withResolvers<void>();
  /** What the other side has, by when it was fetched, as far as it has told on this connection. */
  #recalled = new Map<string, number>();
  #garbage = 0;
  #isReady = false;
  #isClosed = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #connecting: ReturnType<typeof setTimeout> | undefined;

  /** `waitMs`: how long {@link ready} waits for the other side. */
  constructor(home: Home, remembered: Remembered, waitMs: number) {
    this.#remembered = remembered;
    this.#client = new Client(home.socket("sts-memory"), {
      onOpen: (pipe) => void this.#meet(pipe),
      onClose: () => this.#connectLater(),
      onFrame: (frame) => this.#learn(frame),
      onError: (error) => logEvent("garbage", { socket: "sts-memory", reason: describeError(error) }),
    });
    // Where nobody keeps them there is no such socket in the grant.
    if (!mayCall(home, "sts-memory")) {
      this.#isClosed = true;
      this.#beReady();
      return;
    }
    this.#waiting = setTimeout(() => this.#beReady(), waitMs);
    void this.#client.stayConnected();
  }

  /** Settles once what was kept has been told, or nobody is there to tell it; undefined: that is over. */
  get ready(): Promise<void> | undefined {
    return this.#isReady ? undefined : this.#ready.promise;
  }

  /** Has a policy kept. While nobody is there it waits for the next connection. */
  remember(domain: string, known: KnownPolicy): void {
    this.#client.pipe?.send(formatKeptPolicy({ domain, known }));
  }

  close(): void {
    this.#isClosed = true;
    this.#beReady();
    clearTimeout(this.#connecting);
    this.#client.close();
  }

  async #meet(pipe: Pipe): Promise<void> {
    this.#recalled = new Map();
    this.#garbage = 0;
    try {
      await this.#client.requestOn(pipe, this.#client.newId(), { op: "recall" });
    } catch {
      // It went away meanwhile; there will be another connection.
      return;
    }
    logEvent("sts_recalled", { policies: this.#recalled.size, garbage: this.#garbage });
    this.#beReady();
    for (const [domain, known] of this.#remembered.known()) {
      if (this.#recalled.get(domain) === known.fetchedSeconds) continue;
      pipe.send(formatKeptPolicy({ domain, known }));
      await pipe.drained();
    }
    this.#recalled.clear();
  }

  #learn({ head }: Frame): void {
    try {
      const { domain, known } = parseKeptPolicy(head);
      this.#recalled.set(domain, known.fetchedSeconds);
      this.#remembered.learn(domain, known);
    } catch {
      // What is no policy is none that was kept; how many of them is logged.
      this.#garbage++;
    }
  }

  #connectLater(): void {
    if (this.#isClosed) return;
    this.#connecting = setTimeout(() => void this.#client.stayConnected(), againMs);
  }

  #beReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    clearTimeout(this.#waiting);
    this.#ready.resolve();
  }
}
