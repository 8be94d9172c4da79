/**
 * Words of unit files (systemd.syntax(7), systemd.service(5)).
 * @module
 */

/** One word of a list of paths or of a command line, whatever it holds. Throws for a line end, which no unit may hold. */
export function unitWord(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new Error(`a unit cannot hold ${JSON.stringify(text)}`);
  const literal = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_@%+=:,./${}-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, "\\$&")}"`;
}

/** As {@link unitWord} where systemd looks for no variables: everywhere but in command lines. */
export function pathWord(path: string): string {
  return unitWord(path).replaceAll("$$", "$");
}
