/**
 * POP3 commands (RFC 1939, RFC 2449, RFC 2595, RFC 5034), one line each, as values. Verbs in any case; numbers as qmail
 * reads them, whole or not at all.
 * @module
 */

/** Octets of a line with its line end. RFC 2449 §4 has 255; logins and passwords of that length each have to fit. */
export const longestCommand = 1024;

export type AuthorizationVerb = "USER" | "PASS" | "APOP" | "STLS" | "AUTH";

/** `message` counts from 1, and may be larger than any number of messages. */
export type Command =
  | { readonly verb: "STAT" | "NOOP" | "RSET" | "LAST" | "QUIT" | "CAPA" }
  | { readonly verb: "LIST" | "UIDL"; readonly message: number | undefined }
  | { readonly verb: "RETR" | "DELE"; readonly message: number }
  | { readonly verb: "TOP"; readonly message: number; readonly lines: number | undefined }
  /** The text behind the verb, as it came: blanks are a password's own. */
  | { readonly verb: AuthorizationVerb; readonly text: string }
  | { readonly verb: "syntax error" }
  | { readonly verb: "unknown" };

const syntaxError: Command = { verb: "syntax error" };

/** Reads a line without its line end, an octet string. */
export function parseCommand(line: string): Command {
  const space = line.indexOf(" ");
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const text = space < 0 ? "" : line.slice(space + 1);
  switch (verb) {
    case "STAT":
    case "NOOP":
    case "RSET":
    case "LAST":
    case "QUIT":
    case "CAPA":
      return { verb };
    case "LIST":
    case "UIDL": {
      const [message, ...others] = numbers(text);
      if (isWrong(message) || others.length > 0) return syntaxError;
      return { verb, message };
    }
    case "RETR":
    case "DELE": {
      const [message, ...others] = numbers(text);
      if (message === undefined || isWrong(message) || others.length > 0) return syntaxError;
      return { verb, message };
    }
    case "TOP": {
      const [message, lines, ...others] = numbers(text);
      if (message === undefined || isWrong(message) || isWrong(lines) || others.length > 0) return syntaxError;
      return { verb, message, lines };
    }
    case "USER":
    case "PASS":
    case "APOP":
    case "STLS":
    case "AUTH":
      return { verb, text };
    default:
      return { verb: "unknown" };
  }
}

/** The numbers of an argument; NaN for what is none. */
function numbers(text: string): number[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.map((word) => /^[0-9]+$/.test(word) ? Number(word) : NaN);
}

function isWrong(number: number | undefined): boolean {
  return number !== undefined && Number.isNaN(number);
}
