/**
 * `@std/path` on a machine that cannot reach JSR: the functions this project uses, with the documented behaviour. POSIX
 * only, like this project. Not node's: node:path and node:url are 1 MiB in every process.
 * @module
 */

/** Whether `path` begins at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** Without empty parts, `.` and what `..` takes back. A slash at the end stays; the empty path is `.`. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute(path)) parts.push(part);
  }
  const end = path.endsWith("/") && parts.length > 0 ? "/" : "";
  const root = isAbsolute(path) ? "/" : "";
  const plain = `${root}${parts.join("/")}${end}`;
  if (plain !== "") return plain;
  return path.endsWith("/") ? "./" : ".";
}

/** The parts one after the other, normalized. */
export function join(...parts: readonly string[]): string {
  return normalize(parts.filter((part) => part !== "").join("/"));
}

/** The absolute path that one gets to by following the parts from the working directory; without a slash at the end. */
export function resolve(...parts: readonly string[]): string {
  let path = "";
  for (const part of parts) {
    if (isAbsolute(part)) path = part;
    else if (part !== "") path = path === "" ? part : `${path}/${part}`;
  }
  return withoutEnd(normalize(isAbsolute(path) ? path : `${Deno.cwd()}/${path}`));
}

/** The way from one path to another; "" where they are the same. */
export function relative(from: string, to: string): string {
  if (from === to) return "";
  const [here, there] = [resolve(from), resolve(to)].map((path) => path.split("/").filter((part) => part !== ""));
  const differs = here!.findIndex((part, at) => part !== there![at]);
  const common = differs === -1 ? here!.length : differs;
  return [...here!.slice(common).map(() => ".."), ...there!.slice(common)].join("/");
}

/** All but the last part; "." where there is no other, "/" above and at the root. */
export function dirname(path: string): string {
  const trimmed = withoutEnd(path);
  const slash = trimmed.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : withoutEnd(trimmed.slice(0, slash));
}

/** The last part, without `suffix` where more than that is left. */
export function basename(path: string, suffix = ""): string {
  const trimmed = withoutEnd(path);
  const last = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== "" && last !== suffix && last.endsWith(suffix) ? last.slice(0, -suffix.length) : last;
}

/** The path of a `file:` URL. Throws for another one. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") throw new TypeError(`expected a file: URL, got ${protocol}`);
  // What stands for a slash inside a name cannot be one in a path.
  if (/%2f/i.test(pathname)) throw new TypeError("a file: URL has no encoded slashes");
  return decodeURIComponent(pathname);
}

/** The `file:` URL of a path, made absolute. */
export function toFileUrl(path: string): URL {
  const escaped = resolve(path).replaceAll("%", "%25").replaceAll("\\", "%5C").replaceAll("\n", "%0A")
    .replaceAll("\r", "%0D").replaceAll("\t", "%09").replaceAll("?", "%3F").replaceAll("#", "%23");
  return new URL(`file://${escaped}${path.length > 1 && path.endsWith("/") ? "/" : ""}`);
}

/** Without slashes at the end, but for the root's. */
function withoutEnd(path: string): string {
  return path.length > 1 ? path.replace(/(?!^)\/+$/, "") : path;
}
