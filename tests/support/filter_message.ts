/** A message as filters get it, for tests of judges. @module */
import type { FilterMessage } from "../../components/lib/filters/filter.ts";
import { toOctets } from "../../components/lib/octets.ts";

export function filterMessage(content: string, changes: Partial<FilterMessage> = {}): FilterMessage {
  return {
    client: {
      entrance: "smtp",
      ip: "192.0.2.7",
      helo: "client.example",
      host: "host.example",
      tls: false,
      relaying: false,
    },
    origin: "network",
    sender: "s@x.example",
    recipients: ["a@y.example", "b@y.example"],
    content: toOctets(content),
    ...changes,
  };
}
