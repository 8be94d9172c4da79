/**
 * A line on the terminal about work that takes long; nothing where standard error is no terminal.
 * @module
 */

const encoder = new TextEncoder();

/** Says how it stands, on the line that is there already; "" takes it away. */
export function showProgress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${inOneLine(text)}`));
}

/** A longer one would wrap, and its beginning could not be taken away. */
function inOneLine(text: string): string {
  try {
    return text.slice(0, Math.max(0, Deno.consoleSize().columns - 1));
  } catch {
    // Standard output is no terminal: its width is not known.
    return text.slice(0, 79);
  }
}

/** Shows `text` while `work` is done. */
export async function whileShown<T>(text: string, work: () => Promise<T>): Promise<T> {
  showProgress(text);
  try {
    return await work();
  } finally {
    showProgress("");
  }
}
