/**
 * Whether the filter that is measured has done its work: a figure for something that did not happen is worth nothing. Looks
 * at messages of the run where they lie in the queue, in the journal or in mess.
 * @module
 */
import { join } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import { algorithms } from "../../components/lib/dkim/choose.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { liveRecords } from "../../components/lib/queue/journal/scan.ts";
import { openIfThere } from "../../components/lib/queue/listing.ts";
import { assertNever } from "../../components/lib/result.ts";
import type { MeasuredFilter } from "./options.ts";
import { findNumber, headBytes, sourceDomain } from "./payload.ts";

/** What a look at a run's messages has found. */
export interface Evidence {
  /** Of how many messages the header was read. */
  readonly looked: number;
  /** How many of them show what the filter does. */
  readonly shown: number;
  readonly isEnough: boolean;
}

/** Of one run. */
const sampleSize = 200;

/** Whether the beginning of a message in the queue shows that the filter has had it, with success. */
export function shows(head: string, filter: MeasuredFilter): boolean {
  const fields = (head.split(/\n\r?\n/, 1)[0] ?? "").replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  switch (filter) {
    case "sign": {
      const signatures = fields.filter((field) => field.startsWith("DKIM-Signature:") && field.includes(signer));
      return algorithms.every((algorithm) => signatures.some((field) => field.includes(` a=${algorithm};`)));
    }
    case "verify":
      return fields.some((field) => field.startsWith("Authentication-Results:") && passed.test(field));
    default:
      return assertNever(filter);
  }
}

const signer = ` d=${sourceDomain};`;
const passed = new RegExp(`; dkim=pass header\\.d=${sourceDomain.replaceAll(".", "\\.")}[ ;]`);

/** Looks at some of the messages from number `firstNumber` on, of which there are `messages`. */
export function evidenceOf(
  heads: Iterable<string>,
  filter: MeasuredFilter,
  { firstNumber, messages }: { readonly firstNumber: number; readonly messages: number },
): Evidence {
  const wanted = Math.min(messages, sampleSize);
  let looked = 0;
  let shown = 0;
  for (const head of heads) {
    const running = findNumber(head);
    if (running === undefined || running < firstNumber || running >= firstNumber + messages) continue;
    looked++;
    if (shows(head, filter)) shown++;
    if (looked === wanted) break;
  }
  return { looked, shown, isEnough: looked === wanted && shown === looked };
}

/** For the operator: what is wrong with a run whose messages do not show enough. */
export function describeLack({ looked, shown }: Evidence, filter: MeasuredFilter): string {
  if (shown === looked) return `only ${looked} messages of it were found in the queue`;
  const lack = filter === "sign"
    ? "have no signatures by RSA and Ed25519"
    : "have no Authentication-Results with dkim=pass";
  return `of ${looked} messages looked at in the queue ${looked - shown} ${lack}`;
}

/** The beginnings of all messages in a home's queue. One that is being moved meanwhile may come twice, or not at all. */
export function* headsIn(dir: string): Generator<string, void, undefined> {
  const home = homeAt(dir);
  for (const { content } of liveRecords(home)) yield fromOctets(content.subarray(0, headBytes));
  yield* headsInMess(home);
}

function* headsInMess(home: Home): Generator<string, void, undefined> {
  const buffer = new Uint8Array(headBytes);
  for (let part = 0; part < home.queueSplit; part++) {
    const folder = home.queue("mess", String(part));
    for (const { name } of Deno.readDirSync(folder)) {
      using file = openIfThere(join(folder, name));
      if (file !== undefined) yield fromOctets(buffer.subarray(0, file.readSync(buffer) ?? 0));
    }
  }
}
