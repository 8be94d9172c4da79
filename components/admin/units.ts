/**
 * Figures and grants as a person reads them.
 * @module
 */

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `1.5 KiB`, `48 MiB`: two digits or more. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < byteUnits.length - 1; unit++) value /= 1024;
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${byteUnits[unit]}`;
}

/** The two largest units: `4 s`, `3 min 20 s`, `2 h 0 min`, `5 d 3 h`. */
export function formatDuration(wholeSeconds: number): string {
  const minutes = Math.floor(wholeSeconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${wholeSeconds % 60} s` : `${wholeSeconds} s`;
}

/** `1,234,567`. (Intl would say the same, and is 1 MiB.) */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** One kind of right and what it extends to; no items: to everything. */
export interface Right {
  readonly verb: string;
  readonly items: readonly string[];
}

const verbs: ReadonlyMap<string, string> = new Map([
  ["read", "reads"],
  ["write", "writes"],
  ["net", "network"],
  ["run", "runs"],
  ["sys", "asks the system for"],
]);

const flagPattern = /^--allow-([a-z]{1,20})(?:=([^]*))?$/;

/**
 * `--allow-*` flags as rights. A Unix socket takes three flags (net, read, write); it is listed once, as a socket. Paths
 * below `homeDir` are shown relative to it. What is no such flag is shown as it is.
 */
export function describeGrant(flags: readonly string[], homeDir: string): Right[] {
  const shorten = (path: string) => path.startsWith(`${homeDir}/`) ? path.slice(homeDir.length + 1) : path;
  const parsed = flags.map((flag) => {
    const [, kind = "", values] = flagPattern.exec(flag) ?? [];
    return { flag, kind, verb: verbs.get(kind), items: values?.split(",") };
  });
  const sockets = parsed.flatMap(({ kind, items }) =>
    kind === "net"
      ? items?.filter((item) => item.startsWith("unix:")).map((item) => item.slice("unix:".length)) ?? []
      : []
  );
  const rights: Right[] = [];
  for (const { flag, kind, verb, items } of parsed) {
    if (verb === undefined) rights.push({ verb: "also", items: [flag] });
    else if (items === undefined) rights.push({ verb, items: [] });
    else {
      const isPath = kind === "read" || kind === "write";
      const own = items.filter((item) => isPath ? !sockets.includes(item) : !item.startsWith("unix:"));
      if (own.length > 0) rights.push({ verb, items: own.map(shorten) });
    }
  }
  if (sockets.length > 0) rights.push({ verb: "sockets", items: sockets.map(shorten) });
  return rights;
}
