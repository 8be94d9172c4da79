/**
 * Splits a PEM file (RFC 7468) into its blocks, by lines. What stands between them is explanation and is passed over, as
 * OpenSSL does.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, ... */
  readonly label: string;
  /** With its first and last line. */
  readonly text: string;
}

const begin = "-----BEGIN ";
const dashes = "-----";

/**
 * The blocks in the order of the file. The error says what is wrong, and holds nothing of the file but a label: it may be
 * a private key.
 */
export function parsePem(text: string): Result<readonly PemBlock[], string> {
  const blocks: PemBlock[] = [];
  let open: { label: string; lines: string[] } | undefined;
  for (const line of text.split("\n").map((line) => line.trimEnd())) {
    const isBegin = line.startsWith(begin) && line.endsWith(dashes);
    if (open === undefined) {
      if (isBegin) open = { label: line.slice(begin.length, -dashes.length), lines: [line] };
      continue;
    }
    if (isBegin) return err(`expected the end of a ${open.label} block, got another beginning`);
    open.lines.push(line);
    if (line !== `-----END ${open.label}-----`) continue;
    blocks.push({ label: open.label, text: open.lines.join("\n") + "\n" });
    open = undefined;
  }
  return open === undefined ? ok(blocks) : err(`expected the end of a ${open.label} block, got the end of the file`);
}
