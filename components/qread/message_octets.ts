/**
 * The beginning of a message's text, wherever it stands.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { MessageFile } from "../lib/delivery/message_file.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { liveRecords } from "../lib/queue/journal/scan.ts";
import { queueFile } from "../lib/queue/layout.ts";

export interface MessageStart {
  readonly octets: Uint8Array;
  /** Of the whole text. */
  readonly sizeBytes: number;
}

/** Up to `most` octets; undefined: there is no such message. Throws what the system says. */
export function readMessageStart(home: Home, id: number, most: number): MessageStart | undefined {
  // In the layout, in the journal, or by now in the layout.
  return readFile(home, id, most) ?? readRecord(home, id, most) ?? readFile(home, id, most);
}

function readFile(home: Home, id: number, most: number): MessageStart | undefined {
  // Without an envelope it is none: it is on its way in, or out of the journal.
  const isMessage = (["todo", "info"] as const).some((dir) =>
    ifThere(() => Deno.lstatSync(queueFile(home, dir, id))) !== undefined
  );
  return isMessage ? readText(home, id, most) : undefined;
}

function readText(home: Home, id: number, most: number): MessageStart | undefined {
  const file = ifThere(() => MessageFile.open(home, id));
  if (file === undefined) return undefined;
  try {
    const octets = new Uint8Array(Math.min(most, file.sizeBytes));
    for (let at = 0; at < octets.length;) {
      const piece = file.read(at).subarray(0, octets.length - at);
      octets.set(piece, at);
      at += piece.length;
    }
    return { octets, sizeBytes: file.sizeBytes };
  } finally {
    file.close();
  }
}

function readRecord(home: Home, id: number, most: number): MessageStart | undefined {
  for (const { id: found, content, messBytes } of liveRecords(home)) {
    if (found !== id) continue;
    return messBytes === undefined
      ? { octets: content.slice(0, most), sizeBytes: content.length }
      : readText(home, id, most);
  }
  return undefined;
}
