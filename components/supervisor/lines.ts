/**
 * A child's output, line by line. A line longer than a limit is cut: a component gone mad must not fill our memory.
 * @module
 */
const longestLine = 16_384;

/** Calls `onLine` for each line of `stream`; settles at its end. */
export async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let held = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    held += text;
    for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
      onLine(held.slice(0, Math.min(end, longestLine)));
      held = held.slice(end + 1);
    }
    if (held.length > longestLine) {
      onLine(held.slice(0, longestLine));
      held = "";
    }
  }
  if (held !== "") onLine(held);
}
