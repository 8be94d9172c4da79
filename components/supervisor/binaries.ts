/**
 * Programs as binaries with a grant inside (`deno task compile`): which of them stand for a command. A binary is used as
 * long as what is baked into it is, word for word, what the control files ask for; after a change deno runs the program
 * again, with the grant of now.
 * @module
 */

/** A binary's absolute path by {@link bakedKey}. */
export type Binaries = ReadonlyMap<string, string>;

/** The file beside the binaries that says what is baked into them. */
export const binariesFile = "BINARIES";

/** What is baked into a binary: the program, by its source below components/, deno's flags and the first arguments. */
export function bakedKey(main: string, flags: readonly string[], args: readonly string[]): string {
  return JSON.stringify([main, flags, args]);
}

/** The text of {@link binariesFile}: keys, and paths below the folder of the binaries. */
export function formatBinaries(binaries: Binaries): string {
  return `${JSON.stringify(Object.fromEntries(binaries), undefined, 2)}\n`;
}

/** What {@link formatBinaries} wrote, for binaries in the folder `dir`. Throws for any other text. */
export function parseBinaries(text: string, dir: string): Binaries {
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return new Map(entries.map(([key, path]) => {
    if (typeof path !== "string") throw new Error(`${dir}/${binariesFile} is not what "deno task compile" writes`);
    return [key, `${dir}/${path}`];
  }));
}
