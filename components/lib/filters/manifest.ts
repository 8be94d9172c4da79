/**
 * What every filter's manifest has: its socket and those it hands messages to, and when it is needed.
 * @module
 */
import type { Config, Grant } from "../permissions/grant.ts";
import { type FilterName, isUsed, socketsBehind } from "./chain.ts";

/** The sockets of a filter's grant. */
export function filterSockets({ controls }: Config, name: FilterName): Required<Pick<Grant, "serves" | "calls">> {
  return { serves: [name], calls: socketsBehind(controls.filters, name) };
}

/** Of its manifest: control/filters names it. */
export function filterNeeded(name: FilterName): (config: Config) => boolean {
  return ({ controls }) => isUsed(controls.filters, name);
}
