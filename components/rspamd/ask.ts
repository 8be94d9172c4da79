/**
 * One request to rspamd over HTTP, and its answer, bounded.
 * @module
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, request } from "node:http";
import { longestReply } from "../lib/rspamd/reply.ts";
import { formatScannerAddress, type ScannerAddress } from "../lib/scanners/address.ts";
import { ScannerError } from "../lib/scanners/failure.ts";

/** Octets of an answer's header. */
const longestHeader = 16 * 1024;

/**
 * Posts `content` to `/checkv2`; answers the text that comes back with status 200. Throws {@link ScannerError} for anything
 * else, and when `signal` is aborted.
 */
export function askRspamd(
  address: ScannerAddress,
  fields: readonly (readonly [string, string])[],
  content: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  const where = formatScannerAddress(address);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (why: string) => reject(new ScannerError(`rspamd at ${where}: ${why}`));
  const asked = request({
    ...(address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port }),
    method: "POST",
    path: "/checkv2",
    // Names and values in turn, so that a name may come more than once.
    headers: fields.flat() as unknown as Record<string, string>,
    maxHeaderSize: longestHeader,
    agent: false,
  }, (response) => readText(response).then(resolve, (error) => fail(describe(error))));
  const onAbort = () => {
    fail("the time is over");
    asked.destroy();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  // Also after the answer: who writes to somebody who has said all he wanted.
  asked.on("error", (error: Error) => fail(describe(error)));
  if (signal.aborted) onAbort();
  else asked.end(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    asked.destroy();
  });
}

function readText(response: IncomingMessage): Promise<string> {
  if (response.statusCode !== 200) {
    response.destroy();
    return Promise.reject(new Error(`status ${response.statusCode}`));
  }
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= longestReply) pieces.push(piece);
    else reject(new Error("an answer that is too long"));
  });
  response.on("end", () => resolve(Buffer.concat(pieces).toString("utf8")));
  response.on("error", reject);
  response.on("close", () => reject(new Error("an answer that ends early")));
  return promise;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
