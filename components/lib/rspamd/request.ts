/**
 * What rspamd is told of a message beside its octets: header fields of the HTTP request to `/checkv2` (rspamd's protocol,
 * "HTTP headers").
 * @module
 */
import type { FilterMessage } from "../filters/filter.ts";
import { pathOf } from "../scanners/paths.ts";

/** Octets of recipients told at the most: they all stand in one HTTP header, and servers read 80 KiB of one. */
const mostRecipientBytes = 32 * 1024;
/** Of one field. */
const longestValue = 1024;

/** Names and values (octet strings) in turn, as an HTTP client takes them. `queueId` finds the message in both logs. */
export function requestFields(message: FilterMessage, queueId: string): readonly (readonly [string, string])[] {
  const { client, sender, recipients, content } = message;
  const fields: [string, string][] = [
    ["Content-Length", String(content.length)],
    ["Content-Type", "application/octet-stream"],
    ["Queue-Id", queueId],
    ["From", pathOf(sender)],
    ...firstOf(recipients).map((recipient): [string, string] => ["Rcpt", pathOf(recipient)]),
  ];
  if (client === undefined) return fields.map(harmless);
  if (client.ip !== "unknown") fields.push(["IP", client.ip]);
  if (client.helo !== "") fields.push(["Helo", client.helo]);
  if (client.host !== undefined && client.host !== "") fields.push(["Hostname", client.host]);
  if (client.login !== undefined) fields.push(["User", client.login]);
  return fields.map(harmless);
}

/** As many as there is room for. */
function firstOf(recipients: readonly string[]): readonly string[] {
  let bytes = 0;
  const end = recipients.findIndex((recipient) => (bytes += recipient.length) > mostRecipientBytes);
  return end < 0 ? recipients : recipients.slice(0, end);
}

/** No octet may end the field, or the request's header. */
function harmless([name, value]: readonly [string, string]): readonly [string, string] {
  // deno-lint-ignore no-control-regex
  return [name, value.slice(0, longestValue).replace(/[\x00-\x1f\x7f]/g, "_")];
}
