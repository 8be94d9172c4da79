/**
 * Where a scanner of the operator's listens, as control/rspamd, clamd and milters say it: `address:port`,
 * `[v6]:port`, or `unix:/path`. It becomes part of a grant, so it is an address, no name, and a plain path.
 * @module
 */
import { isAddress, parseEndpoint } from "../../../config/values.ts";
import { isPlainPath } from "../disk/plain_path.ts";
import { type Grant, netAddress } from "../permissions/grant.ts";

/** `host` is an address without brackets. */
export type ScannerAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What an error says was expected. */
export const expectedAddress = "address:port or unix:/absolute/path";

/** Linux keeps a socket's path in 108 octets, the last of them NUL. */
const longestSocketPath = 107;

/**
 * Undefined for what is neither.
 *
 * @example
 * ```ts
 * import { parseScannerAddress } from "./address.ts";
 * parseScannerAddress("127.0.0.1:3310"); // { kind: "tcp", host: "127.0.0.1", port: 3310 }
 * parseScannerAddress("unix:/run/clamav/clamd.ctl"); // { kind: "unix", path: "/run/clamav/clamd.ctl" }
 * ```
 */
export function parseScannerAddress(text: string): ScannerAddress | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    return path.length <= longestSocketPath && isPlainPath(path) ? { kind: "unix", path } : undefined;
  }
  // Without brackets the end of an IPv6 address looks like a port.
  const endpoint = /(^[^:]+|\]):[0-9]+$/.test(text) ? parseEndpoint(text, 0) : undefined;
  if (endpoint === undefined || endpoint.port === 0 || !isAddress(endpoint.host)) return undefined;
  return { kind: "tcp", ...endpoint };
}

/** Back into the control file's words. */
export function formatScannerAddress(address: ScannerAddress): string {
  return address.kind === "unix" ? `unix:${address.path}` : netAddress(address);
}

/** The right to connect to these, and to nothing else. */
export function scannerGrant(addresses: readonly ScannerAddress[]): Pick<Grant, "connect" | "callsPaths"> {
  const tcp = addresses.flatMap((address) => address.kind === "tcp" ? [netAddress(address)] : []);
  const paths = addresses.flatMap((address) => address.kind === "unix" ? [address.path] : []);
  return {
    ...(tcp.length === 0 ? {} : { connect: [...new Set(tcp)] }),
    ...(paths.length === 0 ? {} : { callsPaths: [...new Set(paths)] }),
  };
}
