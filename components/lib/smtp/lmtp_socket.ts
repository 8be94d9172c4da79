/**
 * How a control file names an LMTP server: `lmtp:` and the path of its Unix socket. Such a path becomes part of a grant,
 * so it has to be plain: nothing in it may mean two things to two readers.
 * @module
 */
import { isPlainPath } from "../disk/plain_path.ts";
import { err, ok, type Result } from "../result.ts";

const word = "lmtp:";
/** Linux keeps a socket's path in 108 octets, the last of them NUL. */
const longestSocketPath = 107;

/** What an error says was expected. */
export const expectedLmtpSocket = "lmtp:/absolute/path/of/socket as the only line";

/**
 * The socket's path; undefined where the text does not speak of LMTP at all (no line begins with `lmtp:`). The path is
 * absolute and plain: no `//`, `.` or `..`, no end in `/`, of the letters, digits and marks that need no quoting. An error
 * is {@link expectedLmtpSocket}.
 *
 * @example
 * ```ts
 * import { parseLmtpSocket } from "./lmtp_socket.ts";
 * parseLmtpSocket("lmtp:/run/dovecot/lmtp\n"); // { ok: true, value: "/run/dovecot/lmtp" }
 * parseLmtpSocket("./Maildir/\n"); // { ok: true, value: undefined }
 * parseLmtpSocket("lmtp:dovecot\n"); // { ok: false, error: "lmtp:/absolute/path/of/socket as the only line" }
 * ```
 */
export function parseLmtpSocket(text: string): Result<string | undefined, string> {
  const lines = text.split("\n").map((line) => line.replace(/[ \t\r]{1,1000}$/, ""));
  if (!lines.some((line) => line.startsWith(word))) return ok(undefined);
  const path = lines[0]!.slice(word.length);
  const isAlone = lines[0]!.startsWith(word) && lines.slice(1).every((line) => line === "");
  const isSocketPath = path.length <= longestSocketPath && isPlainPath(path);
  return isAlone && isSocketPath ? ok(path) : err(expectedLmtpSocket);
}
