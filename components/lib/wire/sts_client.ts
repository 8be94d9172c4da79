/**
 * Asks mta-sts. It never rejects. An answer counts for a minute without a new question. A policy that was heard of counts
 * for as long as it is valid, while mta-sts is away, and after a restart in which it has forgotten that one: whoever can
 * bring about its death and keep it from the policy's host takes no policy back.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { policyStrings } from "../sts/policy_text.ts";
import type { TlsFlaw } from "../tls/client_policy.ts";
import { Client } from "./client.ts";
import { mayCall } from "./may_call.ts";
import { parseStsReply, type StsReply } from "./sts_protocol.ts";

export type StsAnswer =
  | { readonly kind: "none"; readonly flaw?: TlsFlaw }
  /** `strings`: its lines, as a report has them (RFC 8460 §4.4). */
  | {
    readonly kind: "policy";
    readonly mode: "enforce" | "testing";
    readonly mx: readonly string[];
    readonly strings: readonly string[];
  }
  /** For who cannot say now; mta-sts itself always can: without a policy mail goes as if there were none (RFC 8461 §3.3). */
  | { readonly kind: "temporary" };

export interface StsClientOptions {
  /** When an answer that has not come is none; default 15 s, longer than mta-sts itself ever takes. */
  readonly timeoutMs?: number;
  readonly nowMs?: () => number;
}

interface Known {
  readonly answer: StsAnswer;
  readonly askedMs: number;
  /** When it is no policy any more. */
  readonly endMs: number;
}

const none: StsAnswer = { kind: "none" };
const defaultTimeoutMs = 15_000;
/** It may have to be started first; far below what one question may take. */
const connectMs = 5000;
/** A policy may change once in a minute without anybody having to notice at once: they are meant for weeks. */
const freshMs = 60_000;
/** Who was away a moment ago is not waited for again. */
const awayMs = 5000;
/** Some hundred octets each. */
const mostKnown = 5000;

/** One connection to the socket `mta-sts`, made when first needed and made again after a restart. */
export class StsClient {
  readonly #client: Client;
  readonly #isOn: boolean;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  /** In the order in which they were asked for. */
  readonly #known = new Map<string, Known>();
  #askAgainMs = 0;

  constructor(
    home: Home,
    { timeoutMs = defaultTimeoutMs, nowMs = () => performance.now() }: StsClientOptions = {},
  ) {
    this.#client = new Client(home.socket("mta-sts"), { connectMs });
    // Who may not connect there runs where control/mtasts is 0.
    this.#isOn = mayCall(home, "mta-sts");
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs;
  }

  /** The policy for mail to `domain` (A-labels). `none`, too, where control/mtasts is 0, or nobody can be asked. */
  policy(domain: string): Promise<StsAnswer> {
    if (!this.#isOn) return Promise.resolve(none);
    const name = domain.toLowerCase();
    const known = this.#known.get(name);
    const nowMs = this.#nowMs();
    if (known !== undefined && nowMs < Math.min(known.askedMs + freshMs, known.endMs)) {
      return Promise.resolve(known.answer);
    }
    return nowMs < this.#askAgainMs ? Promise.resolve(this.#remembered(name)) : this.#ask(name);
  }

  async #ask(name: string): Promise<StsAnswer> {
    try {
      const reply = await this.#client.requestWithin(this.#timeoutMs, { op: "policy", domain: name });
      return this.#remember(name, parseStsReply(reply));
    } catch {
      this.#askAgainMs = this.#nowMs() + awayMs;
      return this.#remembered(name);
    }
  }

  #remember(name: string, reply: StsReply): StsAnswer {
    const askedMs = this.#nowMs();
    if (reply.kind === "none" && reply.isWithdrawn !== true) {
      const known = this.#known.get(name);
      if (known?.answer.kind === "policy" && askedMs < known.endMs) return this.#put(name, { ...known, askedMs });
    }
    const endMs = askedMs + (reply.kind === "policy" ? reply.leftSeconds * 1000 : freshMs);
    return this.#put(name, { answer: answerOf(reply), askedMs, endMs });
  }

  #put(name: string, known: Known): StsAnswer {
    this.#known.delete(name);
    this.#known.set(name, known);
    if (this.#known.size > mostKnown) this.#known.delete(this.#known.keys().next().value!);
    return known.answer;
  }

  /** What counts where there is no answer. */
  #remembered(name: string): StsAnswer {
    const known = this.#known.get(name);
    return known !== undefined && this.#nowMs() < known.endMs ? known.answer : none;
  }

  close(): void {
    this.#client.close();
  }
}

function answerOf(reply: StsReply): StsAnswer {
  if (reply.kind === "none") return reply.flaw === undefined ? none : { kind: "none", flaw: reply.flaw };
  const { mode, mx } = reply;
  return { kind: "policy", mode, mx, strings: policyStrings(reply) };
}
