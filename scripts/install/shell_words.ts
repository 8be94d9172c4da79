/**
 * The words of a shell script's commands, as far as scripts that start services need it: quotes, backslashes, comments,
 * lines that go on. Nothing is expanded: a word with a `$` or a backquote in it keeps that.
 * @module
 */

/** One command, its words without their quotes. */
export type Command = readonly string[];

/** The commands of `text`, split at line ends, `;`, `&` and `|`. Never throws: what is unfinished ends with the text. */
export function shellCommands(text: string): readonly Command[] {
  const commands: string[][] = [];
  let command: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) command.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (command.length > 0) commands.push(command);
    command = [];
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\") {
      const next = text[++at] ?? "";
      if (next !== "\n") word = (word ?? "") + next;
    } else if (char === "'" || char === '"' || char === "`") {
      const end = closing(text, at, char);
      const inner = text.slice(at + 1, end);
      word = (word ?? "") +
        (char === "`" ? `\`${inner}\`` : char === '"' ? inner.replace(/\\(["\\$`])/g, "$1") : inner);
      at = end;
    } else if (char === "#" && word === undefined) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end - 1;
    } else if (char === " " || char === "\t" || char === "\r") endWord();
    else if (char === "\n" || char === ";" || char === "&" || char === "|") endCommand();
    else word = (word ?? "") + char;
  }
  endCommand();
  return commands;
}

/** Where the quote that opens at `start` closes; the text's end where it does not. */
function closing(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\" && quote !== "'") at++;
    else if (text[at] === quote) return at;
  }
  return text.length;
}

/** Whether the shell would have put something else in the word's place. */
export function isLiteral(word: string): boolean {
  return !/[$`]/.test(word);
}
