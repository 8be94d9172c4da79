/** A temporary folder that goes away with its scope: `using dir = tempDir();`. */
export interface TempDir extends Disposable {
  readonly path: string;
}

export function tempDir(): TempDir {
  const path = Deno.makeTempDirSync({ prefix: "dq" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
