/**
 * dqmail for embedding: the types and functions other programs may build on. Documented re-exports, no logic.
 *
 * @example
 * ```ts
 * import { homeAt, rewriteRecipient } from "./mod.ts";
 * const home = homeAt("/var/qmail");
 * home.control("me"); // "/var/qmail/control/me"
 * const rules = { envnoathost: "mx.example", percenthack: [], locals: ["mx.example"], virtualdomains: new Map() };
 * rewriteRecipient("amy", rules); // { channel: "local", address: "amy@mx.example" }
 * ```
 * @module
 */
export { type Home, homeAt } from "./config/home.ts";
export { manifests } from "./config/manifests.ts";
export { readControls } from "./config/read.ts";
export { type ControlFile, type Controls, type Row, schema } from "./config/schema.ts";
export { type Config, flagsOf, type Grant, type Manifest, rightsOf } from "./components/lib/permissions/grant.ts";
export { breaches } from "./components/lib/permissions/rule.ts";
export { formatTodo, parseTodo, type TodoEnvelope } from "./components/lib/queue/envelope.ts";
export { rewriteRecipient, type RewriteRules, type Routed } from "./components/lib/queue/rewrite.ts";
export { Submission } from "./components/lib/queue/submission.ts";
export { Client, ConnectionLost } from "./components/lib/wire/client.ts";
export { err, ok, type Result } from "./components/lib/result.ts";
