/**
 * A child's output, line by line. A line longer than a limit is cut: a component gone mad must not fill our memory.
 * @module
 */
const longestLine = 16_384;

export interface LineOptions {
  /** Waits so long after each read: many lines come at once then, for the price of few. Not when much came: a pipe holds 64 KiB. */
  readonly restMs?: number;
}

const muchOctets = 16_384;

/** Calls `onLine` for each line of `stream`, with its beginning when it is too long; settles at the stream's end. */
export function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  return eachLines(stream, (lines) => lines.forEach((line) => onLine(line)));
}

/** {@link eachLine}, with all lines that came at once. */
export async function eachLines(
  stream: ReadableStream<Uint8Array>,
  onLines: (lines: readonly string[]) => void,
  { restMs = 0 }: LineOptions = {},
): Promise<void> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const octets of stream) {
    const lines = (held + decoder.decode(octets, { stream: true })).split("\n");
    // What is beyond the limit is no line of its own, so the beginning stays until its end comes.
    held = lines.pop()!.slice(0, longestLine);
    if (lines.length > 0) onLines(lines.map((line) => line.slice(0, longestLine)));
    if (restMs > 0 && octets.length < muchOctets) await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  if (held !== "") onLines([held]);
}
