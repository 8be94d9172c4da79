/** The lines of a control file that is a list. @module */

/** As qmail reads them: blanks at the end of a line go, empty lines and those that begin with `#` count for nothing. */
export function listLines(text: string): string[] {
  return text.split("\n").map(withoutTrailingBlanks).filter((line) => line !== "" && !line.startsWith("#"));
}

function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && " \t\r".includes(line[end - 1]!)) end--;
  return line.slice(0, end);
}
