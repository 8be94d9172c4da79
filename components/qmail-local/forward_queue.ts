/**
 * Where forwarded mail goes: to qmail-queue, or through the filters that control/filters has for forwards.
 * @module
 */
import { ChainSubmission, type Hops } from "../lib/filters/hand_on.ts";
import { parseRouteText } from "../lib/filters/route.ts";
import { Submission } from "../lib/queue/submission.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";
import type { Client } from "../lib/wire/client.ts";
import type { Origin } from "../lib/wire/queue_protocol.ts";

/** `filters` as the request has it. Throws on what formatRouteText() never wrote: a deferral. */
export function beginForward(
  { queue, hops }: { readonly queue: Client; readonly hops: Hops },
  { origin, uid, filters }: { readonly origin: Origin; readonly uid: number; readonly filters: string | undefined },
): IntoQueue {
  if (filters === undefined) return new Submission(queue, origin, uid);
  const route = parseRouteText(filters);
  if (!route.ok) throw new Error(`qmail-lspawn's filters: ${route.error}`);
  return new ChainSubmission(hops, { origin, uid, route: route.value });
}
