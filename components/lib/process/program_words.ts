/**
 * What the scripts around other people's programs have in common with those that start them: how a word carries any
 * octets, and the code that says that a program was ended.
 * @module
 */

/** One word for a script: what is not printable, and every backslash, becomes `\0` and three octal digits. */
export function escapeWord(octets: string): string {
  return octets.replace(/[^\x20-\x5b\x5d-\x7e]/g, (octet) => `\\0${octet.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** One word in the text of a /bin/sh script. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Code of a script for a program that was ended. */
export const endedCode = 124;
