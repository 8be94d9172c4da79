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
  return eachLines(stream, (text) => text.slice(0, -1).split("\n").forEach((line) => onLine(line)));
}

/** {@link eachLine}, with the text of all lines that came at once, each with its line end. */
export async function eachLines(
  stream: ReadableStream<Uint8Array>,
  onLines: (text: string) => void,
  { restMs = 0 }: LineOptions = {},
): Promise<void> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const octets of stream) {
    const text = held + decoder.decode(octets, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    // What is beyond the limit is no line of its own, so the beginning stays until its end comes.
    held = text.slice(end, end + longestLine);
    if (end > 0) onLines(cutLines(text.slice(0, end)));
    if (restMs > 0 && octets.length < muchOctets) await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  if (held !== "") onLines(`${held}\n`);
}

/** Not line by line where none is too long: of bulk mail there are tens of thousands a second. */
function cutLines(text: string): string {
  for (let at = 0; at < text.length;) {
    const end = text.lastIndexOf("\n", at + longestLine);
    if (end < at) return text.split("\n").map((line) => line.slice(0, longestLine)).join("\n");
    at = end + 1;
  }
  return text;
}
