/**
 * A Maildir's messages, the oldest first.
 * @module
 */

export interface MaildirFile {
  readonly path: string;
  readonly mtimeSeconds: number;
}

/** Names that begin with a dot are no messages; what is younger than `nowSeconds` waits for the next time (its order). */
export function listMaildir(maildir: string, folders: readonly ("new" | "cur")[], nowSeconds: number): MaildirFile[] {
  const files = folders.flatMap((folder) => filesIn(`${maildir}/${folder}`));
  return files.filter(({ mtimeSeconds }) => mtimeSeconds < nowSeconds).sort((a, b) =>
    a.mtimeSeconds - b.mtimeSeconds || (a.path < b.path ? -1 : 1)
  );
}

function filesIn(dir: string): MaildirFile[] {
  const names = Array.from(Deno.readDirSync(dir), ({ name }) => name).filter((name) => !name.startsWith("."));
  return names.map((name) => {
    const path = `${dir}/${name}`;
    return { path, mtimeSeconds: Math.floor((Deno.statSync(path).mtime?.getTime() ?? 0) / 1000) };
  });
}
