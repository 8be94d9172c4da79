/**
 * The end of moves that a predecessor began, at a start; and the files a message of the journal may have in the layout.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { queueFile } from "../lib/queue/layout.ts";
import type { Journal } from "./journal/journal.ts";

/** What a move puts into the layout; first what makes it a message. */
export const ofLayout = ["todo", "intd", "options", "mess"] as const;
export type LayoutDir = (typeof ofLayout)[number];

/** Removes these files of message `id`. Throws what the disk says. */
export function removeFiles(disk: Disk, home: Home, id: number, dirs: readonly LayoutDir[]): void {
  for (const dir of dirs) disk.remove(queueFile(home, dir, id));
}

/**
 * What a predecessor left in the layout under the numbers of the journal's messages: one that is there as a whole has
 * moved; of one that is not, the pieces are removed, for the journal has it.
 */
export async function finishMoves(disk: Disk, home: Home, journal: Journal): Promise<void> {
  // A predecessor killed between the link and this sync: the journal may let go only of what no power loss takes from todo.
  await disk.syncDir(home.queue("todo"));
  for (const entry of journal.entries()) {
    const todo = queueFile(home, "todo", entry.id);
    const mess = queueFile(home, "mess", entry.id);
    const sizeBytes = disk.stat(mess)?.sizeBytes;
    // Not to be read for nothing: there may be many.
    if (sizeBytes === undefined && !entry.inMess) continue;
    const { content, messBytes } = journal.read(entry);
    if (messBytes !== undefined) {
      // Text and name were on stable storage before the record: it is done if they are gone, or a later message's.
      const isThere = sizeBytes === messBytes && beginsWith(disk.readStart(mess, content.length), content);
      if (!isThere) journal.done([entry.serial]);
      else if (disk.stat(todo) !== undefined) await journal.moved(entry);
      else removeFiles(disk, home, entry.id, ["intd", "options"]);
    } else {
      const text = disk.readFile(mess);
      // After a power loss, a message that was done may be back, whose number a later one took into the layout.
      if (!beginsWith(content, text)) journal.renumber(entry);
      else if (disk.stat(todo) !== undefined && text.length === content.length) await journal.moved(entry);
      else removeFiles(disk, home, entry.id, ofLayout);
    }
  }
}

function beginsWith(whole: Uint8Array, start: Uint8Array): boolean {
  return start.length <= whole.length && start.every((octet, at) => octet === whole[at]);
}
