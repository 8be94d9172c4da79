/**
 * Modules of node's that are loaded when they are first used, not when the process starts: `node:crypto`, `node:fs` and
 * `node:zlib` each bring most of node's streams along, 3 MiB and 25 ms of processor time, and a process that waits for
 * its first message, login or forwarded sender has no use for them yet, nor has a server without a certificate for TLS. What a program always needs it imports.
 * @module
 */

interface Loaded {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:process": typeof globalThis.process;
  readonly "node:stream": typeof import("node:stream");
  readonly "node:tls": typeof import("node:tls");
  readonly "node:url": typeof import("node:url");
  readonly "node:zlib": typeof import("node:zlib");
}

/** A function that answers the module, and loads it the first time. */
function once<Name extends keyof Loaded>(name: Name): () => Loaded[Name] {
  let loaded: Loaded[Name] | undefined;
  // Even the name `process` loads a part of node; `require` would as well.
  return () => loaded ??= globalThis.process.getBuiltinModule(name) as unknown as Loaded[Name];
}

export const nodeCrypto: () => Loaded["node:crypto"] = once("node:crypto");
export const nodeFs: () => Loaded["node:fs"] = once("node:fs");
export const nodeProcess: () => Loaded["node:process"] = once("node:process");
export const nodeStream: () => Loaded["node:stream"] = once("node:stream");
export const nodeTls: () => Loaded["node:tls"] = once("node:tls");
export const nodeUrl: () => Loaded["node:url"] = once("node:url");
export const nodeZlib: () => Loaded["node:zlib"] = once("node:zlib");
