/**
 * qmail-qread: lists the messages that are preprocessed, with their recipients, while everything runs. Needs to be root
 * or qmail-send's user, for nobody else may read info. Exit codes: 0, or 111 when the queue cannot be read.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { log } from "../lib/log/log.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { print, runTool } from "../lib/process/tool.ts";
import { formatQread } from "../lib/queue/format_listing.ts";
import { type ListingEvent, readListing } from "../lib/queue/listing.ts";

/** The listing's text; warnings go to standard error. */
export function* qread(
  events: Iterable<ListingEvent>,
  format: (event: ListingEvent) => string,
): Generator<string, void, undefined> {
  for (const event of events) {
    if (event.kind === "warning") log(`qmail-qread: warning: ${event.text}`);
    else yield format(event);
  }
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-qread", () => print(qread(readListing(parseHomeArgs(args)), formatQread)));
}
