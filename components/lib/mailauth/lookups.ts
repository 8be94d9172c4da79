/**
 * The DNS as the npm package mailauth asks it, over the resolver component, with a bound on what one message may cost: a
 * number of questions and a time. Each question is asked once for a message.
 * @module
 */
import { isQueryName } from "../dns/name.ts";
import { assertNever } from "../result.ts";
import { type RecordType, recordTypes, type ResolveReply } from "../wire/resolver_protocol.ts";
import type { LibraryResolver } from "./mailauth.d.ts";

/** Never rejects. */
export type Resolve = (name: string, type: RecordType) => Promise<ResolveReply>;

export interface LookupsOptions {
  readonly resolve: Resolve;
  /** Questions for the whole message. */
  readonly most: number;
  /** After it, every answer is that nobody could say. */
  readonly signal: AbortSignal;
}

/** What mailauth knows of an answer without records: the codes of node:dns. */
class LookupError extends Error {
  constructor(readonly code: "ENOTFOUND" | "ENODATA" | "ETIMEOUT") {
    super(code);
  }
}

/** The message has cost what it may. For SPF that is the record's error, as more than ten terms are (RFC 7208 §4.6.4). */
class TooManyLookups extends Error {
  readonly code = "ETOOMANY";
  readonly spfResult = { error: "permerror", text: "too many DNS lookups" };
}

const nxdomain: ResolveReply = { status: "nxdomain", authenticated: false, records: [] };

/** The questions of one message. */
export class Lookups {
  readonly #options: LookupsOptions;
  readonly #answers = new Map<string, Promise<ResolveReply>>();
  readonly #over: Promise<never>;
  #count = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    // Nobody may be waiting when it happens.
    promise.catch(() => {});
    this.#over = promise;
    const { signal } = options;
    if (signal.aborted) reject(new LookupError("ETIMEOUT"));
    else signal.addEventListener("abort", () => reject(new LookupError("ETIMEOUT")), { once: true });
  }

  /** Questions that were asked so far. */
  get count(): number {
    return this.#count;
  }

  /** A resolver for one of the checks, which may ask `most` questions itself. */
  share(most: number): LibraryResolver {
    let left = most;
    return async (name, type) => {
      const known = recordTypes.find((one) => one === type);
      if (known === undefined) throw new LookupError("ENODATA");
      const key = `${known} ${name.toLowerCase()}`;
      let answer = this.#answers.get(key);
      if (answer === undefined) {
        if (left <= 0 || this.#count >= this.#options.most) throw new TooManyLookups("too many DNS lookups");
        left--;
        answer = this.#ask(name, known);
        this.#answers.set(key, answer);
      }
      return valuesOf(await Promise.race([answer, this.#over]), known);
    };
  }

  #ask(name: string, type: RecordType): Promise<ResolveReply> {
    if (!isQueryName(name)) return Promise.resolve(nxdomain);
    this.#count++;
    return this.#options.resolve(name, type);
  }
}

function valuesOf({ status, records }: ResolveReply, type: RecordType): unknown[] {
  switch (status) {
    case "ok":
      break;
    case "nxdomain":
      throw new LookupError("ENOTFOUND");
    case "nodata":
      throw new LookupError("ENODATA");
    case "temporary":
      throw new LookupError("ETIMEOUT");
    default:
      return assertNever(status);
  }
  switch (type) {
    case "TXT":
      return records.map(({ value }) => [value]);
    case "MX":
      return records.map(({ value, preference = 0 }) => ({ exchange: value, priority: preference }));
    default:
      return records.map(({ value }) => value);
  }
}
