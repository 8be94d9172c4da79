/**
 * What qmail-lspawn decides before and after a delivery.
 * @module
 */
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";

/** Octets of a report that qmail-send is told, and what stands at the end of one that was longer (qmail's interface). */
export const longestReport = 3000;
const cutMark = "\nError report too long, sorry.\n";

/** The report as qmail-send is told it. */
export function cutReport({ verdict, text }: DeliveryReport): DeliveryReport {
  return {
    verdict,
    text: text.length <= longestReport ? text : text.slice(0, longestReport - cutMark.length) + cutMark,
  };
}

/** How many deliveries one account may have under way, of all there may be: three others have room beside him. */
export function mostOfOneAccount(concurrencylocal: number): number {
  return Math.max(1, Math.floor(concurrencylocal / 4));
}
