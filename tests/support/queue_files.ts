/**
 * What lies in a queue, for tests.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { liveRecords } from "../../components/lib/queue/journal/scan.ts";

/** Folders of which each file is a message's, or was to be; the last two are not there in a queue that was qmail's. */
const messageDirs = ["pid", "mess", "intd", "todo", "info", "local", "remote", "bounce", "options", "delayed"] as const;

/** Paths of the messages' files, finished or not, and of nothing else: an empty list is an empty queue. */
export function messageFiles(home: Home): string[] {
  return messageDirs.flatMap((dir) => ifThere(() => queueFiles(home, home.queue(dir))) ?? []);
}

/** Whether no message is in the queue, wherever one could be. */
export function isQueueEmpty(home: Home): boolean {
  return messageFiles(home).length === 0 && journalTexts(home).length === 0;
}

/** The texts of the messages in the journal, with the queue's Received field. */
export function journalTexts(home: Home): string[] {
  return Array.from(liveRecords(home), ({ content }) => fromOctets(content));
}

/** Paths of all files in the queue but the locks. */
export function queueFiles(home: Home, dir = home.queue()): string[] {
  return Array.from(Deno.readDirSync(dir)).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) return entry.name === "lock" ? [] : queueFiles(home, path);
    return [path];
  });
}
