/**
 * Which tokens of a field are addresses (qmail's reading of RFC 822 §6): recognised from right to left, for only the
 * angle bracket at its end tells that words were a name. Forgiving about missing commas; groups, not nested; routes stay
 * in the address, for whoever rewrites it.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { comma, type Token } from "./token.ts";

/** Makes of one address another; gets those of a list last first. An empty one is `<>`. */
export type Rewrite = (address: readonly Token[]) => readonly Token[];

/**
 * Addresses of a list at the most, and tokens: they are held in memory. More than the queue takes for one message (see
 * components/lib/queue/caller_envelope.ts).
 */
export const mostAddresses = 131_072;
const mostTokens = 1_048_576;

/** Not an address list, or one of more than {@link mostAddresses}. */
export type ListError = "syntax" | "too many";

/**
 * The list with each address rewritten, and commas where they were missing. Whatever the error, `rewrite` has
 * been given the addresses to the right of what is wrong.
 *
 * @example
 * ```ts
 * import { rewriteAddressList } from "./address_list.ts";
 * import { tokenize } from "./token.ts";
 * let count = 0;
 * rewriteAddressList(tokenize("a b, C D <e>") ?? [], (address) => (count++, address)); // count is 3
 * ```
 */
export function rewriteAddressList(tokens: readonly Token[], rewrite: Rewrite): Result<Token[], ListError> {
  if (tokens.length > mostTokens) return err("too many");
  const list = new ListReader(rewrite);
  for (let index = tokens.length - 1; index >= 0;) {
    const next = list.take(tokens, index);
    if (next === undefined) return err("syntax");
    if (list.count > mostAddresses) return err("too many");
    index = next;
  }
  return list.end();
}

/** Unlike a name, an address has no blanks. */
function unspaced(token: Token): Token {
  return "spaced" in token ? { kind: token.kind, text: token.text } : token;
}

/** All its sequences run from right to left. */
class ListReader {
  readonly #rewrite: Rewrite;
  readonly #out: Token[] = [];
  /** The address at hand, outside of angle brackets. */
  #address: Token[] = [];
  /** Comments to the left of it, whose place is known when its next token is. */
  #comments: Token[] = [];
  /** Whether a word here goes on with the address at hand: true after "@" and ".". */
  #wantsWord = true;
  /** Whether an address stands to the right without a comma. */
  #needsComma = false;
  #inGroup = false;
  #count = 0;

  constructor(rewrite: Rewrite) {
    this.#rewrite = rewrite;
  }

  /** Addresses so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes the token at `index`, and others that belong to it; answers the index of the next, undefined for an error. */
  take(tokens: readonly Token[], index: number): number | undefined {
    const token = tokens[index]!;
    switch (token.kind) {
      case "atom":
      case "quote":
      case "literal":
        if (!this.#wantsWord) this.#separate();
        this.#extend(token);
        this.#wantsWord = false;
        return index - 1;
      case "@":
      case ".":
        this.#extend(token);
        this.#wantsWord = true;
        return index - 1;
      case "comment":
        (this.#address.length > 0 ? this.#comments : this.#out).push(token);
        return index - 1;
      case ",":
        this.#finish();
        this.#out.push(token);
        this.#needsComma = false;
        this.#wantsWord = true;
        return index - 1;
      case ";":
        if (this.#inGroup) return undefined;
        this.#separate();
        this.#out.push(token);
        this.#inGroup = true;
        this.#wantsWord = true;
        return index - 1;
      case ":":
        this.#finish();
        if (!this.#inGroup) return undefined;
        this.#inGroup = false;
        this.#needsComma = true;
        this.#out.push(token);
        return this.#takePhrase(tokens, index - 1);
      case ">":
        this.#separate();
        return this.#takeAngle(tokens, index);
      case "<":
        return undefined;
    }
  }

  end(): Result<Token[], ListError> {
    this.#finish();
    if (this.#count > mostAddresses) return err("too many");
    return this.#inGroup ? err("syntax") : ok(this.#out.reverse());
  }

  /** `<…>` and the name in front of it. */
  #takeAngle(tokens: readonly Token[], end: number): number | undefined {
    this.#out.push(tokens[end]!);
    const address: Token[] = [];
    let index = end - 1;
    for (; index >= 0 && tokens[index]!.kind !== "<"; index--) {
      const token = tokens[index]!;
      if (token.kind === ">") return undefined;
      if (token.kind === "comment") this.#out.push(token);
      else address.push(unspaced(token));
    }
    if (index < 0) return undefined;
    this.#emit(address);
    this.#out.push(tokens[index]!);
    this.#wantsWord = false;
    this.#needsComma = true;
    return this.#takePhrase(tokens, index - 1);
  }

  /** A name, which ends at anything that cannot be in one. */
  #takePhrase(tokens: readonly Token[], from: number): number {
    let index = from;
    for (; index >= 0; index--) {
      const token = tokens[index]!;
      // Names with dots and "@" are not what the RFC has, and common.
      if (!["atom", "quote", "comment", ".", "@"].includes(token.kind)) break;
      this.#out.push(token);
    }
    return index;
  }

  #extend(token: Token): void {
    if (this.#address.length === 0 && this.#needsComma) this.#separate();
    this.#takeComments();
    this.#address.push(unspaced(token));
  }

  /** Ends the address at hand, where there is one. */
  #finish(): void {
    if (this.#address.length > 0) {
      this.#emit(this.#address);
      this.#address = [];
      this.#needsComma = true;
    }
    this.#takeComments();
  }

  #separate(): void {
    this.#finish();
    if (this.#needsComma) this.#out.push(comma);
    this.#needsComma = false;
  }

  #takeComments(): void {
    for (const comment of this.#comments) this.#out.push(comment);
    if (this.#comments.length > 0) this.#comments = [];
  }

  #emit(address: Token[]): void {
    this.#count++;
    const rewritten = this.#rewrite(address.reverse());
    for (let index = rewritten.length - 1; index >= 0; index--) this.#out.push(rewritten[index]!);
  }
}
