/**
 * A resolver that answers from a table.
 * @module
 */
import { parseResolveRequest, type ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";
import { serveUnix, type UnixServer } from "../../../components/lib/wire/server.ts";
import type { Home } from "../../../config/home.ts";

/** Records by name and type: `a.example MX`. What is not in it is not there. */
export type Zone = Readonly<Record<string, readonly { readonly value: string; readonly preference?: number }[]>>;

/** Answers on the home's socket `resolver`; a request that is none fails the test. */
export function serveZone(home: Home, zone: Zone): UnixServer {
  return serveUnix(home.socket("resolver"), {
    onFrame: (frame, pipe) => {
      const { id, name, type } = parseResolveRequest(frame);
      const records = zone[`${name} ${type}`] ?? [];
      const reply: ResolveReply = { status: records.length > 0 ? "ok" : "nodata", authenticated: false, records };
      pipe.send({ id, ...reply });
    },
    onError: (error) => {
      throw error;
    },
  });
}
