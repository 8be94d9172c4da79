/**
 * Octets from outside on their way into a bounce: no control octet and no endless line of theirs may get in, for a bare CR
 * or a NUL in a message is refused by others, and a line of more than 998 octets breaks on its way (RFC 5322 §2.1.1).
 * @module
 */

/** Octets of a line, LF not counted: the 1000 of RFC 5321 §4.5.3.1.6 count CRLF. */
export const longestLine = 998;

/** Every control octet but TAB and LF as "?". */
export function maskControls(octets: string): string {
  // deno-lint-ignore no-control-regex
  return octets.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "?");
}

/** One line as printable ASCII: everything else is "?", a TAB a blank; at most `longest` octets. */
export function asciiLine(octets: string, longest = 900): string {
  return octets.slice(0, longest).replaceAll("\t", " ").replace(/[^\x20-\x7e]/g, "?");
}

/** Whether an octet over 0x7f is among them. */
export function isEightBit(octets: string): boolean {
  return /[\x80-\xff]/.test(octets);
}

/** Breaks lines of more than 998 octets, not within a character of UTF-8. */
export function breakLines(text: string): string {
  return text.split("\n").map(breakLine).join("\n");
}

function breakLine(line: string): string {
  const pieces: string[] = [];
  let from = 0;
  while (line.length - from > longestLine) {
    let to = from + longestLine;
    while (to > from + longestLine - 4 && isContinuation(line.charCodeAt(to))) to--;
    pieces.push(line.slice(from, to));
    from = to;
  }
  return [...pieces, line.slice(from)].join("\n");
}

function isContinuation(octet: number): boolean {
  return octet >= 0x80 && octet < 0xc0;
}
