/**
 * The two written forms of tokens: a header field, folded as qmail folds it, and an address as the queue keeps it.
 * @module
 */
import type { Token, Word } from "./token.ts";

/** Columns of a line, its comma included, beyond which the next address begins another (qmail's number). */
const lineLength = 80;

function isWord(token: Token): token is Word {
  return token.kind.length > 1;
}

/** Whether a blank has to stand between two tokens, or looks right there. */
function wantsBlank(before: Token, after: Token): boolean {
  if (before.kind === "," || before.kind === ":" || after.kind === "<") return true;
  return isWord(after) && (isWord(before) || ((before.kind === "." || before.kind === "@") && after.spaced === true));
}

/** No octet of a word can end the line, whoever made it. */
function harmless(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\r\n\x00]/g, " ");
}

function formatToken(token: Token): string {
  switch (token.kind) {
    case "atom":
      return harmless(token.text);
    case "quote":
      return `"${harmless(token.text).replace(/["\\]/g, "\\$&")}"`;
    case "literal":
      return `[${harmless(token.text).replace(/[[\]\\]/g, "\\$&")}]`;
    case "comment":
      return `(${harmless(token.text)})`;
    default:
      return token.kind;
  }
}

/** Text between commas, each with the comma that ends it. */
function segmentsOf(tokens: readonly Token[]): string[] {
  const segments: string[] = [];
  let parts: string[] = [];
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    if (before !== undefined && before.kind !== "," && wantsBlank(before, token)) parts.push(" ");
    parts.push(formatToken(token));
    if (token.kind !== ",") return;
    segments.push(parts.join(""));
    parts = [];
  });
  if (parts.length > 0) segments.push(parts.join(""));
  return segments;
}

/**
 * The whole field with its line end: `name`, a colon and the tokens; folded after commas with LF and two blanks.
 *
 * @example
 * ```ts
 * import { formatAddressField } from "./format_tokens.ts";
 * import { tokenize } from "./token.ts";
 * formatAddressField("To", tokenize("a @ b,c@d") ?? []); // "To: a@b, c@d\n"
 * ```
 */
export function formatAddressField(name: string, tokens: readonly Token[]): string {
  const lines: string[] = [];
  let line = `${name}:`;
  segmentsOf(tokens).forEach((segment, index) => {
    if (index === 0 || line.length + 1 + segment.length <= lineLength) line += ` ${segment}`;
    else {
      lines.push(line);
      line = `  ${segment}`;
    }
  });
  lines.push(line, "");
  return lines.join("\n");
}

/** Tokens as they stand in a field, on one line. */
export function formatTokens(tokens: readonly Token[]): string {
  return segmentsOf(tokens).join(" ");
}

/**
 * The address as an envelope has it: no quotes, no escapes, no comments; words that nothing separates keep a blank, so
 * that they are not taken for another word.
 */
export function formatEnvelopeAddress(tokens: readonly Token[]): string {
  const address = tokens.filter((token) => token.kind !== "comment");
  return address.map((token, index) => {
    const before = address[index - 1];
    const blank = before !== undefined && isWord(before) && isWord(token) ? " " : "";
    if (!isWord(token)) return token.kind;
    return blank + (token.kind === "literal" ? `[${token.text}]` : token.text);
  }).join("");
}
