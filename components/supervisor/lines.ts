/**
 * A child's output, line by line. A line longer than a limit is cut: a component gone mad must not fill our memory.
 * @module
 */
const longestLine = 16_384;

/** Calls `onLine` for each line of `stream`, with its beginning when it is too long; settles at the stream's end. */
export async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let held = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    held += text;
    for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
      onLine(held.slice(0, Math.min(end, longestLine)));
      held = held.slice(end + 1);
    }
    // What is beyond the limit is no line of its own, so the beginning stays until its end comes.
    held = held.slice(0, longestLine);
  }
  if (held !== "") onLine(held);
}
